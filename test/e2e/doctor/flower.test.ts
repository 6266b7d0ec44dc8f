import { createServer as createPlainServer } from "node:http";
import { createServer } from "node:https";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { certificates } from "../../world/certificates.ts";
import { startFlower } from "../../world/flower.ts";
import { freePort, startServer } from "../../world/server.ts";
import { startWorker } from "../../world/worker.ts";
import { type Diagnosis, diagnose, saying } from "./diagnose.ts";

const REMOTE = ["--placement", "remote", "--flower"];

/** Asks until Flower knows the workers, which it learns from their events. */
async function until(ask: () => Promise<Diagnosis>, level: string): Promise<Diagnosis> {
  for (;;) {
    const said = await ask();
    if (said.of("flower")[0]?.level === level) return said;
  }
}

test.concurrent("Flower's workers are compared with the answering ones", async () => {
  await using server = await startServer();
  await using _worker = await startWorker({ server });
  await using flower = await startFlower(server.url());
  const env = { CELERY_BROKER_URL: server.url() };
  const url = `http://127.0.0.1:${flower.port}/`;
  const { of } = await until(() => diagnose([...REMOTE, url], env), "ok");
  expect(of("flower")).toMatchObject([{ seen: saying(/^http:.* has 1 worker online; 1 answering here$/) }]);
});

test.concurrent("a Flower on another database misses the workers", async () => {
  await using server = await startServer();
  await using worker = await startWorker({ server });
  await using flower = await startFlower(server.url(5));
  const { of, exitCode } = await diagnose([...REMOTE, `http://127.0.0.1:${flower.port}`], {
    CELERY_BROKER_URL: server.url(),
  });
  expect(of("flower")).toMatchObject([
    {
      level: "warning",
      seen: saying(new RegExp(`0 workers online; .*missing: ${worker.node}`)),
      next: saying(/database/),
    },
  ]);
  expect(exitCode).toBe(0);
});

test.concurrent("basic auth is reported, and can be given in the URL or by FLOWER_BASIC_AUTH", async () => {
  await using server = await startServer();
  await using _worker = await startWorker({ server });
  await using flower = await startFlower(server.url(), ["--basic_auth=me:s3cret-word"]);
  const env = { CELERY_BROKER_URL: server.url() };
  const at = `127.0.0.1:${flower.port}`;
  const none = await diagnose([...REMOTE, `http://${at}`], env);
  expect(none.of("flower")).toMatchObject([{ level: "problem", seen: saying(/wants a login \(basic auth/) }]);
  const wrong = await diagnose([...REMOTE, `http://me:wr0ng-word@${at}`], env);
  expect(wrong.of("flower")).toMatchObject([{ level: "problem", seen: saying(/refused the given one/) }]);
  const right = await until(() => diagnose([...REMOTE, `http://me:s3cret-word@${at}`], env), "ok");
  const byVariable = await diagnose([...REMOTE, `http://${at}`], {
    ...env,
    FLOWER_BASIC_AUTH: "me:s3cret-word",
  });
  expect(byVariable.of("flower")).toMatchObject([{ level: "ok" }]);
  for (const { stdout } of [none, wrong, right, byVariable])
    expect(stdout).not.toMatch(/s3cret-word|wr0ng-word/);
});

test.concurrent("a login by OAuth is skipped, because the doctor cannot sign in", async () => {
  await using server = await startServer();
  await using flower = await startFlower(server.url(), [
    "--auth=.*@example[.]com",
    "--auth_provider=flower.views.auth.GoogleAuth2LoginHandler",
    "--oauth2_key=key",
    "--oauth2_secret=s3cret-word",
    "--oauth2_redirect_uri=http://127.0.0.1/login",
  ]);
  const { of } = await diagnose([...REMOTE, `http://127.0.0.1:${flower.port}`], {
    CELERY_BROKER_URL: server.url(),
  });
  expect(of("flower")).toMatchObject([
    { level: "skipped", seen: saying(/wants people to sign in \(OAuth/), next: saying(/--basic_auth/) },
  ]);
});

test.concurrent("a percent sign in a password stays, and a proxy is not used for Flower", async () => {
  await using server = await startServer();
  await using _worker = await startWorker({ server });
  await using flower = await startFlower(server.url(), ["--basic_auth=me:100%-s3cret"]);
  const proxy = `http://127.0.0.1:${await freePort()}`;
  const env = { CELERY_BROKER_URL: server.url(), HTTP_PROXY: proxy, http_proxy: proxy };
  for (const password of ["100%-s3cret", "100%25-s3cret"]) {
    const url = `http://me:${password}@127.0.0.1:${flower.port}`;
    const { stdout } = await until(() => diagnose([...REMOTE, url], env), "ok");
    expect(stdout).not.toContain("s3cret");
  }
});

test.concurrent("an endless page, at a port that browsers refuse, does not delay it", async () => {
  await using server = await startServer();
  const endless = createPlainServer((_, response) => {
    const send = () => {
      if (!response.destroyed) response.write("x".repeat(1e6), () => setImmediate(send));
    };
    send();
  });
  await once(endless.listen(6667, "127.0.0.1"), "listening");
  const { of, ms } = await diagnose([...REMOTE, "http://127.0.0.1:6667"], {
    CELERY_BROKER_URL: server.url(),
  });
  endless.close();
  expect(of("flower")).toMatchObject([{ level: "problem", seen: saying(/cannot be asked: status 200$/) }]);
  expect(ms).toBeLessThan(20_000);
});

test.concurrent(
  "another program than Flower, a missing one, or an untrusted certificate is reported",
  async () => {
    await using server = await startServer();
    const env = { CELERY_BROKER_URL: server.url() };
    const port = await freePort();
    const gone = await diagnose([...REMOTE, `http://127.0.0.1:${port}`], env);
    expect(gone.of("flower")).toMatchObject([
      { level: "problem", seen: saying(/cannot be asked: .*ECONNREFUSED/) },
    ]);
    const { server: certified } = await certificates();
    const other = createServer(
      { cert: readFileSync(certified.selfSigned.certificate), key: readFileSync(certified.selfSigned.key) },
      (_, response) => response.writeHead(404).end(),
    );
    await once(other.listen(0, "127.0.0.1"), "listening");
    const { port: secure } = other.address() as { port: number };
    const tls = await diagnose([...REMOTE, `https://127.0.0.1:${secure}`], env);
    other.close();
    expect(tls.of("flower")).toMatchObject([
      { level: "problem", seen: saying(/cannot be asked: .*certificate/) },
    ]);
  },
);
