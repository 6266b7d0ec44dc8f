import { expect, test } from "vitest";
import { startContainer } from "../world/container.ts";
import { owner } from "../world/owner.ts";
import { EXECUTABLE } from "./probe.ts";

/** Workers of one container, or of one pod, with different brokers. */

test.concurrent.each([
  ["serve", "--listen=127.0.0.1:0"],
  ["serve", "--listen=127.0.0.1:0", "--placement=beside"],
  ["watch", "--once"],
])("%s %s names the brokers of the workers in sight, and wants one of them", async (...words) => {
  await using own = owner();
  const { keep, server } = own;
  const container = await keep(startContainer());
  const [one, other] = [await server({ password: "p@ss" }), await server()];
  for (const name of ["a@here", "b@here"]) await container.startWorker({ server: one, name });
  await container.startWorker({ server: other, name: "c@here" });
  const { stdout, stderr, exitCode } = await container.run(EXECUTABLE, words);
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
  const found =
    /^celery-probe: the workers in sight have 2 brokers \((.*)\): expected (.*)$/.exec(stderr) ?? [];
  const groups = (found[1] ?? "").split("; ").sort((a, b) => a.slice(-6).localeCompare(b.slice(-6)));
  expect(groups).toEqual([
    expect.stringMatching(new RegExp(`^redis://\\S*@127\\.0\\.0\\.1:${one.port}/0 of [ab]@here, [ab]@here$`)),
    `${other.url()} of c@here`,
  ]);
  expect(found[2]).toBe("--broker with the URL of one, or --node with workers of one");
  expect(stderr).not.toMatch(/p@ss|p%40ss/);
});

test.concurrent("watch shows the workers of the named broker, or of the named workers' broker", async () => {
  await using own = owner();
  const { keep, server } = own;
  const container = await keep(startContainer());
  const [one, other] = [await server(), await server()];
  await container.startWorker({ server: one, name: "a@here" });
  await container.startWorker({ server: other, name: "b@here" });
  const watched = (...words: string[]) => container.run(EXECUTABLE, ["watch", "--once", ...words]);
  expect((await watched("--broker", one.url())).stdout).toMatch(/^a@here +alive/m);
  expect((await watched("--node", "b@here")).stdout).toMatch(/^b@here +alive/m);
});
