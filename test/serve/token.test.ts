import { describe, expect, test } from "vitest";
import type { FileLook } from "../../src/machine/parts.ts";
import { failure, success } from "../../src/outcome.ts";
import { tokenOf } from "../../src/serve/token.ts";

const look = (mode: number): FileLook => ({
  kind: "file",
  uid: 0,
  gid: 0,
  mode,
  bytes: 20,
  modifiedS: 0,
  isReadOnly: false,
});
const TEXT = "0123456789abcdef";

describe("a token file", () => {
  test.each([0o400, 0o600, 0o440, 0o640])("of mode %o is taken, without its line end", (mode) => {
    expect(tokenOf(look(mode), success(`${TEXT}\n`))).toEqual({ ok: true, value: TEXT });
  });

  test.each([0o644, 0o444, 0o604])("of mode %o is refused: others can read it", (mode) => {
    const shown = `0${mode.toString(8)}`;
    expect(tokenOf(look(mode), success(TEXT))).toEqual({
      ok: false,
      problem: `can be read by every user (mode ${shown}): set 0440 or less, in Kubernetes by defaultMode: 0440`,
    });
  });

  test.each([
    ["short", "holds a token of 5 characters, which can be guessed"],
    [TEXT.slice(1), "holds a token of 15 characters, which can be guessed"],
    ["", "is empty"],
    ["\n", "is empty"],
    ["two words of a text", "holds no token, but spaces, lines or letters beyond ASCII"],
  ])("that holds %j is told from others, and how to make one is said", (text, fact) => {
    expect(tokenOf(look(0o600), success(text))).toEqual({
      ok: false,
      problem: `${fact}: expected one line of 16 characters or more, without spaces; openssl rand -hex 24 makes one`,
    });
  });

  test.each(["", "\n", "short", "two words of a text", "zeile\nzweite zeile hier", "größe-größe-größe"])(
    "that holds %j is refused, and not quoted",
    (text) => {
      const refused = tokenOf(look(0o600), success(text));
      expect(refused).toMatchObject({
        ok: false,
        problem: expect.stringMatching(/: expected one line of 16 characters or more, /) as string,
      });
      if (text.trim() !== "") expect(JSON.stringify(refused)).not.toContain(text.trim());
    },
  );

  test("that is not there is refused with the reason", () => {
    expect(tokenOf(null, failure({ kind: "gone", detail: "ENOENT" }))).toEqual({
      ok: false,
      problem: "cannot be read (ENOENT): expected a file with a token",
    });
  });
});
