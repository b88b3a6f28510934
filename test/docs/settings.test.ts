import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { parseConfig } from "../../src/config/parse-config.js";
import { settingNames } from "../../src/config/setting-names.js";
import { temporaryFolder } from "../helpers/parley-process.js";
import { blocks, placeOf, readPage } from "./pages.js";

const settings = blocks.filter(({ language }) => language === "dotenv");
const prices = blocks.filter(
  ({ language }, index) => language === "json" && blocks[index - 1]?.language !== "graphql",
);

/** The rows of a page's tables: names, default. */
function rowsOf(page: string): { names: string; byDefault: string }[] {
  return [...readPage(page).matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) +\| (.+?) +\|/gm)].map(
    ([, names = "", byDefault = ""]) => ({ names, byDefault }),
  );
}

const tabled = rowsOf("docs/settings.md")
  .flatMap(({ names }) => names.replaceAll("`", "").split(", "))
  .sort();

describe("the settings in the documentation", () => {
  it.each(settings.map((block) => [placeOf(block), block.text] as const))(
    "are taken by the server: %s",
    (_place, text) => {
      const env = parseEnv(text);
      expect(() => parseConfig(env)).not.toThrow();
      expect(Object.keys(env).filter((name) => !tabled.includes(name))).toEqual([]);
    },
  );

  it.each(prices.map((block) => [placeOf(block), block.text] as const))(
    "hold prices that can be read: %s",
    async (_place, text) => {
      const file = join(await temporaryFolder(), "prices.json");
      writeFileSync(file, text);
      expect(parseConfig({ PRICES_FILE: file }).prices.size).toBe(1);
    },
  );

  it("have the same defaults in the README", () => {
    const inReadme = rowsOf("README.md");
    expect(inReadme.length).toBeGreaterThan(5);
    expect(rowsOf("docs/settings.md")).toEqual(expect.arrayContaining(inReadme));
  });

  it("are those that the server knows", () => {
    expect(tabled).toEqual([...settingNames].sort());
  });

  it("are those of .env.example", () => {
    const named = [...readPage(".env.example").matchAll(/^#([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(tabled);
  });
});
