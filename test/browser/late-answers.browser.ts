import { describe, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { askByText, deleteConversation, startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { storeConversations, storeTurns } from "../helpers/stored-conversations.js";
import { heldAnswer } from "./held-answers.js";
import { openLine } from "./line.js";
import { sharedBrowser } from "./pages.js";
import { answered, ask, eventually, parts, turnAt } from "./parts.js";

const { openPage, openWindow } = sharedBrowser();
const named = (page: Page, name: string) => parts.conversations(page).getByRole("link", { name });
const answering = (page: Page) => parts.conversations(page).getByText("answering");
const isGone = (count: number) => count === 0;

const rename = /* GraphQL */ `
  mutation ($input: UpdateConversationInput!) {
    updateConversation(input: $input) {
      conversation {
        id
      }
    }
  }
`;

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
    await startedAndSeen(parley, page, "Birds");
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
    await startedAndSeen(parley, page, "Birds");
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
    await startedAndSeen(parley, page, "Birds");
    const list = await heldAnswer(page, "ConversationList");
    await startedConversation(parley, { title: "Foxes" });
    await list.given;
    await page.getByRole("button", { name: /^Show more of/ }).click();
    await list.release();
    await named(page, "Foxes").waitFor();
    await named(page, "Number 39").waitFor();
  });
});

describe("An event that does not come any more", () => {
  it("is no reason for the list to stay as it is", async () => {
    const parley = await TestParley.start("sqlite");
    const window = await openWindow();
    const page = await window.newPage();
    const asked: string[] = [];
    let end: () => void = () => undefined;
    await page.routeWebSocket("**/graphql", (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((text) => {
        server.send(text);
        if (!String(text).includes("subscription ViewerEvents")) return;
        const { id } = JSON.parse(String(text)) as { id: string };
        asked.push(id);
        const extensions = { code: "CURSOR_EXPIRED", retryable: false };
        const payload = [{ message: "The events behind this cursor are gone.", extensions }];
        end = () => socket.send(JSON.stringify({ id, type: "error", payload }));
      });
    });
    await page.goto(parley.url);
    await page.getByText("Nothing is saved yet.").waitFor();
    await startedAndSeen(parley, page, "Dogs");
    // Nothing tells of it.
    await storeConversations(parley, [{ title: "Foxes" }]);
    end();
    await named(page, "Foxes").waitFor();
    await startedAndSeen(parley, page, "Cats");
    expect(asked).toHaveLength(2);
  });
});

describe("A conversation that is being deleted", () => {
  it("takes nobody away from another one that they have gone to meanwhile", async () => {
    const parley = await TestParley.start("sqlite");
    await startedConversation(parley, { title: "Dogs" });
    await startedConversation(parley, { title: "Cats" });
    const page = await openPage(parley.url);
    await named(page, "Cats").click();
    await page.getByRole("button", { name: /^Cats ?, rename$/ }).waitFor();
    await named(page, "Dogs").click();
    await page.getByRole("button", { name: /^Dogs ?, rename$/ }).waitFor();
    const deletion = await heldAnswer(page, "DeleteConversation");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await deletion.given;
    await page.goBack();
    await page.getByRole("button", { name: /^Cats ?, rename$/ }).waitFor();
    await deletion.release();
    await named(page, "Dogs").waitFor({ state: "detached" });
    await ask(page, "Hello");
    await answered(page, 1);
    await page.getByRole("button", { name: /^Cats ?, rename$/ }).waitFor();
  });
});

describe("A conversation that is opened again", () => {
  it("keeps the name that it was given while it was read", async () => {
    const parley = await TestParley.start("sqlite");
    const id = await startedConversation(parley, { title: "Dogs" });
    await startedConversation(parley, { title: "Cats" });
    const { page, told } = await openHearing(parley.url);
    await startedAndSeen(parley, page, "Birds");
    for (const name of ["Dogs", "Cats"]) {
      await named(page, name).click();
      await page.getByRole("button", { name: new RegExp(`^${name} ?, rename$`) }).waitFor();
    }
    // Nothing tells of it: it is seen as soon as the answer is there.
    await storeTurns(parley, id, 1);
    const reading = await heldAnswer(page, "OpenConversation");
    await named(page, "Dogs").click();
    await reading.given;
    await parley.ask(rename, { input: { conversationId: id, title: "Wolves" } });
    await told("Wolves");
    await reading.release();
    await turnAt(page, 1).waitFor();
    await page.getByRole("button", { name: /^Wolves ?, rename$/ }).waitFor();
    await named(page, "Wolves").waitFor();
  });
});

describe("A dialog", () => {
  it("stays open where it was opened after another one was saved", async () => {
    const parley = await TestParley.start("sqlite");
    const id = await startedConversation(parley, { title: "Dogs" });
    const page = await openPage(`${parley.url}/#${id}`);
    const settings = page.getByRole("button", { name: "Voice and instructions" });
    await settings.click();
    const saving = await heldAnswer(page, "UpdateConversation");
    await page.getByRole("button", { name: "Save" }).click();
    await saving.given;
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await settings.click();
    await page.getByRole("textbox", { name: "Instructions" }).fill("Be brief.");
    await saving.release();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await settings.click();
    expect(await page.getByRole("textbox", { name: "Instructions" }).inputValue()).toBe("Be brief.");
  });
});

describe("A turn that is asked again", () => {
  it("is asked once more where nobody saw that the second attempt failed", async () => {
    const parley = await TestParley.start("sqlite");
    const line = await openLine(parley.url);
    const page = await openPage(line.url);
    const again = turnAt(page, 1).getByRole("button", { name: "Ask again", exact: true });
    parley.standIn.failNext({ name: "cut", at: "middle" });
    await ask(page, "Please count to 3.");
    await again.waitFor();
    parley.standIn.failNext({ name: "stream-error" });
    await page.route("**/graphql", async (route) => {
      if (route.request().postData()?.includes("mutation RetryTurn(") !== true) return route.fallback();
      line.cut();
      // It reaches the server by another way, and its answer nobody.
      await route.fetch({ url: `${parley.url}/graphql` });
      await route.abort();
    });
    await again.click();
    await eventually(
      () => attemptOf(parley, page),
      ({ status, attempt }) => status === "FAILED" && attempt === 2,
    );
    await page.unroute("**/graphql");
    line.mend();
    await turnAt(page, 1).getByRole("note").getByText("Try again later.").waitFor();
    await again.click();
    await turnAt(page, 1).getByText("1, 2, 3.").waitFor();
    await answered(page, 1);
  });
});

/** A conversation that the events tell of. Those from before the page has begun to listen it does not hear. */
async function startedAndSeen(parley: TestParley, page: Page, title: string): Promise<void> {
  await eventually(
    async () => {
      await startedConversation(parley, { title });
      return named(page, title).count();
    },
    (count) => count > 0,
  );
}

async function attemptOf(parley: TestParley, page: Page): Promise<{ status: string; attempt: number }> {
  const id = page.url().split("#")[1] ?? "";
  const { conversation } = await parley.ask<{
    conversation: { turns: { nodes: [{ status: string; attempt: number }] } };
  }>(`{ conversation(id: "${id}") { turns(last: 1) { nodes { status attempt } } } }`);
  return conversation.turns.nodes[0];
}
