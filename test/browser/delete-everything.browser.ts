import { describe, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { TestParley } from "../helpers/parley.js";
import { focusIsAt, tabTo } from "./focus.js";
import { desktop, openTab, phone, screenshot, sharedBrowser } from "./pages.js";
import type { OpenOptions } from "./pages.js";
import { answered, ask, parts, turnAt } from "./parts.js";
import { kept, keyOf, signIn, signInParts, startWithKeys } from "./signing-in.js";
import { violations } from "./violations.js";

const { openPage, openWindow } = sharedBrowser();
const { again, field } = signInParts;
const openSettings = (page: Page) => page.getByRole("button", { name: "Settings" }).click();
const settings = (page: Page) => page.getByRole("dialog", { name: "Settings" });
const asked = (page: Page) => page.getByRole("dialog", { name: "Delete everything?" });
const confirmation = (page: Page) => page.getByRole("textbox", { name: /to confirm$/ });
const deleteButton = (page: Page) => asked(page).getByRole("button", { name: "Delete everything" });
const running = (page: Page) => page.getByRole("heading", { name: "Deleting everything…" });
const deleted = (page: Page) => page.getByRole("dialog", { name: "Everything is deleted" });
const isDeletion = (text: string | null) => text?.includes("DeleteEverything") === true;

async function openQuestion(page: Page): Promise<void> {
  await openSettings(page);
  await settings(page).getByRole("button", { name: "Delete everything…" }).click();
}

async function deleteEverything(page: Page): Promise<void> {
  await openQuestion(page);
  await confirmation(page).fill("delete");
  await deleteButton(page).click();
}

async function countOf(parley: TestParley): Promise<number> {
  return parley.server.context.database.client.conversation.count();
}

/** Lets the server do what it is asked for; its answer comes when it is let go, or never. */
async function holdAnswer(page: Page, then: "answer" | "break"): Promise<() => void> {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/graphql", async (route) => {
    if (!isDeletion(route.request().postData())) return route.continue();
    const response = await route.fetch();
    await released;
    await (then === "answer" ? route.fulfill({ response }) : route.abort());
  });
  return release;
}

