import { describe, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { askByText, startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { spokenWav } from "../helpers/sound.js";
import { heldAnswer } from "./held-answers.js";
import { sharedBrowser } from "./pages.js";
import { answered, ask, eventually, parts, recorded, turnAt } from "./parts.js";

/** What of the browser's own API the scripts below use inside the page. */
declare global {
  /** How often something began to sound. */
  var begun: number;
  /** Goes on with what is held; null while nothing is. */
  var goOn: (() => void) | null;
  var MediaRecorder: { prototype: { stop: () => void } };
  var OfflineAudioContext: { prototype: { decodeAudioData: (file: ArrayBuffer) => Promise<unknown> } };
}

function countSounds(): void {
  globalThis.begun = 0;
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    globalThis.begun += 1;
    return play.call(this);
  };
  const { start } = AudioBufferSourceNode.prototype;
  AudioBufferSourceNode.prototype.start = function (time) {
    globalThis.begun += 1;
    start.call(this, time);
  };
}

/** Holds the first decoding of a file. */
function holdDecoding(): void {
  globalThis.goOn = null;
  const { decodeAudioData } = OfflineAudioContext.prototype;
  OfflineAudioContext.prototype.decodeAudioData = async function (file) {
    if (globalThis.goOn === null) await new Promise<void>((resolve) => (globalThis.goOn = resolve));
    return decodeAudioData.call(this, file);
  };
}

/** Holds the end of a recording. */
function holdRecorder(): void {
  globalThis.goOn = null;
  const { stop } = MediaRecorder.prototype;
  MediaRecorder.prototype.stop = function () {
    globalThis.goOn = () => stop.call(this);
  };
}

/** Goes on with what is held, as soon as something is. */
async function goOn(page: Page): Promise<void> {
  await eventually(
    () => page.evaluate(() => globalThis.goOn !== null),
    (isHeld) => isHeld,
  );
  await page.evaluate(() => globalThis.goOn?.());
}

const begun = (page: Page) => page.evaluate(() => globalThis.begun);
const box = (page: Page) => page.getByRole("textbox", { name: /^(Message|Words that go with the sound)$/ });
const { openPage } = sharedBrowser(["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]);

/** Attaches sound of a type that the server does not take, so that the page makes a WAV of it first. */
async function attach(page: Page, bytes: Uint8Array): Promise<void> {
  const choosing = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Attach a sound file" }).click();
  const file = { name: "a.aiff", mimeType: "audio/aiff", buffer: Buffer.from(bytes) };
  await (await choosing).setFiles(file);
  await page.getByRole("button", { name: "Remove a.aiff" }).waitFor();
}

describe("Sound that takes a while to prepare", () => {
  it("is sent once, and what is written meanwhile stays", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url, { before: holdDecoding });
    await attach(page, spokenWav());
    await box(page).fill("What is this?");
    await box(page).press("Enter");
    await box(page).press("Enter");
    await box(page).fill("And this?");
    await box(page).press("Enter");
    await goOn(page);
    const turn = await answered(page, 1);
    await turn.getByText("What is this?", { exact: true }).waitFor();
    expect(await box(page).inputValue()).toBe("And this?");
    expect(parley.standIn.requests).toHaveLength(1);
  });

  it("and holds none, is put back with its words, in front of what was written since", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url, { before: holdDecoding });
    await attach(page, Buffer.from("no sound at all"));
    await box(page).fill("What is this?");
    await box(page).press("Enter");
    await box(page).fill("And this?");
    await goOn(page);
    await parts.alert(page).getByText("holds no sound").waitFor();
    expect(await box(page).inputValue()).toBe("What is this?\nAnd this?");
    await page.getByRole("button", { name: "Remove a.aiff" }).waitFor();
  });
});

describe("What was said into the microphone", () => {
  it("waits where another window has asked something before the recording was there", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url, { before: holdRecorder });
    await ask(page, "Hello");
    await answered(page, 1);
    await parts.microphone(page).hover();
    await page.mouse.down();
    await recorded(page, 1);
    await page.mouse.up();
    await page.getByRole("timer").waitFor({ state: "detached" });
    const pause = parley.standIn.pauseNext("before-answer");
    const asked = askByText(parley, page.url().split("#")[1] ?? "", "Please count to 3.");
    await parts.stop(page).waitFor();
    await goOn(page);
    await page.getByRole("button", { name: "Remove What you said" }).waitFor();
    await pause.reached;
    pause.release();
    await asked;
    await answered(page, 2);
    expect(await parts.alert(page).count()).toBe(0);
    await parts.send(page).click();
    await answered(page, 3);
  });
});

