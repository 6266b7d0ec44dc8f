import { failure, type Outcome, success } from "../outcome.ts";
import type { AskPlace, ListenPlace } from "../machine/parts.ts";
import { placeWords } from "../render/serve-words.ts";

/** A probe of a container has ten seconds and more; `serve` answers from memory. In milliseconds. */
const LONGEST_MS = 5_000;

/** What a running `serve` says. */
export interface Said {
  readonly line: string;
  /** Whether the status is 200, which is what probes go by. */
  readonly isOk: boolean;
}

/** Asks the `serve` that listens there, as kubelet would; gives its words, or why it gave no answer. */
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
