import { describe, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { askByText, deleteConversation, startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { storeConversations } from "../helpers/stored-conversations.js";
import { heldAnswer } from "./held-answers.js";
import { sharedBrowser } from "./pages.js";
import { ask, eventually, parts } from "./parts.js";

const { openPage, openWindow } = sharedBrowser();
const named = (page: Page, name: string) => parts.conversations(page).getByRole("link", { name });
const answering = (page: Page) => parts.conversations(page).getByText("answering");
const isGone = (count: number) => count === 0;

/** Opens the page, with a function that waits until the server has told it something over the WebSocket. */
async function openHearing(url: string): Promise<{ page: Page; told: (text: string) => Promise<void> }> {
  const page = await (await openWindow()).newPage();
  const frames: string[] = [];
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => void frames.push(String(payload))),
  );
  await page.goto(url);
  const told = async (text: string) => {
    await eventually(
      () => Promise.resolve(frames),
      (all) => all.some((frame) => frame.includes("viewerEvents") && frame.includes(text)),
    );
  };
  return { page, told };
}

describe("The list, where its answer comes late", () => {
  it("does not go back to a turn that has ended meanwhile", async () => {
    const parley = await TestParley.start("sqlite");
    const id = await startedConversation(parley, { title: "Dogs" });
    const { page, told } = await openHearing(parley.url);
    await named(page, "Dogs").waitFor();
    // Nothing tells of it: it is seen as soon as the list is read again.
    await storeConversations(parley, [{ title: "Foxes" }]);
    const list = await heldAnswer(page, "ConversationList");
    const pause = parley.standIn.pauseNext("before-answer");
    const asked = askByText(parley, id, "Hello");
    await pause.reached;
    await list.given;
    pause.release();
    await asked;
    await told('"activeTurn":null');
    await list.release();
    await named(page, "Foxes").waitFor();
    await eventually(() => answering(page).count(), isGone);
  });

  it("does not bring back what was deleted meanwhile", async () => {
    const parley = await TestParley.start("sqlite");
    await storeConversations(parley, [{ title: "Foxes" }]);
    const id = await startedConversation(parley, { title: "Dogs" });
    const { page, told } = await openHearing(parley.url);
    await named(page, "Dogs").waitFor();
    const list = await heldAnswer(page, "ConversationList");
    await startedConversation(parley, { title: "Cats" });
    await list.given;
    await parley.ask(deleteConversation, { id });
    await told("ConversationDeleted");
    await list.release();
    await named(page, "Cats").waitFor();
    await eventually(() => named(page, "Dogs").count(), isGone);
  });

  it("keeps what more was shown while it was read again", async () => {
    const parley = await TestParley.start("sqlite");
    const titles = Array.from({ length: 40 }, (_, index) => `Number ${index}`);
    const at = (index: number) => new Date(Date.UTC(2026, 0, 2) - index * 60_000);
    await storeConversations(
      parley,
      titles.map((title, index) => ({ title, at: at(index) })),
    );
    const page = await openPage(parley.url);
    await named(page, "Number 29").waitFor();
    const list = await heldAnswer(page, "ConversationList");
    await startedConversation(parley, { title: "Foxes" });
    await list.given;
    await page.getByRole("button", { name: "Show more of 40" }).click();
    await list.release();
    await named(page, "Foxes").waitFor();
    await named(page, "Number 39").waitFor();
  });
});
