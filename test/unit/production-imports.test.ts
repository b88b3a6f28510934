import { readFileSync, readdirSync } from "node:fs";
import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import ts from "typescript";

const root = new URL("../../", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
  dependencies: Record<string, string>;
};

/** The sources that a production install runs: the stand-in and its command belong to the development install. */
function productionSources(): string[] {
  return readdirSync(fileURLToPath(new URL("src/", root)), { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts") && !/^(stand-in|cli)\//.test(path));
}

/** What a source loads when it runs: types are gone by then. */
function loads(path: string): string[] {
  const text = readFileSync(new URL(`src/${path}`, root), "utf8");
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
    },
  });
  return ts.preProcessFile(outputText, true, true).importedFiles.map(({ fileName }) => fileName);
}

function packageOf(specifier: string): string | null {
  if (/^(\.|node:|#)/.test(specifier) || builtinModules.includes(specifier)) return null;
  const [scope = "", name = ""] = specifier.split("/");
  return scope.startsWith("@") ? `${scope}/${name}` : scope;
}

describe("an install without development packages", () => {
  const loaded = productionSources().map((path) => ({ path, specifiers: loads(path) }));

  it("has every package that the server loads", () => {
    const missing = loaded.flatMap(({ path, specifiers }) =>
      specifiers
        .map(packageOf)
        .filter((name) => name !== null && !Object.hasOwn(manifest.dependencies, name))
        .map((name) => `${path} loads ${name ?? ""}`),
    );
    expect(missing).toEqual([]);
    // The search itself finds packages, in static and in dynamic imports.
    const found = new Set(loaded.flatMap(({ specifiers }) => specifiers.map(packageOf)));
    expect([...found]).toEqual(expect.arrayContaining(["fastify", "openai", "@azure/identity", "pg"]));
  });

  it("loads the stand-in only where main.ts is told to, and not before", () => {
    const users = loaded.filter(({ specifiers }) => specifiers.some((name) => name.includes("stand-in/")));
    expect(users.map(({ path }) => path)).toEqual(["main.ts"]);
    const main = readFileSync(new URL("src/main.ts", root), "utf8");
    expect(main).toMatch(/await import\("\.\/stand-in\//);
    expect(main).not.toMatch(/^import (?!type).*stand-in/m);
  });
});
