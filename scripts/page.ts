/** Bundles the page at `/` into a folder that can be served as it is, each asset also compressed. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { build } from "vite";

import { fingerprint, isCurrent, writeStamp } from "./stamp.js";

const inputs = ["package-lock.json", "scripts/page.ts", "src/schema", "web/app", "web/tsconfig.json"];

/** Does nothing where `outDir` holds the bundle of the same inputs; calls `onStart` where it does something. */
export async function buildPage(outDir: string, onStart: () => void): Promise<void> {
  const stamp = fingerprint(inputs);
  const stampFile = join(outDir, "stamp");
  if (isCurrent(stampFile, stamp)) return;
  onStart();
  await build({
    configFile: "web/app/vite.config.ts",
    build: { outDir: join(process.cwd(), outDir) },
    logLevel: "warn",
  });
  compress(join(outDir, "assets"));
  writeStamp(stampFile, stamp);
}

// Once here rather than at each request.
function compress(assetsDir: string): void {
  for (const name of readdirSync(assetsDir)) {
    const bytes = readFileSync(join(assetsDir, name));
    const hint = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength };
    writeFileSync(join(assetsDir, `${name}.br`), brotliCompressSync(bytes, { params: hint }));
    writeFileSync(join(assetsDir, `${name}.gz`), gzipSync(bytes, { level: 9 }));
  }
}
