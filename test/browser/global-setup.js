import { tsImport } from "tsx/esm/api";

/** Without a browser every test would fail with the same words: they are said once, and nothing is run. */
export default async function globalSetup() {
  const { findChromium } = await tsImport("./chromium.ts", import.meta.url);
  try {
    findChromium();
  } catch (error) {
    process.stderr.write(`\n${error.message}\n\n`);
    process.exit(1);
  }
}
