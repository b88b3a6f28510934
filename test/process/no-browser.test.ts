import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { findChromium } from "../browser/chromium.js";
import { ChildProgram, temporaryFolder } from "../helpers/parley-process.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ways = [
  "  Debian, Ubuntu:  sudo apt-get install chromium",
  "  Fedora:          sudo dnf install chromium",
  "  macOS:           brew install --cask chromium",
  "  elsewhere:       install Chrome, or set CHROMIUM to the path of a Chromium",
].join("\n");

describe("The browser tests, where there is no browser", () => {
  it("say once how to get one, and run nothing", async () => {
    const missing = join(await temporaryFolder(), "chromium");
    const env = { NODE_OPTIONS: "--experimental-vm-modules --no-warnings", CHROMIUM: missing };
    const args = ["--config", "jest.browser.config.js"];
    const { code, stdout, stderr } = await new ChildProgram("node_modules/jest/bin/jest.js", root, env, args)
      .ended;
    expect({ code, stdout, stderr: stderr.trim() }).toEqual({
      code: 1,
      stdout: "",
      stderr: `CHROMIUM names ${missing}, and there is no such file.\n${ways}`,
    });
  });

  it("say so where CHROMIUM names none, and none is where browsers usually are", async () => {
    const places = [join(await temporaryFolder(), "chromium")];
    expect(() => findChromium({}, places)).toThrow(
      `The browser tests need Chromium or Chrome, and none was found.\n${ways}`,
    );
  });
});
