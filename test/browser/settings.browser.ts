import { describe, expect, it } from "@jest/globals";
import { TestParley } from "../helpers/parley.js";
import { focusIsAt } from "./focus.js";
import { desktop, phone, screenshot, sharedBrowser } from "./pages.js";
import type { OpenOptions } from "./pages.js";
import { answered, ask, parts, turnAt } from "./parts.js";
import {
  confirmation,
  deleteButton,
  deleted,
  deleteEverything,
  holdAnswer,
  openQuestion,
  openSettings,
  running,
  settings,
} from "./settings-dialogs.js";
import { keyOf, signIn, startWithKeys } from "./signing-in.js";
import { violations } from "./violations.js";

const { openPage } = sharedBrowser();

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
