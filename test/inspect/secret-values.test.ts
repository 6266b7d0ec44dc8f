import { describe, expect, test } from "vitest";
import { maskText } from "../../src/inspect/mask-text.ts";
import { withoutSecrets } from "../../src/inspect/secrets.ts";

const MASKED = "********";

/** No token of a service, and no word. */
const VALUE = "s3cretValue9x";

describe("conf shows", () => {
  test.each<readonly [string, unknown]>([
    ["task_routes", { "auth.tasks.send_password_reset": { queue: "authq" }, refresh_token: "tq" }],
    ["CELERY_TASK_ANNOTATIONS", { "tasks.rotate_secrets": { rate_limit: "10/s" } }],
    ["beat_schedule", { "refresh-tokens": { task: "x.refresh_tokens", schedule: 60 } }],
    ["hooks", { "accounts.refresh_token": { queue: "tq" } }],
    ["SIMPLE_JWT", { ACCESS_TOKEN_LIFETIME: "1:00", ALGORITHM: "HS256", AUTH_HEADER_TYPES: ["Bearer"] }],
    ["AUTH_PASSWORD_VALIDATORS", [{ NAME: "django.x", OPTIONS: { min_length: 9 } }]],
    ["PASSWORD_RESET_URL", "/reset/"],
    ["TOKEN_ENDPOINT", "https://sso.example.com/oauth2/token"],
    ["AUTH_LDAP_SERVER_URI", "ldap://l"],
    ["AUTH_SERVICE_HOST", "auth-1.svc"],
    ["AUTH_SERVICE_PORT", 8080],
    ["AUTH_DB", "authdb"],
    ["authSource", "admin"],
    ["OAUTH_SCOPES", ["read", "write:all"]],
    ["WEBHOOK_QUEUE", "wq"],
    ["WEBHOOK_RETRIES", 3],
    ["API_KEY_HEADER", "X-Api-Key"],
    ["SECRETS_REGION", "eu-west-1"],
    ["PASSWORD_POLICY", "strict"],
    ["FOREIGN_KEY", "id"],
    ["SECRETARY", "Eve"],
    ["JWT_EXPIRATION_DELTA", 300],
    ["TOKEN_LIMIT_PER_USER", 5],
    ["AWS_S3_SIGNATURE_VERSION", "s3v4"],
    ["PASSWORD_FILE", "/run/secrets/db"],
    ["AUTH_LDAP_USER_SEARCH", "<django_auth_ldap.config.LDAPSearch object at 0x7f3a2c>"],
    ["AUTH_LDAP_BIND_DN", "cn=agent,ou=it people,dc=example,dc=org"],
    ["salt_master", "salt.internal"],
    ["JWT_COOKIE", "my-app-auth"],
    ["fields", ["password", "token"]],
    [
      "choices",
      [
        ["password", null],
        ["plain", "a"],
      ],
    ],
    ["queues", { key: "celery" }],
    ["PWD", "/app/src-2"],
    ["env", [{ Name: "TZ", Value: "UTC" }]],
  ])("%s: %j", (name, value) => {
    expect(withoutSecrets("conf", { [name]: value }, [])).toEqual({ [name]: value });
  });
});

describe("conf masks", () => {
  test.each<readonly [string, unknown]>([
    ["FERNET_KEYS", [VALUE]],
    ["FIELD_KEYS", VALUE],
    ["licenseKey", VALUE],
    ["PASSWORD_VERSION", VALUE],
    ["TOKEN_SECRET_DAYS", VALUE],
    ["SECRETS_BY_NAME", "sesame"],
    ["TOKEN_BY_DOMAIN", { "x.org": VALUE }],
    ["PASSWORDS_FOR_DOMAINS", { x: "sesame" }],
    ["TOKEN_NAMES", { x: "sesame" }],
    ["AUTH_HOST", [VALUE]],
    ["AUTH_PASSWORD_VALIDATORS", [{ NAME: VALUE, password: "sesame" }]],
    ["SIMPLE_JWT", { SIGNING_KEY: "sesame", ALGORITHM: VALUE }],
    ["WEBHOOK_URL", "https://h/sesame"],
    ["JWT_COOKIE", VALUE],
    ["AUTH_LDAP_USER_SEARCH", VALUE],
    [
      "pairs",
      [
        ["user", "u"],
        ["password", "sesame"],
      ],
    ],
    ["encryption", { key: "sesame" }],
    ["fernet", { keys: ["sesame"] }],
    ["options", { s3: { key: VALUE } }],
    [
      "lines",
      ["---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", "sesame", "---- END SSH2 ENCRYPTED PRIVATE KEY ----"],
    ],
    ["file", "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nsesame\nPrivate-MAC: 0a1b"],
    ["db.password", "sesame"],
    ["password", Array.from({ length: 60 }).reduce((inner) => ({ a: inner }), "sesame")],
    ["password", Array.from({ length: 60 }).reduce((inner) => [inner], "sesame")],
    ["seen", { "redis://u:sesame@h": 1, [`sk_live_${VALUE}`]: true }],
    ["password", { [`ghp_${VALUE.repeat(3)}`]: "x" }],
    ["seen", [[`ghp_${VALUE.repeat(3)}`, 1]]],
    ["env", [{ Name: "DB_PASSWORD", Value: "sesame" }]],
    ["PWD", "sesame"],
    ["lines", [["-----BEGIN PRIVATE KEY-----"], ["sesame"], [["sesame"]], ["-----END PRIVATE KEY-----"]]],
    ["password", { value: "sesame" }],
    ["options", { name: "password", value: "sesame" }],
    ["task_routes", { "a.b": { password: "sesame" } }],
    ["lines", ["-----BEGIN PRIVATE KEY-----", "sesame", "-----END PRIVATE KEY-----"]],
  ])("%s: %j", (name, value) => {
    const said = JSON.stringify(withoutSecrets("conf", { [name]: value }, []));
    expect(said).toContain(MASKED);
    expect(said).not.toMatch(/s3cret|sesame/);
  });

  test("only the block in a list", () => {
    const list = ["a", "-----BEGIN PRIVATE KEY-----", "b", "-----END PRIVATE KEY-----", "c"];
    expect(withoutSecrets("conf", { list }, [])).toEqual({ list: ["a", MASKED, MASKED, MASKED, "c"] });
  });
});

