import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { isInstalled } from "../helpers/installed.js";
import { TestParley } from "../helpers/parley.js";
import { temporaryFolder } from "../helpers/parley-process.js";
import { spokenWav } from "../helpers/sound.js";
import { blocks, nameOf, root } from "./pages.js";
import { notRun } from "./rules.js";
import { setScene } from "./scene.js";
import { Shell } from "./shell.js";

const commands = blocks.filter(
  (block) => block.language === "sh" && block.page !== "examples/README.md" && !(nameOf(block) in notRun),
);
const pagesWithCommands = [...new Set(commands.map(({ page }) => page))];
const itWithCurl = isInstalled("curl") ? it : it.skip;

describe("the commands in the documentation", () => {
  itWithCurl.each(pagesWithCommands.filter((page) => page !== "README.md"))(
    "succeed when they are pasted into a shell in their order: %s",
    async (page) => {
      const parley = await TestParley.start("sqlite");
      const shell = await openShell(parley);
      writeFileSync(join(shell.folder, "question.wav"), spokenWav());
      for (const { text } of commands.filter((block) => block.page === page)) {
        const scene = await setScene(parley, text);
        expect(await shell.run(scene(text))).not.toContain('"errors"');
      }
    },
  );

  itWithCurl(
    "of the README hold a first conversation, which goes on after the server was started anew",
    async () => {
      const parley = await TestParley.start("sqlite");
      const port = new URL(parley.url).port;
      const shell = await openShell(parley);
      const [start, upload, follow, goOn, ...others] = commands
        .filter(({ page }) => page === "README.md")
        .map(({ text }) => text.replaceAll("127.0.0.1:4000", `127.0.0.1:${port}`));
      expect(others).toEqual([]);

      expect(await shell.run(start ?? "")).toContain('"status":"COMPLETED"');
      const wav = readFileSync(join(shell.folder, "answer.wav"));
      expect(wav.toString("latin1", 0, 4)).toBe("RIFF");
      expect([wav.readUInt16LE(22), wav.readUInt32LE(24)]).toEqual([1, 24_000]);
      expect(await shell.run(upload ?? "")).toMatch(/"status":"COMPLETED".*spoken message/);
      const events = [...(await shell.run(follow ?? "")).matchAll(/"__typename":"(\w+)"/g)].map(
        ([, name]) => name,
      );
      expect([events[0], events.at(-1)]).toEqual(["TurnStarted", "TurnEnded"]);
      expect(events).toEqual(expect.arrayContaining(["TranscriptDelta", "AudioDelta"]));

      await parley.restart({ PORT: port });
      const later = await shell.run(goOn ?? "");
      expect(later).toMatch(/"position":4,"assistantMessage":\{"text":"[^"]/);
      expect(later).toMatch(
        /"title":"Dogs".*Is a golden retriever.*Describe in detail.*every day.*summarize/,
      );
    },
  );
});

interface OpenShell {
  folder: string;
  run: Shell["run"];
}

const shells = new Set<Shell>();

/**
 * In a folder that has of Parley what one without development packages has, and nothing of the developer's own: `npm run
 * parley` takes what is built, with the server's settings.
 */
async function openShell({ databaseUrl, dataDir }: TestParley): Promise<OpenShell> {
  const folder = await temporaryFolder();
  for (const name of ["package.json", "scripts", "dist"]) symlinkSync(join(root, name), join(folder, name));
  const shell = new Shell(folder, {
    DATABASE_URL: databaseUrl,
    DATA_DIR: dataDir,
    npm_config_update_notifier: "false",
  });
  shells.add(shell);
  return { folder, run: (text) => shell.run(text) };
}

afterEach(async () => {
  for (const shell of shells) await shell.close();
  shells.clear();
});
