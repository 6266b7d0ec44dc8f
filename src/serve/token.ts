import type { FileLook, Unread } from "../machine/parts.ts";
import { failure, type Outcome, success } from "../outcome.ts";

/** Shorter tokens can be guessed. */
const SHORTEST = 16;

/** In bytes. A longer text is not a token. */
export const LONGEST_TOKEN = 4_096;

const MAY_OTHERS_READ = 0o004;

/** The token in a file. Without one, a phrase that follows the quoted path in a sentence and says what to do. */
export function tokenOf(look: FileLook | null, content: Outcome<string, Unread>): Outcome<string, string> {
  if (!content.ok) return failure(`cannot be read (${content.problem.detail}): expected a file with a token`);
  const mode = look?.mode ?? 0;
  if ((mode & MAY_OTHERS_READ) !== 0) {
    const shown = mode.toString(8).padStart(4, "0");
    return failure(
      `can be read by every user (mode ${shown}): set 0440 or less, in Kubernetes by defaultMode: 0440`,
    );
  }
  const token = content.value.trim();
  const problem = problemOf(token);
  return problem === null
    ? success(token)
    : failure(
        `${problem}: expected one line of ${SHORTEST} characters or more, without spaces; openssl rand -hex 24 makes one`,
      );
}

function problemOf(token: string): string | null {
  if (token === "") return "is empty";
  if (!/^[!-~]+$/.test(token)) return "holds no token, but spaces, lines or letters beyond ASCII";
  if (token.length >= SHORTEST) return null;
  return `holds a token of ${token.length === 1 ? "1 character" : `${token.length} characters`}, which can be guessed`;
}

/**
 * Whether an `Authorization` header shows the token. It may be sent as Bearer, or as the password of any user, which
 * browsers ask for.
 */
export function isAllowed(authorization: string | undefined, token: string): boolean {
  const [, scheme = "", credentials = ""] = /^(\w+) +(\S+) *$/.exec(authorization ?? "") ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return isSame(credentials, token);
    case "basic": {
      const text = Buffer.from(credentials, "base64").toString("utf8");
      return isSame(text.slice(text.indexOf(":") + 1), token);
    }
    default:
      return false;
  }
}

/** Takes the same time wherever the first difference is. So its duration shows only the length of the token. */
function isSame(given: string, token: string): boolean {
  if (given.length !== token.length) return false;
  let difference = 0;
  for (let at = 0; at < token.length; at += 1) difference |= given.charCodeAt(at) ^ token.charCodeAt(at);
  return difference === 0;
}
