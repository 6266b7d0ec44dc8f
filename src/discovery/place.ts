import type { Survey } from "../worker/survey.ts";

/** Where the probe runs, and whether it sees workers' processes there, or should see them. */
export type Placement =
  | { readonly kind: "in-sight"; readonly name: "inside" | "beside"; readonly survey: Survey }
  /**
   * No setting shows that a worker should be here, and no command line shows one. It is remote, unless a worker is
   * found.
   */
  | { readonly kind: "unexpected"; readonly name: "remote"; readonly survey: Survey }
  | { readonly kind: "out-of-sight"; readonly name: "remote" | "beside" | "no-proc" };

/** The place of the probe according to the user. */
export type GivenPlacement = "auto" | "inside" | "beside" | "remote";

/**
 * `inside` means that a worker is in sight, or should be because its name has this machine's host name. The containers
 * of a pod share the host name but not processes. Only the user can tell us that.
 *
 * @param survey null: the probe must not look
 */
export function placeOf(
  given: GivenPlacement,
  survey: Survey | null,
  nodes: readonly string[],
  hostname: string,
): Placement {
  if (survey === null) return { kind: "out-of-sight", name: "remote" };
  const inSight: Placement = { kind: "in-sight", name: given === "beside" ? "beside" : "inside", survey };
  if (survey.workers.length > 0) return inSight;
  if (!survey.visible) return { kind: "out-of-sight", name: "no-proc" };
  if (given === "inside") return inSight;
  // Nothing shows that a zombie was a worker. It has no command line, and may be any Python process of our own
  // container.
  if (given === "beside") return { kind: "out-of-sight", name: "beside" };
  const belongsHere = nodes.some((node) => node.slice(node.indexOf("@") + 1) === hostname);
  return belongsHere ? inSight : { kind: "unexpected", name: "remote", survey };
}
