import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { ParleyProcess, azureSettings, temporaryFolder, testStandIn } from "../helpers/parley-process.js";
import { TestParley } from "../helpers/parley.js";
import { desktop, phone, screenshot, sharedBrowser } from "./pages.js";
import type { OpenOptions } from "./pages.js";
import { answered, ask, parts, reachedAgain, recorded, turnAt } from "./parts.js";
import { recordedVoice } from "./recorded-voice.js";

const folder = await mkdtemp(join(tmpdir(), "parley-voice-"));
const voiceFile = join(folder, "voice.wav");

/** How wide the page is, in CSS pixels: as wide as the window where nothing sticks out. */
const width = "document.documentElement.scrollWidth";

const looks: [string, OpenOptions][] = [
  ["desktop-light", { viewport: desktop, colorScheme: "light" }],
  ["desktop-dark", { viewport: desktop, colorScheme: "dark" }],
  ["phone-light", { viewport: phone, colorScheme: "light", hasTouch: true }],
  ["phone-dark", { viewport: phone, colorScheme: "dark", hasTouch: true }],
];

describe("A first conversation", () => {
  beforeAll(async () => {
    const parley = await TestParley.start("sqlite", { standIn: { speech: "flite" } });
    await writeFile(voiceFile, await recordedVoice(parley));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const { openPage } = sharedBrowser([
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${voiceFile}`,
  ]);

  /** Presses, speaks, releases. */
  async function say(page: Page, position: number): Promise<void> {
    await parts.microphone(page).hover();
    await page.mouse.down();
    await recorded(page, 1);
    await page.mouse.up();
    await answered(page, position);
  }

  it("says on an empty page who answers: the stand-in, or Azure", async () => {
    const standIn = await ParleyProcess.start(await temporaryFolder(), {});
    const page = await openPage(standIn.url);
    await page.getByText("Nothing is saved yet.").waitFor();
    await page.getByText("The stand-in answers: synthetic speech, no model.").waitFor();
    const azure = await ParleyProcess.start(await temporaryFolder(), azureSettings(await testStandIn()));
    await page.goto(azure.url);
    await page.getByText("Azure OpenAI answers.").waitFor();
    expect(await page.getByText("stand-in").count()).toBe(0);
  });

  it("is one touch away on a phone", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url, { viewport: phone, hasTouch: true });
    await page.getByRole("link", { name: "Say or ask something" }).tap();
    await ask(page, "Hello");
    await answered(page, 1);
  });

  it("is spoken, outlives its server, and goes on with the next one", async () => {
    const standIn = await testStandIn({ speech: "flite" });
    const data = await temporaryFolder();
    const first = await ParleyProcess.start(data, azureSettings(standIn));
    const page = await openPage(first.url);
    await say(page, 1);
    await say(page, 2);
    await ask(page, "Please count to 3.");
    await turnAt(page, 3).getByText("1, 2, 3.").waitFor();
    await answered(page, 3);

    await first.stop();
    await parts.unreachable(page).waitFor();
    await ask(page, "Please count to 4.");
    await parts.alert(page).getByText("Not sent.").waitFor();
    await ParleyProcess.start(data, {
      ...azureSettings(standIn),
      PORT: new URL(first.url).port,
    });
    await reachedAgain(page);
    await page.getByRole("button", { name: "Send again" }).click();
    await turnAt(page, 4).getByText("1, 2, 3, 4.").waitFor();
    await answered(page, 4);

    await page.reload();
    await say(page, 5);
    expect(await parts.turns(page).count()).toBe(5);
    await turnAt(page, 3).getByText("1, 2, 3.").waitFor();
  });

  it.each(looks)("can be looked at: %s", async (name, options) => {
    const parley = await TestParley.start("sqlite", { standIn: { speech: "flite" } });
    const page = await openPage(parley.url, options);
    await page.getByText("The stand-in answers").or(page.getByText("Azure OpenAI answers")).waitFor();
    await screenshot(page, `${name}-1-first-page`);
    if (options.viewport === phone) await page.getByRole("link", { name: "New" }).tap();
    await parts.microphone(page).click();
    await recorded(page, 1);
    await screenshot(page, `${name}-2-recording`);
    await parts.microphone(page).click();
    await answered(page, 1);
    await ask(page, "Is a golden retriever a good family dog?");
    await answered(page, 2);
    await ask(page, `<b>Wörter</b> 🐕 ${"Donaudampfschifffahrts".repeat(8)} مرحبا`);
    await answered(page, 3);
    await screenshot(page, `${name}-3-conversation`);
    parley.standIn.failNext({ name: "content-filter-answer" });
    await ask(page, "مرحبا، هل الكلاب لطيفة؟");
    await turnAt(page, 4).getByRole("note").waitFor();
    parley.standIn.failNext({ name: "rejected" });
    await ask(page, "Please count to 5.");
    await turnAt(page, 5).getByRole("note").waitFor();
    await screenshot(page, `${name}-4-failed-turn`);
    await page.getByRole("button", { name: "Voice and instructions" }).click();
    await page.getByRole("dialog").waitFor();
    await screenshot(page, `${name}-5-settings`);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /, rename/ }).click();
    const title = "A very long name of a conversation about golden retrievers, and dogs as such, in families";
    await page.getByRole("textbox", { name: "Name of the conversation" }).fill(title);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: title }).waitFor();
    expect(await page.evaluate(width)).toBe(options.viewport?.width);
    if (options.viewport === phone) await page.getByRole("button", { name: "All conversations" }).tap();
    await parts.conversations(page).getByText(title).waitFor();
    await screenshot(page, `${name}-6-list`);
    expect(await page.evaluate(width)).toBe(options.viewport?.width);
  });
});
