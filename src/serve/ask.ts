import { failure, type Outcome, success } from "../outcome.ts";
import type { AskPlace, ListenPlace } from "../machine/parts.ts";
import { placeWords } from "../render/serve-words.ts";

/** A container's probe has ten seconds or more, and `serve` answers from memory. In milliseconds. */
const LONGEST_MS = 5_000;

/** The answer of a running `serve`. */
export interface Said {
  readonly line: string;
  /** Whether the status is 200. Probes look only at this. */
  readonly isOk: boolean;
}

/** Asks the `serve` that listens there, as kubelet would. Returns its answer, or why none came. */
export async function ask(
  place: ListenPlace,
  path: string,
  isTls: boolean,
  askPlace: AskPlace,
): Promise<Outcome<Said, string>> {
  const where = placeWords(place);
  if (place.kind === "tcp" && place.port === 0) {
    return failure(`--ask needs to know the port: expected --listen HOST:PORT, not '${where}'`);
  }
  const answer = await askPlace(place, path, isTls, LONGEST_MS);
  if (!answer.ok) {
    return failure(
      `no serve answers at ${where} (${answer.problem}): expected the --listen of the serve that is asked, ` +
        "and its --http-cert where it speaks HTTPS",
    );
  }
  const { status, body } = answer.value;
  const [first = ""] = body.split("\n", 1);
  return success({ line: first === "" ? `status ${status}` : first, isOk: status === 200 });
}
