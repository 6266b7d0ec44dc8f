import { describe, expect, test } from "vitest";
import { hiding } from "../../src/broker/masking.ts";

describe("what a server says", () => {
  test.each([
    ["SEKRET", "SEKRET you are", "*** you are"],
    ["SEKRET", "SEKRET", "***"],
    ["SEKRET", "XSEKRETX you are", "X***X you are"],
    ["A", "WRONGPASS invalid A", "WRONGPASS invalid ***"],
    [
      "ABORT",
      "EXECABORT Transaction discarded because of: OOM x",
      "EXECABORT Transaction discarded because of: OOM x",
    ],
    ["ERR", "ERR wrong number", "ERR wrong number"],
    ["", "ERR wrong number", "ERR wrong number"],
    [undefined, "SEKRET you are", "SEKRET you are"],
    ["Sekret", "ERR unknown command 'Sekret', with args beginning with: 'x'", "ERR unknown command '***'"],
  ])("is shown without the password %j: %j", (secret, text, shown) => {
    expect(hiding(secret)(text)).toBe(shown);
  });
});
