import { existsSync } from "node:fs";
import type { Env } from "../../src/config/env.js";

const usualPlaces = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** The browser of this computer; throws with the way to get one where there is none. */
export function findChromium(env: Env = process.env, places: readonly string[] = usualPlaces): string {
  const chosen = env["CHROMIUM"];
  const found = chosen ?? places.find((place) => existsSync(place));
  if (found !== undefined && existsSync(found)) return found;
  throw new Error(
    [
      chosen === undefined
        ? "The browser tests need Chromium or Chrome, and none was found."
        : `CHROMIUM names ${chosen}, and there is no such file.`,
      "  Debian, Ubuntu:  sudo apt-get install chromium",
      "  Fedora:          sudo dnf install chromium",
      "  macOS:           brew install --cask chromium",
      "  elsewhere:       install Chrome, or set CHROMIUM to the path of a Chromium",
    ].join("\n"),
  );
}

/** Nothing that reaches out of this computer. */
export const quietFlags = [
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--disable-gpu",
  // As root, in a container of CI, Chromium's own sandbox can't be set up.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];
