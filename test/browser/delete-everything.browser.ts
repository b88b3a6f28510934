import { describe, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { focusIsAt, tabTo } from "./focus.js";
import { openTab, sharedBrowser } from "./pages.js";
import { answered, ask, eventually, parts, turnAt } from "./parts.js";
import { kept, keyOf, signIn, signInParts, startWithKeys } from "./signing-in.js";
import {
  asked,
  confirmation,
  deleteButton,
  deleted,
  deleteEverything,
  holdAnswer,
  isDeletion,
  openQuestion,
  openSettings,
  running,
  settings,
} from "./settings-dialogs.js";

const { openPage, openWindow } = sharedBrowser();
const { again, field } = signInParts;

async function countOf(parley: TestParley): Promise<number> {
  return parley.server.context.database.client.conversation.count();
}

/** Waits until a window hears of changes: of one between its first look at the list and its subscription it would not. */
async function followsItsList(parley: TestParley, page: Page): Promise<void> {
  await parts.conversations(page).getByRole("listitem").first().waitFor();
  await eventually(
    async () => {
      await startedConversation(parley, { title: "Another" });
      return parts.conversations(page).getByRole("link", { name: "Another" }).count();
    },
    (count) => count > 0,
  );
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
    await followsItsList(parley, other);
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
