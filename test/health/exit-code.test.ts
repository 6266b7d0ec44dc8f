import { describe, expect, test } from "vitest";
import type { Evidence } from "../../src/health/evidence.ts";
import { exitCode, isForgiven } from "../../src/health/exit-code.ts";
import type { Verdict } from "../../src/health/verdict.ts";
import { ASKED, evidence, looks, node, NOBODY, NODE, PONG, processLook } from "./seen.ts";

const about = { node: NODE, pid: 12 };
const silence = { measured: "connections", forS: 9, graceMs: 5_000 } as const;
const undecided: Verdict = { status: "unknown", reason: "undecided", gap: { kind: "no-time" } };

describe("exitCode", () => {
  test.each<[Verdict, 0 | 1]>([
    [{ status: "healthy", reason: "alive", pongs: [] }, 0],
    [{ status: "healthy", reason: "busy", ...about, ...silence }, 0],
    // As --strict makes it.
    [{ status: "unhealthy", reason: "busy", ...about, ...silence }, 1],
    [{ status: "unhealthy", reason: "dead", ...about, how: "none", instead: null }, 1],
    [undecided, 1],
  ])("of %j is %d, whatever is running", (verdict, code) => {
    expect(exitCode(verdict, evidence(), "unhealthy")).toBe(code);
    if (verdict.status !== "unknown") expect(exitCode(verdict, evidence(), "healthy")).toBe(code);
  });
});

describe("an unknown is forgiven, if the user wants it so,", () => {
  const lost = { kind: "unreachable", cause: "connection-refused", detail: "" } as const;

  test.each<[string, Evidence, boolean]>([
    ["when its process runs", evidence(), true],
    [
      "when its process runs and the broker is lost",
      evidence({}, { asking: { kind: "broker-failed", failure: lost, pings: 0 } }),
      true,
    ],
    ["never when its process is gone", evidence({ looks: looks(null, null) }), false],
    [
      "never when its process is stopped",
      evidence({ looks: looks(null, processLook({ state: "stopped" })) }),
      false,
    ],
    [
      "never when its process is a zombie",
      evidence({ looks: looks(null, processLook({ state: "zombie" })) }),
      false,
    ],
    ["never when no process is in sight", evidence({ process: NOBODY }), false],
    ["never when nobody has looked", evidence({ process: { kind: "unexamined" }, looks: [] }), false],
    [
      "never when it is out of sight",
      evidence({ process: { kind: "out-of-sight", because: "beside" } }),
      false,
    ],
    ["never when everybody was asked", evidence({}, { nodes: [] }), false],
    [
      "when one of two runs and the other has answered",
      evidence(
        {},
        {
          asking: { ...ASKED, pongs: [{ ...PONG, node: "b@x" }] },
          nodes: [node(), node({ node: "b@x", process: NOBODY, looks: [] })],
        },
      ),
      true,
    ],
    [
      "never when one of two runs and the other has not answered",
      evidence({}, { nodes: [node(), node({ node: "b@x", process: NOBODY, looks: [] })] }),
      false,
    ],
  ])("%s", (_, seen, forgiven) => {
    expect(isForgiven(undecided, seen, "healthy")).toBe(forgiven);
    expect(exitCode(undecided, seen, "healthy")).toBe(forgiven ? 0 : 1);
    expect(isForgiven(undecided, seen, "unhealthy")).toBe(false);
  });
});
