import { finding } from "../levels.ts";
import type { Topic } from "../scene.ts";

/** Answers that were over a bound, once all has been asked. */
export const answers: Topic = (scene) =>
  Promise.resolve(
    scene
      .overBound()
      .filter(({ node }) => node === null || scene.isMeant(node))
      .map((one) => finding("large-answer", one.node, one)),
  );
