import { readFile } from "node:fs/promises";
import { describe, expect, it } from "@jest/globals";
import type { Download, Page, Route } from "playwright-core";
import { TestParley } from "../helpers/parley.js";
import { unzipped } from "../helpers/zip.js";
import { focusIsAt } from "./focus.js";
import { sharedBrowser } from "./pages.js";
import { answered, ask, eventually, parts } from "./parts.js";
import { keyOf, revoke, signIn, signInParts, startWithKeys } from "./signing-in.js";
import type { Key } from "./signing-in.js";

const { openPage } = sharedBrowser();
const { again } = signInParts;
const openSettings = (page: Page) => page.getByRole("button", { name: "Settings" }).click();
const settings = (page: Page) => page.getByRole("dialog", { name: "Settings" });
const button = (page: Page) => settings(page).getByRole("button", { name: "Download everything" });
const cancel = (page: Page) => settings(page).getByRole("button", { name: "Cancel" });

/** A server that wants a key, the page of somebody who has said something there, and their settings. */
async function openAsAnn(): Promise<{ parley: TestParley; page: Page; first: Key }> {
  const parley = await startWithKeys();
  const page = await openPage(parley.url);
  const first = await keyOf(parley, "ann");
  await signIn(page, first);
  await ask(page, "Please count to 3.");
  await answered(page, 1);
  await openSettings(page);
  return { parley, page, first };
}

/** Holds the requests for the archive until they are let go. */
async function hold(page: Page): Promise<{ reached: Promise<void>; release: () => void }> {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let reach: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  await page.route("**/export", async (route) => {
    reach();
    await released;
    // Where it was cancelled meanwhile there is nothing to go on with.
    await route.continue().catch(() => undefined);
  });
  return { reached, release };
}

/** What was said in the conversations of a downloaded archive. */
async function wordsIn(download: Download): Promise<string> {
  const files = await unzipped(await readFile(await download.path()));
  expect(files.has("manifest.json")).toBe(true);
  return [...files]
    .filter(([path]) => path.endsWith("conversation.json"))
    .map(([, bytes]) => bytes.toString())
    .join("");
}

