import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { TestParley } from "../helpers/parley.js";
import { focusIsAt, tabTo } from "./focus.js";
import { desktop, phone, sharedBrowser } from "./pages.js";
import type { OpenOptions } from "./pages.js";
import { answered, ask, parts, recorded, turnAt } from "./parts.js";
import { recordedVoice } from "./recorded-voice.js";
import { violations } from "./violations.js";

const folder = await mkdtemp(join(tmpdir(), "parley-voice-"));
const voiceFile = join(folder, "voice.wav");
beforeAll(async () => {
  await writeFile(voiceFile, await recordedVoice(await TestParley.start("sqlite")));
});
afterAll(() => rm(folder, { recursive: true }));
/** What of the browser's own API the check of sizes uses inside the page. */
interface Drawn {
  innerText: string;
  getBoundingClientRect: () => { width: number; height: number };
}
const { openPage } = sharedBrowser([
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
  `--use-file-for-fake-audio-capture=${voiceFile}`,
]);

describe("The page has nothing that axe objects to", () => {
  it.each<[string, OpenOptions]>([
    ["on a desktop, light", { viewport: desktop, colorScheme: "light" }],
    ["on a desktop, dark", { viewport: desktop, colorScheme: "dark" }],
    ["on a phone, light", { viewport: phone, colorScheme: "light" }],
    ["on a phone, dark", { viewport: phone, colorScheme: "dark" }],
  ])("%s", async (_, options) => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url, options);
    await page.getByText("The stand-in answers").waitFor();
    const found = { first: await violations(page) };
    if (options.viewport === phone) await page.getByRole("link", { name: "New" }).click();
    await page.getByText("Voice and instructions").click();
    const beginning = await violations(page);
    await parts.microphone(page).click();
    await recorded(page, 1);
    const recording = await violations(page);
    await parts.microphone(page).click();
    await answered(page, 1);
    const pause = parley.standIn.pauseNext("before-answer");
    await ask(page, "Hello");
    await pause.reached;
    await page.getByText("Parley is thinking").waitFor();
    const running = await violations(page);
    pause.release();
    await answered(page, 2);
    parley.standIn.failNext({ name: "cut", at: "middle" });
    await ask(page, "Hello");
    await turnAt(page, 3).getByRole("note").waitFor();
    const failed = await violations(page);
    await page.getByRole("button", { name: "Voice and instructions" }).click();
    const settings = await violations(page);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Delete" }).click();
    const deleting = await violations(page);
    await page.getByRole("button", { name: "Keep" }).click();
    await page.getByRole("button", { name: /, rename$/ }).click();
    const renaming = await violations(page);
    await page.keyboard.press("Escape");
    await page.route("**/graphql", (route) => route.abort());
    await ask(page, "Hello");
    await parts.alert(page).waitFor();
    const unsent = await violations(page);
    const all = { ...found, beginning, recording, running, failed, settings, deleting, renaming, unsent };
    expect(all).toEqual(Object.fromEntries(Object.keys(all).map((name) => [name, []])));
  });

  it("nor to a finger: what is touched is 44 pixels high and wide", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url, { viewport: phone, hasTouch: true });
    const touched = page.locator("button:visible, a:visible, select:visible, label:visible, summary:visible");
    const small = async () => {
      // All at one moment: what is there may be replaced by the next.
      const boxes = await touched.evaluateAll((all: Drawn[]) =>
        all.map((part) => {
          const { width, height } = part.getBoundingClientRect();
          return { text: part.innerText, width, height };
        }),
      );
      expect(boxes.length).toBeGreaterThan(0);
      return boxes.filter(({ height, width }) => height < 44 || width < 44);
    };
    await page.getByText("The stand-in answers").waitFor();
    expect(await small()).toEqual([]);
    await page.getByRole("link", { name: "New" }).tap();
    expect(await small()).toEqual([]);
    await ask(page, "Hello");
    await answered(page, 1);
    await parts.voice(turnAt(page, 1)).waitFor();
    expect(await small()).toEqual([]);
  });
});

