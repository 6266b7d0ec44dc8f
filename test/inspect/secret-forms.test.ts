import { describe, expect, test } from "vitest";
import { maskText } from "../../src/inspect/mask-text.ts";
import { withoutSecrets } from "../../src/inspect/secrets.ts";

/** So many characters of an alphabet, in no order that stands in this file: no scanner shall find a token in it. */
const some = (length: number, alphabet = "a1B2c3D4e5F6g7H8j9K0") =>
  Array.from({ length }, (_, at) => alphabet[(at * 7) % alphabet.length]).join("");
const hex = (length: number) => some(length, "0123456789abcdef");
const capitals = (length: number) => some(length, "ABCDEFGH234567");

const block = (label: string) =>
  `-----BEGIN ${label}-----\n${some(64)}\n${some(20)}==\n-----END ${label}-----`;

const FORMS = [
  `sk_live_${some(24)}`,
  `rk_test_${some(24)}`,
  `whsec_${some(32)}`,
  `AKIA${capitals(16)}`,
  `ASIA${capitals(16)}`,
  `ghp_${some(36)}`,
  `ghs_${some(36)}`,
  `github_pat_${some(22)}_${some(59)}`,
  `glpat-${some(20)}`,
  `xoxb-${hex(12)}-${hex(12)}-${some(24)}`,
  `xoxp-${hex(12)}-${some(24)}`,
  `xapp-1-${some(11)}-${some(24)}`,
  `AIza${some(35)}`,
  `ya29.${some(60)}`,
  `GOCSPX-${some(28)}`,
  `SG.${some(22)}.${some(43)}`,
  `key-${hex(32)}`,
  `${hex(32)}-us14`,
  `npm_${some(36)}`,
  `pypi-AgEI${some(80)}`,
  `dckr_pat_${some(27)}`,
  `sk-${some(48)}`,
  `sk-proj-${some(20)}-${some(20)}`,
  `sk-ant-api03-${some(40)}`,
  `hf_${some(34)}`,
  `SK${hex(32)}`,
  `dop_v1_${hex(64)}`,
  `dapi${hex(32)}`,
  `shpat_${hex(32)}`,
  `hvs.${some(90)}`,
  `${some(14)}.atlasv1.${some(60)}`,
  `sntrys_${some(60)}`,
  `12345678:${some(35)}`,
  `gAAAAA${some(80)}==`,
  `eyJ${some(20)}.eyJ${some(40)}.${some(43)}`,
  `eyJ${some(20)}.eyJ${some(40)}.`,
  `eyJ${some(20)}:1t${some(4)}:${some(43)}`,
];

describe("a secret is recognised by its form", () => {
  test.each(FORMS)("when it is %s", (secret) => {
    for (const [before, after] of [
      ["", ""],
      ["plain = ", ""],
      ["it's '", "', said he"],
      ["x=", "&y=1"],
      ['{"a": "', '"}'],
      ["https://h/x?a=", "#b"],
      ["prefix-", "\nnext"],
    ] as const) {
      const said = maskText(before + secret + after);
      expect(said).not.toContain(secret.slice(-12, -2));
      expect(said.startsWith(before) && said.endsWith(after)).toBe(true);
    }
  });

  test.each([
    ["RSA PRIVATE KEY", true],
    ["PRIVATE KEY", true],
    ["ENCRYPTED PRIVATE KEY", true],
    ["OPENSSH PRIVATE KEY", true],
    ["PGP PRIVATE KEY BLOCK", true],
    ["CERTIFICATE", false],
    ["PUBLIC KEY", false],
  ])("when it is a block of %s: %s", (label, isSecret) => {
    const text = `before\n${block(label)}\nafter`;
    const said = maskText(text);
    expect(said).toBe(isSecret ? "before\n********\nafter" : text);
    expect(maskText(JSON.stringify(text))).toBe(
      isSecret ? JSON.stringify("before\n********\nafter") : JSON.stringify(text),
    );
  });

  test("when it is a block that was cut", () => {
    expect(maskText(`a ${block("PRIVATE KEY").slice(0, 60)}`)).toBe("a ********");
  });

  test("when it is a webhook's address", () => {
    expect(maskText(`to https://hooks.slack.com/services/T0/B0/${some(24)}, now`)).toBe(
      "to https://hooks.slack.com/services/********, now",
    );
    expect(maskText(`https://discord.com/api/webhooks/1/${some(68)}`)).toBe(
      "https://discord.com/api/webhooks/********",
    );
  });

  test.each([
    ["https://api.telegram.org/bot123456789:", "/sendMessage"],
    ["https://api.telegram.org/file/bot1234:", ""],
    ["https://ptb.discord.com/api/v10/webhooks/1/", "?wait=1"],
    ["https://outlook.office.com/webhook/", ""],
    ["https://hooks.zapier.com/hooks/catch/1/", ""],
  ])("when it is a webhook's address: %s…", (before, after) => {
    expect(maskText(before + some(35) + after)).not.toContain(some(35).slice(3, 20));
  });

  test.each([
    ["small", (text: string) => text.replaceAll("BEGIN PRIVATE KEY", "begin private key")],
    ["encoded", (text: string) => encodeURIComponent(text)],
    ["encoded as a form", (text: string) => encodeURIComponent(text).replaceAll("%20", "+")],
  ])("when it is a block, written %s", (_, write) => {
    expect(maskText(write(block("PRIVATE KEY")))).toBe("********");
    expect(maskText(write(block("PUBLIC KEY")))).toContain(some(20));
  });

  test("when conf contains it, whatever the setting's name", () => {
    const conf = { plain: `sk_live_${some(24)}`, list: [{ of: block("PRIVATE KEY") }] };
    expect(withoutSecrets("conf", conf, [])).toEqual({ plain: "********", list: [{ of: "********" }] });
  });
});

test.each([
  "pk_live_0123456789abcdef01234567",
  "task-0123456789abcdef0123",
  "sk-learn-is-a-library-of-python",
  "b52299bf-a560-5a4d-8301-efca8a8bcb02",
  "0123456789abcdef0123456789abcdef01234567",
  "celery@worker-1.example.com",
  "myapp.tasks.send_mail_to_everybody_who_asked",
  "2026-11-28T20:44:15.123456+00:00",
  "/usr/lib/python3.12/site-packages/celery/app/trace.py",
  "unix:/run/redis.sock?virtual_host=3",
  "12345678:short",
])("%s is no secret", (text) => {
  expect(maskText(text)).toBe(text);
});