describe("Downloading everything", () => {
  it("is left to the browser where nobody signs in, which saves it as it comes", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await ask(page, "Please count to 3.");
    await answered(page, 1);
    await openSettings(page);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      settings(page).getByRole("link", { name: "Download everything" }).click(),
    ]);
    expect(download.url()).toBe(`${parley.url}/export`);
    expect(download.suggestedFilename()).toBe("parley-export.zip");
    expect(await wordsIn(download)).toContain("1, 2, 3.");
    await parts.conversations(page).getByRole("link", { name: "Please count to 3." }).waitFor();
  });

  it("is done as whoever has signed in, and holds nothing of others", async () => {
    const { parley, page } = await openAsAnn();
    const other = await openPage(parley.url);
    await signIn(other, await keyOf(parley, "bob"));
    await ask(other, "Please count to 5.");
    await answered(other, 1);
    const [download] = await Promise.all([page.waitForEvent("download"), button(page).click()]);
    expect(download.suggestedFilename()).toBe("parley-export.zip");
    const words = await wordsIn(download);
    expect(words).toContain("1, 2, 3.");
    expect(words).not.toContain("1, 2, 3, 4, 5.");
    await settings(page).getByRole("status").getByText("The browser saves it.").waitFor();
    await focusIsAt(page, "Download everything");
  });

  it("goes on while the settings are closed, and the page tells that it does", async () => {
    const { page } = await openAsAnn();
    const { reached, release } = await hold(page);
    await button(page).click();
    await reached;
    await settings(page).getByRole("progressbar", { name: "Download" }).waitFor();
    await page.keyboard.press("Escape");
    await parts.conversations(page).getByText("Downloading…").waitFor();
    const downloaded = page.waitForEvent("download");
    release();
    expect(await wordsIn(await downloaded)).toContain("1, 2, 3.");
    await parts.conversations(page).getByText("Signed in").waitFor();
  });

  it("is cancelled, saves nothing then, and can begin anew", async () => {
    const { page } = await openAsAnn();
    const { reached, release } = await hold(page);
    await button(page).click();
    await reached;
    await focusIsAt(page, "Cancel");
    let downloads = 0;
    page.on("download", () => (downloads += 1));
    await page.keyboard.press("Enter");
    await focusIsAt(page, "Download everything");
    release();
    await page.unroute("**/export");
    const downloaded = page.waitForEvent("download");
    await button(page).click();
    await downloaded;
    await settings(page).getByText("The browser saves it.").waitFor();
    expect(downloads).toBe(1);
  });

  it("ends with the session of whoever has begun it", async () => {
    const { page } = await openAsAnn();
    const { reached, release } = await hold(page);
    let downloads = 0;
    page.on("download", () => (downloads += 1));
    const ended = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/export"));
    await button(page).click();
    await reached;
    await settings(page).getByRole("button", { name: "Sign out" }).click();
    await ended;
    release();
    await signInParts.field(page).waitFor();
    expect(downloads).toBe(0);
  });

  const refusal = (status: number, extensions: object) => (route: Route) =>
    route.fulfill({
      status,
      contentType: "application/json",
      body: JSON.stringify({ errors: [{ message: "Not just now.", extensions }] }),
    });
  const busy = { code: "RATE_LIMITED", retryable: true };

  it.each<[string, (route: Route) => Promise<void>, string, RegExp]>([
    ["another one is being made", refusal(429, busy), "Not just now.", /^Try again$/],
    [
      "much was asked for",
      refusal(429, { ...busy, retryAfterMs: 10_000 }),
      "Not just now. Try again in 10 seconds.",
      /^Try again in \d+ s$/,
    ],
    [
      "the server shuts down",
      refusal(503, { code: "SERVER_SHUTTING_DOWN", retryable: true }),
      "Not just now.",
      /^Try again$/,
    ],
    ["the connection breaks", (route) => route.abort(), "The connection broke", /^Try again$/],
    [
      "a proxy answers",
      (route) => route.fulfill({ status: 502, body: "<html>" }),
      "The server answered 502.",
      /^Try again$/,
    ],
    [
      "the key may not read",
      refusal(403, { code: "FORBIDDEN", retryable: false }),
      "Not just now.",
      /^Download everything$/,
    ],
  ])("says why there is none, and what to do: %s", async (_, answer, sentence, name) => {
    const { page } = await openAsAnn();
    await page.route("**/export", answer);
    await button(page).click();
    await parts.alert(page).getByText(`Nothing was saved. ${sentence}`).waitFor();
    await settings(page).getByRole("button", { name }).waitFor();
    await focusIsAt(page, name);
    await page.keyboard.press("Escape");
    await parts.conversations(page).getByText("The download failed.").waitFor();
    await openSettings(page);
    await page.unroute("**/export");
    const retry = settings(page).getByRole("button", { name: /^(Try again|Download everything)$/ });
    const [download] = await Promise.all([page.waitForEvent("download"), retry.click()]);
    expect(await wordsIn(download)).toContain("1, 2, 3.");
    expect(await parts.alert(page).count()).toBe(0);
  });

  it("asks for another key where the first is good no more, and goes on by itself", async () => {
    const { parley, page, first } = await openAsAnn();
    await revoke(parley, first);
    await button(page).click();
    await again(page).waitFor();
    const downloaded = page.waitForEvent("download");
    await signIn(page, await keyOf(parley, "ann"));
    expect(await wordsIn(await downloaded)).toContain("1, 2, 3.");
  });

  it("tells how much has come, though nobody knows how much will", async () => {
    const { page } = await openAsAnn();
    // The browser tells of what has come while the rest is still to be made.
    await page.evaluate(`XMLHttpRequest.prototype.send = function () {
      Object.defineProperty(this, "status", { value: 200 });
      this.onprogress({ loaded: 3_400_000 });
    }`);
    await button(page).click();
    await eventually(
      () => settings(page).innerText(),
      (text) => text.includes("3.4 MB"),
    );
    await cancel(page).click();
    await button(page).waitFor();
  });
});
