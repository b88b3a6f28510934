/**
 * Builds before a command that runs what is built. A production install has the one and not the means of the other: it
 * runs what lies in dist/.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const canBuild = existsSync("node_modules/tsx") && existsSync("node_modules/typescript");
if (canBuild) {
  const { status } = spawnSync(process.execPath, ["--import", "tsx", "scripts/build.ts"], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
} else if (!existsSync("dist/main.js")) {
  process.stderr.write(
    "Nothing is built, and the packages that build are missing: run npm ci && npm run build.\n",
  );
  process.exitCode = 1;
}
