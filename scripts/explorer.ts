/** Bundles GraphiQL into a folder that can be served as it is, with nothing loaded from elsewhere. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { build, type BuildOptions, type Metafile } from "esbuild";

import { fingerprint, isCurrent, writeStamp } from "./stamp.js";

const inputs = [
  "package-lock.json",
  "scripts/explorer.ts",
  "src/http/first-conversation.ts",
  "web/explorer",
  "web/tsconfig.json",
];

const workers = {
  editor: "monaco-editor/esm/vs/editor/editor.worker.js",
  graphql: "monaco-graphql/esm/graphql.worker.js",
  json: "monaco-editor/esm/vs/language/json/json.worker.js",
};

/** Does nothing where `outDir` holds the bundle of the same inputs; calls `onStart` where it does something. */
export async function buildExplorer(outDir: string, onStart: () => void): Promise<void> {
  const stamp = fingerprint(inputs);
  const stampFile = join(outDir, "stamp");
  if (isCurrent(stampFile, stamp)) return;
  onStart();
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(outDir, { recursive: true });
  await bundle(outDir);
  writeStamp(stampFile, stamp);
}

async function bundle(outDir: string): Promise<void> {
  const assetsDir = join(outDir, "assets");
  const workerFiles = await bundleWorkers(assetsDir);
  const { metafile } = await build({
    ...common(assetsDir),
    entryPoints: { explorer: "web/explorer/main.tsx" },
    define: { workerUrls: JSON.stringify(workerFiles), "process.env.NODE_ENV": '"production"' },
    loader: { ".ttf": "dataurl" },
    tsconfig: "web/tsconfig.json",
  });
  const page = readFileSync("web/explorer/index.html", "utf8")
    .replace("{{script}}", assetUrl(outputNamed(metafile, /\.js$/)))
    .replace("{{style}}", assetUrl(outputNamed(metafile, /\.css$/)));
  writeFileSync(join(outDir, "index.html"), page);
}

// Before the page's own script, which holds their names, and those hold the hash of their content.
async function bundleWorkers(assetsDir: string): Promise<Record<string, string>> {
  const { metafile } = await build({ ...common(assetsDir), format: "iife", entryPoints: workers });
  const names = Object.keys(workers);
  return Object.fromEntries(
    names.map((name) => [name, assetUrl(outputNamed(metafile, new RegExp(`/${name}-[^/]*\\.js$`)))]),
  );
}

function common(outdir: string): BuildOptions & { metafile: true } {
  return {
    bundle: true,
    minify: true,
    metafile: true,
    format: "esm",
    target: "es2022",
    logLevel: "silent",
    entryNames: "[name]-[hash]",
    outdir,
  };
}

function outputNamed(metafile: Metafile, name: RegExp): string {
  const file = Object.keys(metafile.outputs).find((path) => name.test(path));
  if (file === undefined) throw new Error(`The bundle has no file like ${String(name)}`);
  return file;
}

function assetUrl(file: string): string {
  return `/graphiql/assets/${basename(file)}`;
}