describe("Deleting everything", () => {
  it("leaves an empty page and remembers nothing, once it was confirmed in writing", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await page.getByRole("radio", { name: "words only" }).check();
    await ask(page, "What I asked");
    await answered(page, 1);
    await parts.message(page).fill("What I write");
    await openQuestion(page);
    await asked(page).getByText("All of that of everybody who uses this server").waitFor();
    await confirmation(page).fill("remove");
    expect(await deleteButton(page).isDisabled()).toBe(true);
    await asked(page).getByRole("button", { name: "Keep" }).click();
    await asked(page).waitFor({ state: "detached" });
    expect(await countOf(parley)).toBe(1);
    await openQuestion(page);
    await confirmation(page).fill(" Delete ");
    await confirmation(page).press("Enter");
    await deleted(page).getByText("Gone are 1 conversation with 1 turn and 0 sounds.").waitFor();
    expect(await countOf(parley)).toBe(0);
    await deleted(page).getByRole("button", { name: "Close" }).click();
    await page.getByText("Nothing is saved yet.").waitFor();
    await page.getByRole("heading", { name: "New conversation" }).waitFor();
    expect(await page.content()).not.toContain("What I");
    expect(await kept(page)).toBe(JSON.stringify([{}, {}, "", `${parley.url}/#`, null]));
    expect(await page.getByRole("radio", { name: "words only" }).isChecked()).toBe(false);
    await ask(page, "Please count to 3.");
    await turnAt(page, 1).getByText("1, 2, 3.").waitFor();
  });

  it("is seen in other windows, and stops an answer that is being given", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    const pause = parley.standIn.pauseNext("before-answer");
    await ask(page, "Hello");
    await pause.reached;
    // Only then does the page's address name the conversation: the model may be asked before the page has its answer.
    await turnAt(page, 1).waitFor();
    const other = await openTab(await openWindow(), page.url());
    await turnAt(other, 1).waitFor();
    await deleteEverything(page);
    await deleted(page).waitFor();
    pause.release();
    await other.getByText("There is no such conversation any more.").waitFor();
    await other.getByText("Nothing is saved yet.").waitFor();
    expect(await countOf(parley)).toBe(0);
  });

  it("signs the person out, whose key is good no more, and says so", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url);
    const key = await keyOf(parley, "ann");
    await signIn(page, key);
    await ask(page, "What I asked");
    await answered(page, 1);
    const release = await holdAnswer(page, "answer");
    await deleteEverything(page);
    await running(page).waitFor();
    // Nobody is asked for a key while the one that there was goes with the rest.
    expect(await again(page).count()).toBe(0);
    release();
    await deleted(page).getByText("You are signed out.").waitFor();
    await deleted(page).getByRole("button", { name: "Close" }).click();
    await signIn(page, key);
    await parts.alert(page).getByText("The server does not take this token or key.").waitFor();
    expect(await kept(page)).not.toContain("parley.");
    expect(await page.content()).not.toContain("What I");
    await signIn(page, await keyOf(parley, "ann"));
    await page.getByText("Nothing is saved yet.").waitFor();
  });

  it("that did not reach the server can be tried again, or left", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await ask(page, "Hello");
    await answered(page, 1);
    await parts.message(page).fill("What I write");
    await page.route("**/graphql", (route) => route.abort());
    await deleteEverything(page);
    await parts.alert(page).getByText("The server could not be reached.").waitFor();
    await page.unroute("**/graphql");
    await page.getByRole("button", { name: "Back" }).click();
    await answered(page, 1);
    expect(await parts.message(page).inputValue()).toBe("What I write");
    await page.route("**/graphql", (route) => route.abort());
    await deleteEverything(page);
    await parts.alert(page).waitFor();
    await page.unroute("**/graphql");
    await page.getByRole("button", { name: "Try again" }).click();
    await deleted(page).waitFor();
    expect(await countOf(parley)).toBe(0);
  });

  it("is told as well as can be where its answer was lost, and the key with it", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url);
    await signIn(page, await keyOf(parley, "ann"));
    await ask(page, "Hello");
    await answered(page, 1);
    const release = await holdAnswer(page, "break");
    release();
    await deleteEverything(page);
    await parts.alert(page).getByText("it carries it out in any case").waitFor();
    await page.unroute("**/graphql");
    await page.getByRole("button", { name: "Try again" }).click();
    await parts.alert(page).getByText("What you signed in with is good no more.").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await field(page).waitFor();
    expect(await countOf(parley)).toBe(0);
  });

  it("is refused to a key that may only read, and nothing is gone", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url);
    await signIn(page, await keyOf(parley, "ann", { scopes: ["conversations:read"] }));
    await page.getByText("Signed in").waitFor();
    await deleteEverything(page);
    await parts.alert(page).getByText("Nothing was deleted.").waitFor();
    expect(await page.getByRole("button", { name: "Try again" }).count()).toBe(0);
    await page.getByRole("button", { name: "Back" }).click();
    await page.getByText("Signed in").waitFor();
  });

  it.each<[string, number, object, string]>([
    ["a proxy that waited too little", 504, {}, "The server answered 504. If the server has heard of this"],
    [
      "a server that was asked for too much",
      200,
      { errors: [{ message: "Too much.", extensions: { code: "RATE_LIMITED", retryable: true } }] },
      "Nothing was deleted. Too much.",
    ],
  ])("claims no more than is known, and can be tried again: %s", async (_, status, json, sentence) => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await page.getByText("Nothing is saved yet.").waitFor();
    await page.route("**/graphql", (route) =>
      isDeletion(route.request().postData()) ? route.fulfill({ status, json }) : route.continue(),
    );
    await deleteEverything(page);
    await parts.alert(page).getByText(sentence).waitFor();
    await page.unroute("**/graphql");
    await page.getByRole("button", { name: "Try again" }).click();
    await deleted(page).waitFor();
  });

  it("says so where the server has not finished yet", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await page.getByText("Nothing is saved yet.").waitFor();
    const receipt = { id: "del_1", completedAt: null, conversations: 7, turns: 9, clips: 2 };
    await page.route("**/graphql", (route) =>
      isDeletion(route.request().postData())
        ? route.fulfill({ json: { data: { deleteViewer: { receipt } } } })
        : route.continue(),
    );
    await deleteEverything(page);
    const dialog = page.getByRole("dialog", { name: "Everything is being deleted" });
    await dialog.getByText("Gone so far are 7 conversations with 9 turns and 2 sounds.").waitFor();
    await dialog.getByText("The server goes on with the rest by itself.").waitFor();
  });

  it("waits for a download that is under way", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url);
    await signIn(page, await keyOf(parley, "ann"));
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    await page.route("**/export", async (route) => {
      await released;
      await route.continue();
    });
    await openSettings(page);
    await settings(page).getByRole("button", { name: "Download everything" }).click();
    await settings(page).getByRole("button", { name: "Delete everything…" }).click();
    await confirmation(page).fill("delete");
    await asked(page).getByText("The download is still under way.").waitFor();
    expect(await deleteButton(page).isDisabled()).toBe(true);
    const downloaded = page.waitForEvent("download");
    release();
    await downloaded;
    await deleteButton(page).click();
    await deleted(page).waitFor();
  });

  it("is done with the keyboard alone", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await page.getByText("Nothing is saved yet.").waitFor();
    await tabTo(page, "Settings");
    await page.keyboard.press("Enter");
    await tabTo(page, "Delete everything…");
    await page.keyboard.press("Enter");
    await focusIsAt(page, "Delete everything?");
    await page.keyboard.press("Escape");
    await focusIsAt(page, "Settings");
    await page.keyboard.press("Enter");
    await tabTo(page, "Delete everything…");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.type("delete");
    const release = await holdAnswer(page, "break");
    await page.keyboard.press("Enter");
    await running(page).waitFor();
    release();
    await parts.alert(page).waitFor();
    await page.unroute("**/graphql");
    await tabTo(page, "Try again");
    await page.keyboard.press("Enter");
    await deleted(page).waitFor();
    await focusIsAt(page, "Close");
    await page.keyboard.press("Enter");
    await page.getByText("Nothing is saved yet.").waitFor();
    await tabTo(page, "Message");
  });
});

