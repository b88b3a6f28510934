import { describe, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { sentRequests } from "../helpers/exchanges.js";
import { startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { storeConversations, storeTurns } from "../helpers/stored-conversations.js";
import { openTab, phone, sharedBrowser } from "./pages.js";
import { answered, ask, eventually, parts, turnAt } from "./parts.js";

const { openPage, openWindow } = sharedBrowser();
const listed = (page: Page) => parts.conversations(page).getByRole("listitem");
const named = (page: Page, name: string) => parts.conversations(page).getByRole("link", { name });

/** Opens the page of a new server, which has conversations of these names, the first the newest. */
async function openWith(names: readonly string[], options = {}): Promise<{ parley: TestParley; page: Page }> {
  const parley = await TestParley.start("sqlite");
  const at = (index: number) => new Date(Date.UTC(2026, 0, 2) - index * 60_000);
  await storeConversations(
    parley,
    names.map((title, index) => ({ title, at: at(index) })),
  );
  return { parley, page: await openPage(parley.url, options) };
}

describe("The saved conversations", () => {
  it("are found by a part of their names", async () => {
    const { page } = await openWith(["Dogs", "Cats", "Hot dogs"]);
    await eventually(
      () => listed(page).count(),
      (count) => count === 3,
    );
    await page.getByRole("searchbox", { name: "Search by name" }).fill("DOG");
    await named(page, "Cats").waitFor({ state: "detached" });
    expect(await listed(page).count()).toBe(2);
    await page.getByRole("searchbox").fill("birds");
    await page.getByText("No conversation has a name like that.").waitFor();
  });

  it("are renamed with Enter, and not with Escape; the tab has their name", async () => {
    const { page } = await openWith(["Dogs"]);
    await named(page, "Dogs").click();
    const rename = async (name: string, key: string) => {
      await page.getByRole("button", { name: /, rename$/ }).click();
      await page.getByRole("textbox", { name: "Name of the conversation" }).fill(name);
      await page.keyboard.press(key);
    };
    await rename("Cats", "Escape");
    await page.getByRole("button", { name: /^Dogs ?, rename$/ }).waitFor();
    expect(await page.title()).toBe("Dogs – Parley");
    await rename("  Birds ", "Enter");
    await named(page, "Birds").waitFor();
    await eventually(
      () => page.title(),
      (title) => title === "Birds – Parley",
    );
    await page.reload();
    await named(page, "Birds").waitFor();
    expect(await named(page, "Cats").count()).toBe(0);
  });

  it("are put into the archive and taken out again", async () => {
    const { page } = await openWith(["Dogs", "Cats"]);
    await named(page, "Dogs").click();
    await page.getByRole("button", { name: "Archive", exact: true }).click();
    await named(page, "Dogs").waitFor({ state: "detached" });
    const which = page.getByRole("combobox", { name: "Which conversations" });
    await which.selectOption("Archived");
    await named(page, "Dogs").waitFor();
    await page.getByRole("button", { name: "Take out of the archive" }).click();
    await page.getByText("Nothing is archived.").waitFor();
    await which.selectOption("Saved");
    await named(page, "Dogs").waitFor();
  });

  it("are deleted once that was confirmed", async () => {
    const { page, parley } = await openWith(["Dogs", "Cats"]);
    await named(page, "Dogs").click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Delete this conversation?" });
    await dialog.getByRole("button", { name: "Keep" }).click();
    await dialog.waitFor({ state: "detached" });
    await named(page, "Dogs").waitFor();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await named(page, "Dogs").waitFor({ state: "detached" });
    await page.getByRole("heading", { name: "New conversation" }).waitFor();
    const { conversations } = await parley.ask<{ conversations: { totalCount: number } }>(
      "{ conversations { totalCount } }",
    );
    expect(conversations.totalCount).toBe(1);
    await page.goBack();
    await page.getByText("There is no such conversation any more.").waitFor();
  });

  it("are shown page by page", async () => {
    const { page } = await openWith(Array.from({ length: 70 }, (_, index) => `Number ${index}`));
    const more = page.getByRole("button", { name: "Show more of 70" });
    for (const count of [30, 60]) {
      await more.waitFor();
      expect(await listed(page).count()).toBe(count);
      await more.click();
      await named(page, `Number ${count}`).waitFor();
    }
    await more.waitFor({ state: "detached" });
    expect(await listed(page).count()).toBe(70);
  });

  it("show earlier turns on demand, and what is seen stays where it is", async () => {
    const { parley, page } = await openWith(["Long"]);
    const [id = ""] = await storeConversations(parley, [{ title: "Longer" }]);
    await storeTurns(parley, id, 45);
    await page.goto(`${parley.url}/#${id}`);
    await turnAt(page, 45).waitFor();
    expect(await parts.turns(page).count()).toBe(20);
    const first = turnAt(page, 26);
    await first.scrollIntoViewIfNeeded();
    const place = async () => Math.round((await first.boundingBox())?.y ?? 0);
    const before = await place();
    await page.getByRole("button", { name: "Show earlier turns" }).press("Enter");
    await turnAt(page, 6).waitFor({ state: "attached" });
    // The scroll is put right a frame after they are there.
    await eventually(place, (now) => Math.abs(now - before) < 80);
    await page.getByRole("button", { name: "Show earlier turns" }).press("Enter");
    await turnAt(page, 1).waitFor({ state: "attached" });
    expect(await parts.turns(page).count()).toBe(45);
  });

  it("change by themselves where another window has changed them", async () => {
    const { parley, page } = await openWith(["Dogs"]);
    await named(page, "Dogs").click();
    const other = await openTab(await openWindow(), page.url());
    await ask(other, "Hello");
    await answered(page, 1);
    await other.getByRole("button", { name: /, rename$/ }).click();
    await other.getByRole("textbox", { name: "Name of the conversation" }).fill("Wolves");
    await other.keyboard.press("Enter");
    await named(page, "Wolves").waitFor();
    await page.getByRole("button", { name: /^Wolves ?, rename$/ }).waitFor();
    await startedConversation(parley, { title: "Foxes" });
    await named(page, "Foxes").waitFor();
  });
});

describe("Voice, instructions and kind of reply", () => {
  it("hold from the first message on, and are changed from the next one on", async () => {
    const { parley, page } = await openWith([]);
    await page.getByText("Voice and instructions").click();
    await page.getByRole("combobox", { name: "Voice" }).selectOption("coral");
    await page.getByRole("textbox", { name: "Instructions" }).fill("Be brief.");
    await ask(page, "Hello");
    await answered(page, 1);
    await page.getByRole("button", { name: "Voice and instructions" }).click();
    await page.getByRole("combobox", { name: "Voice" }).selectOption("verse");
    await page.getByRole("textbox", { name: "Instructions" }).fill("Be verbose.");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await ask(page, "Goodbye");
    await answered(page, 2);
    const sent = sentRequests(parley.standIn).map(({ audio, messages }) => [
      audio?.voice,
      JSON.stringify(messages[0]?.content),
    ]);
    expect(sent).toEqual([
      ["coral", expect.stringContaining("Be brief.")],
      ["verse", expect.stringContaining("Be verbose.")],
    ]);
  });

  it("remember that words are enough, and ask for nothing else", async () => {
    const { parley, page } = await openWith([], { viewport: phone });
    await page.getByRole("link", { name: "New" }).click();
    await page.getByRole("radio", { name: "words only" }).check();
    await ask(page, "Hello");
    const turn = await answered(page, 1);
    await parts.answer(turn).getByText("Hello. I am Parley's stand-in").waitFor();
    expect(await parts.voice(turn).count()).toBe(0);
    await page.reload();
    expect(await page.getByRole("radio", { name: "words only" }).isChecked()).toBe(true);
    const { turn: kept } = await parley.ask<{ turn: { reply: { modalities: string[] } } }>(
      `{ turn(id: "${await lastTurnId(parley)}") { reply { modalities } } }`,
    );
    expect(kept.reply.modalities).toEqual(["TEXT"]);
  });
});

async function lastTurnId(parley: TestParley): Promise<string> {
  const { conversations } = await parley.ask<{
    conversations: { nodes: { turns: { nodes: { id: string }[] } }[] };
  }>("{ conversations(first: 1) { nodes { turns(last: 1) { nodes { id } } } } }");
  return conversations.nodes[0]?.turns.nodes[0]?.id ?? "";
}
