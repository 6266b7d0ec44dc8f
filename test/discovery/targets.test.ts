import { describe, expect, test } from "vitest";
import { chooseTargets } from "../../src/discovery/targets.ts";
import { survey, type Survey, workerByPid } from "../../src/worker/survey.ts";
import { type FakeProcess, fakeProc } from "../worker/fake-proc.ts";

const place = { hostname: "web-1", env: {} };
const celery = (pid: number, ...options: string[]): FakeProcess => {
  return { pid, words: ["python", "/venv/bin/celery", "-A", "app", "worker", ...options] };
};
const here = (...processes: FakeProcess[]): Survey => survey(fakeProc(processes));

/** `node pid`, or the node alone where no process bears it. */
function chosen(
  given: readonly string[],
  around: Survey | null,
  where: Parameters<typeof chooseTargets>[2] = place,
) {
  const { list, others } = chooseTargets(given, around, where);
  const words = list.map(({ node, worker }) => (worker === null ? node : `${node} ${worker.pid}`));
  return { words, others };
}

describe("without a name", () => {
  test.each<[string, Survey | null]>([
    ["nobody looks", null],
    ["no worker is in sight", here()],
  ])("Celery's default name is asked when %s", (_, around) => {
    expect(chosen([], around)).toEqual({ words: ["celery@web-1"], others: [] });
  });

  test("every worker in sight is asked by its own name", () => {
    const around = here(celery(12, "-n", "w1@%h"), celery(13, "-n", "w2"), celery(14));
    expect(chosen([], around).words).toEqual(["w1@web-1 12", "celery@w2 13", "celery@web-1 14"]);
  });

  test("two workers of one name are asked both", () => {
    expect(chosen([], here(celery(12), celery(13))).words).toEqual(["celery@web-1 12", "celery@web-1 13"]);
  });

  test("a worker's name comes from its variable when its command line has no name", () => {
    const worker = { ...celery(12), environment: "CELERY_WORKER_HOSTNAME=w7@%h\0" };
    expect(chosen([], here(worker)).words).toEqual(["w7@web-1 12"]);
  });

  test("a worker's name comes from our variable when its environment may not be read", () => {
    const where = { ...place, env: { CELERY_WORKER_HOSTNAME: "ours@x" } };
    expect(chosen([], here({ ...celery(12), environment: null }), where).words).toEqual(["ours@x 12"]);
    expect(chosen([], here(celery(12)), where).words).toEqual(["celery@web-1 12"]);
  });
});

describe("with --node", () => {
  const around = here(celery(12, "-n", "w1@%h"), celery(13, "-n", "w2@%h"));

  test("the worker of that name is asked, and the others are named", () => {
    expect(chosen(["w2@%h"], around)).toEqual({ words: ["w2@web-1 13"], others: ["w1@web-1"] });
  });

  test("a name that no worker here has is still asked", () => {
    expect(chosen(["w3@web-1"], around)).toEqual({ words: ["w3@web-1"], others: ["w1@web-1", "w2@web-1"] });
  });

  test("a name that is given twice is asked once", () => {
    expect(chosen(["w1@%h", "w1@web-1", "x@y"], around)).toEqual({
      words: ["w1@web-1 12", "x@y"],
      others: ["w2@web-1"],
    });
  });

  test("both workers of one name are asked", () => {
    expect(chosen(["celery@web-1"], here(celery(12), celery(13))).words).toHaveLength(2);
  });
});

describe("a worker beside us whose host name cannot be seen", () => {
  const beside = (...options: string[]) => here({ ...celery(12, ...options), environment: null });

  test.each([
    ["the one that was named when it is named after its host", [], "w1@x 12"],
    ["the one that was named when a part of its name is its host", ["-n", "w1@%h"], "w1@x 12"],
    ["nobody when its whole name is known", ["-n", "w2@y"], "w1@x"],
  ])("is %s", (_, options, words) => {
    expect(chosen(["w1@x"], beside(...options)).words).toEqual([words]);
  });
});

describe("with --pidfile", () => {
  const nameless = workerByPid(fakeProc([{ pid: 12, words: ["python", "run.py"] }]), 12, "pidfile");
  if (nameless === null) throw new Error("no process");
  const around: Survey = { visible: true, workers: [nameless], zombies: [], instead: null };

  test("its process is the one that was named when there is one name", () => {
    expect(chosen(["w1@x"], around)).toEqual({ words: ["w1@x 12"], others: [] });
  });

  test("its process gets Celery's default name when no name is given", () => {
    expect(chosen([], around)).toEqual({ words: ["celery@web-1 12"], others: [] });
  });

  test("its process is nobody's when there are several names", () => {
    expect(chosen(["w1@x", "w2@x"], around).words).toEqual(["w1@x", "w2@x"]);
  });
});
