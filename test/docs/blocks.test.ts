import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { blocks, nameOf, pages, placeOf, readPage, root } from "./pages.js";
import { notRun, rules } from "./rules.js";

const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: object };

describe("the code in the documentation", () => {
  it("is in a language that a test checks", () => {
    const withoutRule = blocks
      .filter(({ language }) => !Object.hasOwn(rules, language))
      .map(
        (block) => `${placeOf(block)}: name its language, one of test/docs/rules.ts, or write a test for it`,
      );
    expect(withoutRule).toEqual([]);
  });

  it("is run, but for blocks that install packages or need Azure, which are listed with a reason", () => {
    const commands = blocks.filter(({ language }) => language === "sh").map(nameOf);
    expect(Object.keys(notRun).filter((name) => !commands.includes(name))).toEqual([]);
    const others = Object.keys(notRun).filter((name) => !/^\S+: (npm ci|az) ?\b/.test(name));
    expect(others).toEqual([]);
  });

  it("names only scripts that package.json has", () => {
    const named = pages.flatMap((page) =>
      [...readPage(page).matchAll(/npm run (?:--silent )?([\w:-]*\w)/g)].map(([, name = ""]) => name),
    );
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});
