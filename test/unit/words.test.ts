import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Words } from "../../src/services/turns/words.js";

describe("words that come in pieces", () => {
  it("are told in whole characters, without NULs, wherever they were cut", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.array(fc.nat({ max: 20 })), (text, cuts) => {
        const words = new Words();
        let told = "";
        let rest = text + ".";
        for (const cut of [...cuts, rest.length]) {
          const piece = words.add(rest.slice(0, cut));
          expect(piece.isWellFormed()).toBe(true);
          told += piece;
          rest = rest.slice(cut);
        }
        expect(told).toBe((text + ".").replaceAll("\0", "").toWellFormed());
        expect(words.text).toBe(told);
      }),
    );
  });
});