test.each([
  ["Driver={SQL};UID=sa;PWD=pw;", `Driver={SQL};UID=sa;PWD=${MASKED};`],
  ["Driver={SQL};UID=sa;PWD={p;w};x", `Driver={SQL};UID=sa;PWD=${MASKED};x`],
  ["PWD=/app OLDPWD=/srv", "PWD=/app OLDPWD=/srv"],
  ["Config(password=SecretStr('p)w'), x=1)", `Config(password=${MASKED}, x=1)`],
  ["Config(password=b'pw', x=1)", `Config(password=${MASKED}, x=1)`],
  ["{'password': SecretStr('pw'), 'x': 1}", `{'password': '${MASKED}', 'x': 1}`],
  ["a: 1\npassword: |\n  p w\n\n  q\nb: 2", `a: 1\npassword: ${MASKED}\nb: 2`],
  ["password: >-\n  pw", `password: ${MASKED}`],
  [`{"Name":"DB_PASSWORD","Value":"p w"}`, `{"Name":"DB_PASSWORD","Value":'${MASKED}'}`],
  [`{"name": "TZ", "value": "UTC"}`, `{"name": "TZ", "value": "UTC"}`],
  ["'password' => 'p w', 'x' => 1", `'password' => '${MASKED}', 'x' => 1`],
  [`:password => "p w", :x => 1`, `:password => ${MASKED}, :x => 1`],
  ["<user>me</user><password>p w</password>", `<user>me</user><password>${MASKED}</password>`],
  [`<db:password a="b"><![CDATA[p w]]></db:password>`, `<db:password a="b">${MASKED}</db:password>`],
  [String.raw`redis:\/\/user:p@w@h:6379`, String.raw`redis:\/\/user:${MASKED}@h:6379`],
  ["x=redis%3A%2F%2Fuser%3Apw%40h%3A6379", `x=redis%3A%2F%2Fuser%3A${MASKED}%40h%3A6379`],
  ["redis%3a%2f%2fpw%40h", `redis%3a%2f%2f${MASKED}%40h`],
  ["//u:pw@h/0", `//u:${MASKED}@h/0`],
  ["u:pw@h", `u:${MASKED}@h`],
  ["to u:pw@h:6379/0, now", `to u:${MASKED}@h:6379/0, now`],
  ["//u:**@h", "//u:**@h"],
  ["warning:celery@h said", "warning:celery@h said"],
  ["run --password pw --queue q", `run --password ${MASKED} --queue q`],
  ["run --password 'p w' --queue q", `run --password ${MASKED} --queue q`],
  ["password: pw", `password: ${MASKED}`],
  ["password = pw", `password = ${MASKED}`],
  ["if password == other", "if password == other"],
  ["password:pw", `password:${MASKED}`],
  ["db_password:'p w' x", `db_password:${MASKED} x`],
  [`password: "p w" x`, `password: ${MASKED} x`],
  ["secret://vault auth:read app.password:view", "secret://vault auth:read app.password:view"],
  ["curl -u me:pw --user=me:pw h", `curl -u me:${MASKED} --user=me:${MASKED} h`],
  ["docker run -u 1000:1000 -u me", "docker run -u 1000:1000 -u me"],
  [`[['user', 'u'], ["password", "p w"]]`, `[['user', 'u'], ["password", '${MASKED}']]`],
  ["('password', 'email')", "('password', 'email')"],
  [`xghp_${"a1B2".repeat(9)}`, `x${MASKED}`],
  [`AUTH_HOST=${VALUE} AUTH_HOST=h`, `AUTH_HOST=${MASKED} AUTH_HOST=h`],
  [
    `{'AUTH_TYPES': ['a', 'b'], 'TOKEN_NAMES': {'a': 'b'}}`,
    `{'AUTH_TYPES': ['a', 'b'], 'TOKEN_NAMES': '${MASKED}'}`,
  ],
])("%j becomes %j", (text, expected) => {
  expect(maskText(text)).toBe(expected);
});
