import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { blocks, root } from "./pages.js";

const examples = blocks.filter(({ language }) => language === "ts");

/** What the pages say that a reader has: the operation that stands above the example, an id and the like. */
const given = `
declare const followTurn: string;
declare const askByAudio: string;
declare const conversationId: string;
declare const turnId: string;
declare const lastCursor: string;
`;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe("the TypeScript in the documentation", () => {
  it("compiles with the project's settings, in a browser's surroundings", () => {
    const folder = below("node_modules/.cache/parley");
    const options = {
      rootDir: root,
      lib: ["es2023", "dom", "dom.iterable"],
      // The libraries' own types don't keep to it.
      exactOptionalPropertyTypes: false,
      noUnusedLocals: false,
      moduleDetection: "force",
    };
    const files = examples.map(({ page, line, text }) => {
      const name = `${page.replaceAll(/[/.]/g, "-")}-line-${line}.mts`;
      writeFileSync(join(folder, name), text);
      return name;
    });
    writeFileSync(join(folder, "given.d.ts"), given);
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: `${root}tsconfig.json`,
        compilerOptions: options,
        include: [],
        files: [`${root}examples/apollo-client/apollo-upload-client.d.ts`, "given.d.ts", ...files],
      }),
    );
    const compiler = spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-p", folder], {
      encoding: "utf8",
    });
    expect(files).not.toEqual([]);
    expect(compiler.stdout).toBe("");
    expect(compiler.status).toBe(0);
  });
});

/** Below the root, so that the packages are found. */
function below(path: string): string {
  mkdirSync(root + path, { recursive: true });
  const folder = mkdtempSync(`${root}${path}/docs-`);
  folders.push(folder);
  return folder;
}