describe("The settings", () => {
  it.each<[string, OpenOptions]>([
    ["desktop-light", { viewport: desktop, colorScheme: "light" }],
    ["desktop-dark", { viewport: desktop, colorScheme: "dark" }],
    ["phone-light", { viewport: phone, colorScheme: "light" }],
    ["phone-dark", { viewport: phone, colorScheme: "dark" }],
  ])("have nothing that axe objects to, and fit: %s", async (name, options) => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url, options);
    await signIn(page, await keyOf(parley, "ann"));
    await page.getByText("Nothing is saved yet.").waitFor();
    const found: Record<string, string[]> = {};
    const look = async (what: string) => {
      found[what] = await violations(page);
      await screenshot(page, `own-data-${what}-${name}`);
    };
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    await page.route("**/export", async (route) => {
      await released;
      await route.abort();
    });
    await openSettings(page);
    await look("settings");
    await settings(page).getByRole("button", { name: "Download everything" }).click();
    await settings(page).getByRole("progressbar").waitFor();
    await look("downloading");
    release();
    await parts.alert(page).waitFor();
    await look("not-downloaded");
    await page.keyboard.press("Escape");
    await look("foot");
    const letGo = await holdAnswer(page, "break");
    await openQuestion(page);
    await look("question");
    await confirmation(page).fill("delete");
    await deleteButton(page).click();
    await running(page).waitFor();
    await look("deleting");
    letGo();
    await parts.alert(page).waitFor();
    await look("not-deleted");
    await page.unroute("**/graphql");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await signIn(page, await keyOf(parley, "ann"));
    await deleteEverything(page);
    await deleted(page).waitFor();
    await look("deleted");
    const isWide = await page.evaluate<boolean>(
      "document.documentElement.scrollWidth > document.documentElement.clientWidth",
    );
    expect({ ...found, isWide }).toEqual({
      ...Object.fromEntries(Object.keys(found).map((what) => [what, []])),
      isWide: false,
    });
  });

  it("have room for a finger, and are read from their beginning on a phone", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url, { viewport: phone, hasTouch: true });
    const small = async () => {
      const touched = page.locator("dialog :is(button, a, input)");
      const boxes = await Promise.all(
        (await touched.all()).map(async (part) => ({
          text: await part.innerText(),
          box: await part.boundingBox(),
        })),
      );
      expect(boxes.length).toBeGreaterThan(2);
      return boxes.filter(({ box }) => box === null || box.height < 44 || box.width < 44);
    };
    await page.getByRole("button", { name: "Settings" }).tap();
    expect(await small()).toEqual([]);
    await screenshot(page, "own-data-settings-without-sign-in");
    await settings(page).getByRole("button", { name: "Delete everything…" }).tap();
    expect(await small()).toEqual([]);
    await focusIsAt(page, "Delete everything?");
    await screenshot(page, "own-data-question-without-sign-in");
  });

  it("stay where somebody goes back to a conversation, of which a phone shows nothing else", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url, { viewport: phone });
    await page.getByRole("link", { name: "New" }).click();
    await ask(page, "Hello");
    await answered(page, 1);
    await page.goto(`${parley.url}/#`);
    await openSettings(page);
    await page.goBack();
    await turnAt(page, 1).waitFor();
    await settings(page).getByRole("button", { name: "Close" }).click();
    await parts.message(page).click();
  });
});