describe("With the keyboard alone", () => {
  it("somebody asks, listens, stops, renames and deletes, and always is somewhere", async () => {
    const parley = await TestParley.start("sqlite", { standIn: { speech: "flite" } });
    const page = await openPage(parley.url);
    await page.getByText("The stand-in answers").waitFor();
    await tabTo(page, "Message");
    const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
    expect(outline).toBe("solid");
    await page.keyboard.type("Please count to 40.");
    const pause = parley.standIn.pauseNext("after-first-audio");
    await page.keyboard.press("Enter");
    await pause.reached;
    await page.keyboard.type("Meanwhile");
    await parts.stop(page).waitFor();
    await focusIsAt(page, "Message");
    await tabTo(page, "Stop the answer");
    await page.keyboard.press("Enter");
    await parts.answer(turnAt(page, 1)).getByText("Stopped.").waitFor();
    await focusIsAt(page, /^Speak/);
    expect(await parts.message(page).inputValue()).toBe("Meanwhile");
    await page.keyboard.press("Tab");
    await focusIsAt(page, "Send");
    await page.keyboard.press("Enter");
    await answered(page, 2);
    await focusIsAt(page, "Message");

    await page.keyboard.press("Shift+Tab");
    await page.keyboard.down("Shift");
    await tabTo(page, "Voice and instructions");
    await page.keyboard.up("Shift");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await focusIsAt(page, "Voice and instructions");
    await page.keyboard.press("Shift+Tab");
    await focusIsAt(page, /, rename$/);
    await page.keyboard.press("Enter");
    await focusIsAt(page, "Name of the conversation");
    await page.keyboard.type(" or more");
    await page.keyboard.press("Enter");
    await focusIsAt(page, /or more ?, rename$/);
    await tabTo(page, "Delete");
    await page.keyboard.press("Enter");
    await focusIsAt(page, "Keep");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("Nothing is saved yet.").waitFor();
    await focusIsAt(page, "Conversation");
    await tabTo(page, "Message");
  });

  it("what begins anew is written at once, and the list is passed over", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await page.getByText("The stand-in answers").waitFor();
    await page.keyboard.press("Tab");
    await focusIsAt(page, "Skip to the message");
    await page.keyboard.press("Enter");
    await focusIsAt(page, "Message");
    await ask(page, "Hello");
    await answered(page, 1);
    const begin = page.getByRole("link", { name: "New" });
    await begin.press("Enter");
    await focusIsAt(page, "Message");
    // It is there already.
    await begin.press("Enter");
    await focusIsAt(page, "Message");
    await page.keyboard.type("Something new");
    expect(await parts.message(page).inputValue()).toBe("Something new");
  });

  it("a message is spoken by holding a key, and the same place stops the answer", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await ask(page, "Hello");
    await answered(page, 1);
    const pause = parley.standIn.pauseNext("before-answer");
    await tabTo(page, /^Speak/);
    await page.keyboard.down("Space");
    await recorded(page, 1);
    await page.keyboard.up("Space");
    await pause.reached;
    await focusIsAt(page, "Stop the answer");
    pause.release();
    await answered(page, 2);
    await focusIsAt(page, /^Speak/);
  });
});

describe("A screen reader", () => {
  it("is told that an answer is made, and then the whole of it, or why there is none", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    const told = page.getByRole("log").getByRole("status");
    await ask(page, "Hello");
    await told.getByText(/^Parley: Hello\. I am Parley's stand-in/).waitFor();
    const pause = parley.standIn.pauseNext("before-answer");
    await ask(page, "Please count to 3.");
    await told.getByText("Parley is answering.").waitFor();
    pause.release();
    await told.getByText("Parley: 1, 2, 3.").waitFor();
    parley.standIn.failNext({ name: "content-filter-prompt" });
    await ask(page, "Hello");
    await told.getByText(/^The turn failed\. /).waitFor();
  });
});

describe("Somebody who wants no motion", () => {
  it("sees none", async () => {
    const moving = async (reducedMotion: "reduce" | "no-preference") => {
      const parley = await TestParley.start("sqlite");
      const page = await openPage(parley.url, { reducedMotion });
      // Until the list was read, a word about it moves, too.
      await page.getByText("Nothing is saved yet.").waitFor();
      const pause = parley.standIn.pauseNext("before-answer");
      await ask(page, "Hello");
      await page.getByText("Parley is thinking").waitFor();
      const count = await page.evaluate("document.getAnimations().length");
      await pause.reached;
      pause.release();
      await answered(page, 1);
      return count;
    };
    expect(await moving("no-preference")).toBe(3);
    expect(await moving("reduce")).toBe(0);
  });
});
