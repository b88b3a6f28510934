import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sharedParley } from "../helpers/parley.js";
import { sharedBrowser, phone } from "./pages.js";
import { answered, parts, recorded } from "./parts.js";
import { recordedVoice } from "./recorded-voice.js";

const folder = await mkdtemp(join(tmpdir(), "parley-voice-"));
const voiceFile = join(folder, "voice.wav");

describe("The microphone", () => {
  const parley = sharedParley("sqlite", { standIn: { speech: "flite" } });
  beforeAll(async () => writeFile(voiceFile, await recordedVoice(parley())));
  afterAll(() => rm(folder, { recursive: true }));
  const { openPage } = sharedBrowser([
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${voiceFile}`,
  ]);

  async function saidIn(page: Awaited<ReturnType<typeof openPage>>): Promise<number> {
    const turn = await answered(page, 1);
    const slider = turn.getByRole("group", { name: "Your voice" }).getByRole("slider");
    return Number(await slider.getAttribute("max"));
  }

  it("is held while one speaks; release sends what was said, and it is answered", async () => {
    const page = await openPage(parley().url);
    await parts.microphone(page).hover();
    const pressedAt = performance.now();
    await page.mouse.down();
    await recorded(page, 2);
    await page.getByText("Recording. Let go to send.").waitFor();
    await page.mouse.up();
    const heldSeconds = (performance.now() - pressedAt) / 1000;
    const seconds = await saidIn(page);
    expect(seconds).toBeGreaterThan(1.5);
    expect(seconds).toBeLessThan(heldSeconds + 1);
    await parts
      .answer(await answered(page, 1))
      .getByText("spoken message")
      .waitFor();
  });

  it("begins a conversation that is named by the first words of the answer", async () => {
    const page = await openPage(parley().url);
    await parts.microphone(page).hover();
    await page.mouse.down();
    await recorded(page, 1);
    await page.mouse.up();
    const turn = await answered(page, 1);
    const words = (await parts.answer(turn).locator(".words").innerText()).trim();
    const name = page.getByRole("heading", { level: 1 }).getByRole("button", { name: /^(?!Untitled)/ });
    const named = (await name.innerText()).replace(/…?\s*, rename$/, "");
    expect(named.length).toBeGreaterThan(5);
    expect(words.startsWith(named)).toBe(true);
  });

  it("works with a key alone, and with words that go with it", async () => {
    const page = await openPage(parley().url);
    await parts.message(page).fill("What do you hear?");
    await page.keyboard.press("Tab");
    await page.keyboard.down("Space");
    await recorded(page, 1);
    await page.keyboard.up("Space");
    expect(await saidIn(page)).toBeGreaterThan(0.5);
    await page.getByRole("group", { name: "You", exact: true }).getByText("What do you hear?").waitFor();
  });

  it("records after a short press until the next one, and forgets what is discarded", async () => {
    const page = await openPage(parley().url, { viewport: phone, hasTouch: true });
    await page.getByRole("link", { name: "New" }).tap();
    await parts.microphone(page).click();
    await recorded(page, 1);
    await page.getByText("Recording. Press again to send.").waitFor();
    await page.getByRole("button", { name: "Discard" }).click();
    await parts.microphone(page).click();
    await recorded(page, 1);
    await page.keyboard.press("Escape");
    expect(await parts.turns(page).count()).toBe(0);
    await parts.microphone(page).click();
    await recorded(page, 1);
    await parts.microphone(page).click();
    expect(await saidIn(page)).toBeGreaterThan(0.5);
  });
});

describe("Without a microphone", () => {
  const parley = sharedParley("sqlite");
  const { openPage } = sharedBrowser(["--deny-permission-prompts"]);

  it("says why, and how else one can speak", async () => {
    const page = await openPage(parley().url);
    await parts.microphone(page).click();
    await parts
      .alert(page)
      .getByText(/microphone/)
      .waitFor();
    await parts.alert(page).getByText("You can write instead, or drop a sound file here.").waitFor();
    await parts.message(page).fill("Hello");
    await parts.send(page).click();
    await answered(page, 1);
  });
});
