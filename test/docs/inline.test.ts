import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ChildProgram, temporaryFolder } from "../helpers/parley-process.js";
import { inlineCommands } from "./inline.js";
import type { InlineCommand } from "./inline.js";
import { pages, readPage, root } from "./pages.js";

const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
  scripts: Record<string, string>;
};

/** Scripts that tell with `--help` what they take. */
const helpful = ["parley", "stand-in", "drill", "fuzz", "bench", "bench:live"];
/** Scripts whose words are the reader's own, or files. */
const withFreeWords = ["migration", "jest"];

/** What of the command is not in what its program tells of itself. */
function wanting({ words, options, script }: InlineCommand, told: string): string[] {
  if (script === "bench:live" && words.some((word) => !told.includes(`[${word}]`))) return words;
  // A command of several is told of in a line of its own.
  const start = `  ${words.join(" ")}`;
  const line =
    script === "parley" ? told.split("\n").find((each) => `${each} `.startsWith(`${start} `)) : undefined;
  if (script === "parley" && words.length > 0 && line === undefined) return words;
  const known = new Set((words.length > 0 ? (line ?? told) : told).match(/--[a-z][\w-]*/g));
  return options.filter((option) => option !== "--help" && !known.has(option));
}

function programOf(script: string): string {
  return /\S+\.[jt]s$/.exec(scripts[script] ?? "")?.[0] ?? "";
}

function wrongOnes(script: string, told: string): string[] {
  return inlineCommands
    .filter((command) => command.script === script)
    .flatMap((command) =>
      wanting(command, told).map((part) => `${command.page}: \`${command.text}\`: ${part}`),
    );
}

describe("the commands within the sentences and tables of the documentation", () => {
  it.each(helpful)("are commands and options that its --help tells of: npm run %s", async (script) => {
    const program = new ChildProgram(programOf(script), await temporaryFolder(), {}, ["--help"]);
    const { code, stdout } = await program.ended;
    expect(code).toBe(0);
    expect(inlineCommands.map((command) => command.script)).toContain(script);
    expect(wrongOnes(script, stdout)).toEqual([]);
  });

  it("have options that the script reads, where it has no --help", () => {
    const others = inlineCommands.filter(({ script }) => !helpful.includes(script));
    const withOptions = [
      ...new Set(others.filter(({ options }) => options.length > 0).map(({ script }) => script)),
    ];
    expect(withOptions).not.toEqual([]);
    for (const script of withOptions)
      expect(wrongOnes(script, readFileSync(join(root, programOf(script)), "utf8"))).toEqual([]);
    expect(others.filter(({ words, script }) => words.length > 0 && !withFreeWords.includes(script))).toEqual(
      [],
    );
  });

  it("pass options to the script, not to npm", () => {
    const toNpm = inlineCommands.filter(({ text }) => /^npm run (?:--silent )?\S+ --\w/.test(text));
    expect(toNpm).toEqual([]);
  });

  it("name files and tests that there are", () => {
    const run = pages.flatMap((page) => [...readPage(page).matchAll(/`npx tsx (\S+)`/g)]);
    const files = run.map(([, path = ""]) => path);
    expect(files).not.toEqual([]);
    expect(files.filter((path) => !existsSync(root + path))).toEqual([]);
    const patterns = inlineCommands.filter(({ script }) => script === "jest").flatMap(({ words }) => words);
    const tests = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" });
    const all = tests.map((path) => join("test", path).replaceAll("\\", "/"));
    expect(patterns).not.toEqual([]);
    expect(patterns.filter((pattern) => !all.some((path) => path.startsWith(pattern)))).toEqual([]);
  });
});
