import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { opusPackets, encodeTone, opusFile } from "../helpers/audio-fixtures.js";
import { sentRequests } from "../helpers/exchanges.js";
import { spokenWav } from "../helpers/sound.js";
import { TestParley } from "../helpers/parley.js";
import { sharedBrowser } from "./pages.js";
import { answered, eventually, parts, turnAt } from "./parts.js";

interface SoundFile {
  name: string;
  mimeType: string;
  bytes: Uint8Array;
}
const tone = { sampleRate: 48_000, channels: 1, durationMs: 1_000, frequencyHz: 440 } as const;
const files: Record<string, () => Promise<SoundFile>> = {
  WAV: () => Promise.resolve({ name: "a.wav", mimeType: "audio/wav", bytes: spokenWav() }),
  MP3: async () => ({ name: "a.mp3", mimeType: "audio/mpeg", bytes: await encodeTone("mp3", tone) }),
  FLAC: async () => ({ name: "a.flac", mimeType: "audio/flac", bytes: await encodeTone("flac", tone) }),
  "WebM with Opus": async () => ({
    name: "a.webm",
    mimeType: "video/webm",
    bytes: await opusFile("webm", opusPackets(tone)),
  }),
};
const { openPage } = sharedBrowser();
const sample = async (kind: string) => {
  const file = await files[kind]?.();
  if (file === undefined) throw new Error(`There is no sample of ${kind}.`);
  return file;
};

async function attach(page: Page, { name, mimeType, bytes }: SoundFile): Promise<void> {
  const choosing = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Attach a sound file" }).click();
  await (await choosing).setFiles({ name, mimeType, buffer: Buffer.from(bytes) });
}

/** As if the file were dragged from another window. */
async function drop(page: Page, { name, mimeType, bytes }: SoundFile): Promise<void> {
  const base64 = Buffer.from(bytes).toString("base64");
  const isTaken = (type: "dragover" | "drop") =>
    page.evaluate<boolean>(`{
      const bytes = Uint8Array.from(atob("${base64}"), (letter) => letter.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], "${name}", { type: "${mimeType}" }));
      const event = new DragEvent("${type}", { dataTransfer, bubbles: true, cancelable: true });
      !document.body.dispatchEvent(event);
    }`);
  // Until the page listens, a browser would open the file instead.
  await eventually(
    () => isTaken("dragover"),
    (taken) => taken,
  );
  expect(await isTaken("drop")).toBe(true);
}

const question = (page: Page) => turnAt(page, 1).getByRole("group", { name: "Your voice" });

describe("A sound file", () => {
  it.each(Object.keys(files))("is attached and sent: %s", async (kind) => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    // Before it knows what the server takes, the page makes a WAV of everything.
    await page.getByText("The stand-in answers").waitFor();
    const file = await sample(kind);
    await attach(page, file);
    await page.getByText(file.name).waitFor();
    await parts.send(page).click();
    await answered(page, 1);
    expect(Number(await question(page).getByRole("slider").getAttribute("max"))).toBeCloseTo(1, 0);
    // A flat line has bars of one height; a tone that begins and ends does not.
    await eventually(
      () => question(page).locator(".waveform path").first().getAttribute("d"),
      (path) => path?.includes("v26.00") === true,
    );
    const [sent] = sentRequests(parley.standIn);
    expect(JSON.stringify(sent?.messages)).toContain(kind === "MP3" ? '"mp3"' : '"wav"');
  });

  it("is dropped, with words that go with it; and can be downloaded as it was sent", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await page.getByText("The stand-in answers").waitFor();
    const file = await sample("WAV");
    await drop(page, file);
    await page.getByText(file.name).waitFor();
    await page.getByRole("textbox", { name: "Words that go with the sound" }).fill("What is this?");
    await parts.send(page).click();
    await page.getByRole("group", { name: "You", exact: true }).getByText("What is this?").waitFor();
    await answered(page, 1);
    const coming = page.waitForEvent("download");
    await question(page).getByRole("link", { name: "Download" }).click();
    const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    expect(sha256(await readFile(await (await coming).path()))).toBe(sha256(file.bytes));
  });

  it("that holds no sound is not taken, and the page says so at once", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await drop(page, { name: "a.pdf", mimeType: "application/pdf", bytes: Buffer.from("%PDF-1.7") });
    await parts.alert(page).getByText("That file holds no sound that this browser can play.").waitFor();
    expect(await page.getByRole("button", { name: "Remove a.pdf" }).count()).toBe(0);
    await parts.message(page).waitFor();
    expect(parley.standIn.requests).toHaveLength(0);
  });

  it("that says it is a WAV and is none is refused by the server, and the page says so", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await page.getByText("The stand-in answers").waitFor();
    await attach(page, { name: "a.wav", mimeType: "audio/wav", bytes: Buffer.from("no sound at all") });
    await parts.send(page).click();
    await parts.alert(page).getByText("Not sent.").waitFor();
    expect(await page.getByRole("button", { name: "Send again" }).count()).toBe(0);
    await page.getByRole("button", { name: "Discard" }).click();
    await parts.alert(page).waitFor({ state: "detached" });
  });

  it("that is too long is not sent, and the page says how long it may be", async () => {
    const parley = await TestParley.start("sqlite", { env: { MAX_AUDIO_BYTES: "100000" } });
    const page = await openPage(parley.url);
    await page.getByText("The stand-in answers").waitFor();
    await attach(page, { ...(await sample("WAV")), bytes: spokenWav(5_000) });
    await parts.send(page).click();
    await parts.alert(page).getByText("That sound is 0:05 long; at most 0:02 can be sent.").waitFor();
    expect(parley.standIn.requests).toHaveLength(0);
  });
});