describe("An answer that was stopped", () => {
  it("stays at the place where it was heard last", async () => {
    const parley = await TestParley.start("sqlite", { standIn: { speech: "flite" } });
    const page = await openPage(parley.url);
    const pause = parley.standIn.pauseNext("after-first-audio");
    await ask(page, "Please count to 20.");
    const voice = parts.voice(turnAt(page, 1));
    const place = () => voice.getByRole("slider").inputValue().then(Number);
    await eventually(place, (seconds) => seconds > 0);
    await parts.stop(page).click();
    await turnAt(page, 1).getByText("Stopped.").waitFor();
    pause.release();
    expect(await place()).toBeGreaterThan(0);
  });

  it("does not begin to speak where the answer to the message comes only then", async () => {
    const parley = await TestParley.start("sqlite", { standIn: { speech: "flite" } });
    const page = await openPage(parley.url, { before: countSounds });
    await page.getByRole("radio", { name: "words only" }).check();
    await ask(page, "Hello");
    await answered(page, 1);
    await page.getByRole("radio").first().check();
    const message = await heldAnswer(page, "AddTextTurn");
    // Nor does the server hear of it in time.
    await page.route("**/graphql", (route) =>
      route.request().postData()?.includes("mutation CancelTurn(") === true
        ? route.abort()
        : route.fallback(),
    );
    const pause = parley.standIn.pauseNext("after-first-audio");
    await ask(page, "Please count to 20.");
    await pause.reached;
    await parts.stop(page).click();
    await message.release();
    pause.release();
    await turnAt(page, 2).getByText("19, 20.").waitFor();
    await answered(page, 2);
    await parts.voice(turnAt(page, 2)).getByRole("button", { name: "Play" }).waitFor();
    expect(await begun(page)).toBe(0);
  });
});

describe("A clip that is still fetched", () => {
  /** A conversation with two spoken answers, and the function that lets the first one's samples come. */
  async function openClips(): Promise<{ page: Page; release: () => Promise<void> }> {
    const parley = await TestParley.start("sqlite", { standIn: { speech: "flite" } });
    const id = await startedConversation(parley);
    await askByText(parley, id, "Please count to 10.", { reply: { format: "PCM16" } });
    await askByText(parley, id, "Please count to 20.", { reply: { format: "WAV" } });
    const page = await openPage(parley.url, { before: countSounds });
    let letCome: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (letCome = resolve));
    await page.route("**/audio/**", async (route) => {
      if (route.request().resourceType() !== "fetch") return route.continue();
      await released;
      await route.continue();
    });
    await page.goto(`${parley.url}/#${id}`);
    await answered(page, 2);
    const release = async () => {
      letCome();
      // Whatever came of it, nothing is fetched any more.
      await page.waitForLoadState("networkidle");
      await page.unrouteAll({ behavior: "wait" });
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    };
    return { page, release };
  }
  const button = (page: Page, position: number, name: string) =>
    parts.voice(turnAt(page, position)).getByRole("button", { name });

  it("is heard once, however often Play is pressed", async () => {
    const { page, release } = await openClips();
    await button(page, 1, "Play").click();
    await button(page, 1, "Play").click();
    await release();
    await button(page, 1, "Pause").waitFor();
    expect(await begun(page)).toBe(1);
  });

  it("stays silent where another one was begun meanwhile", async () => {
    const { page, release } = await openClips();
    await button(page, 1, "Play").click();
    await button(page, 2, "Play").click();
    await button(page, 2, "Pause").waitFor();
    await release();
    await button(page, 1, "Play").waitFor();
    expect(await begun(page)).toBe(1);
  });

  it("stays silent where its conversation was left meanwhile", async () => {
    const { page, release } = await openClips();
    await button(page, 1, "Play").click();
    await page.getByRole("link", { name: "New" }).click();
    await page.getByRole("heading", { name: "New conversation" }).waitFor();
    await release();
    expect(await begun(page)).toBe(0);
  });
});
