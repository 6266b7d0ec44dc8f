import { describe, expect, test } from "vitest";
import { databasesIn, loginsIn, socketsIn, urlsIn } from "../../src/discovery/variables.ts";

const env = (variables: Readonly<Record<string, string>>) => new Map(Object.entries(variables));

describe("the variables of an environment", () => {
  test("hold URLs whatever they are called, a broker's first and a cache's last, each once", () => {
    const theirs = env({
      DJANGO_CACHE_URL: "redis://r/1",
      STORE: "rediss://:pw@r:6380/2",
      DATABASE_URL: "postgres://u:p@db/shop",
      APP_BROKER: "redis://r/3",
      BROKEN: "redis://r:port",
      AGAIN: "redis://r/3",
    });
    const ours = env({ SOCKET: "redis+socket:///run/r.sock", SAME: "redis://r/1" });
    expect(urlsIn([theirs, ours]).map(({ name }) => name)).toEqual([
      "APP_BROKER",
      "STORE",
      "SOCKET",
      "DJANGO_CACHE_URL",
    ]);
  });

  test.each<[Readonly<Record<string, string>>, readonly unknown[]]>([
    [{ REDIS_PASSWORD: "pw" }, [{ password: "pw", by: ["REDIS_PASSWORD"] }]],
    [
      { REDIS_USERNAME: "app", REDIS_PASSWORD: "pw" },
      [{ username: "app", password: "pw", by: ["REDIS_USERNAME", "REDIS_PASSWORD"] }],
    ],
    [
      { REDISUSER: "app", REDISPASSWORD: "pw" },
      [{ username: "app", password: "pw", by: ["REDISUSER", "REDISPASSWORD"] }],
    ],
    [
      { CACHE_REDIS_PASSWORD: "a", VALKEY_PASS: "b", CELERY_BROKER_PASSWORD: "c" },
      [
        { password: "c", by: ["CELERY_BROKER_PASSWORD"] },
        { password: "b", by: ["VALKEY_PASS"] },
      ],
    ],
    [{ REDIS_AUTH_TOKEN: "pw" }, [{ password: "pw", by: ["REDIS_AUTH_TOKEN"] }]],
    // Somebody else's, a file's name, Sentinels', and none.
    [{ POSTGRES_PASSWORD: "pw", SECRET_KEY: "k", AWS_SECRET_ACCESS_KEY: "s", PGPASSWORD: "pw" }, []],
    [{ REDIS_PASSWORD_FILE: "/run/secrets/redis", REDIS_SENTINEL_PASSWORD: "s", REDIS_PASSWORD: "" }, []],
    [{ CELERY_PROBE_SENTINEL_PASSWORD: "s" }, []],
    [{ CELERY_FLOWER_PASSWORD: "f", CELERY_RESULT_DB_PASSWORD: "d", REDIS_CACHE_PASSWORD: "c" }, []],
    [
      { REDIS_HOST: "cache", REDIS_PORT: "6380", REDIS_PASSWORD: "pw", BROKER_HOST: "other" },
      [{ password: "pw", by: ["REDIS_PASSWORD"], host: "cache", port: 6380 }],
    ],
    [{ REDIS_PASSWORD: "x".repeat(2_000) }, []],
  ])("give these logins: %j", (variables, logins) => {
    expect(loginsIn(env(variables))).toEqual(logins);
  });

  test("give four logins at most", () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`REDIS${at}_PASSWORD`, `pw${at}`]));
    expect(loginsIn(env(many))).toHaveLength(4);
  });

  test("name databases and sockets", () => {
    const theirs = env({
      REDIS_CACHE_DB: "1",
      REDIS_DB: "2",
      CELERY_REDIS_DB_NUM: "3",
      REDIS_DATABASE: "four",
      POSTGRES_DB: "5",
      REDIS_SOCKET: "/run/redis/redis.sock",
      DOCKER_HOST: "/run/docker.sock",
    });
    expect(databasesIn([theirs])).toEqual([3, 2, 1]);
    expect(socketsIn([theirs])).toEqual([["REDIS_SOCKET", "/run/redis/redis.sock"]]);
  });
});
