import { describe, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { askByText, deleteConversation, startedConversation } from "../helpers/operations.js";
import { ParleyProcess, azureSettings, temporaryFolder, testStandIn } from "../helpers/parley-process.js";
import { TestParley } from "../helpers/parley.js";
import { heldAnswer } from "./held-answers.js";
import { openLine } from "./line.js";
import { openTab, screenshot, sharedBrowser } from "./pages.js";
import { answered, ask, eventually, parts, reachedAgain, turnAt } from "./parts.js";

const { openPage, openWindow } = sharedBrowser();
const again = (page: Page) => page.getByRole("button", { name: /^Ask again/ });
const conversationOf = (page: Page) => page.url().split("#")[1] ?? "";
const { unreachable } = parts;

describe("A turn that fails", () => {
  it("says why, and is asked again", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    parley.standIn.failNext({ name: "cut", at: "middle" });
    await ask(page, "Please count to 3.");
    await turnAt(page, 1).getByRole("note").waitFor();
    await again(page).click();
    await turnAt(page, 1).getByText("1, 2, 3.").waitFor();
    await turnAt(page, 1).getByRole("note").waitFor({ state: "detached" });
    expect(parley.standIn.requests).toHaveLength(2);
  });

  it("counts down to the moment from which it can be asked again", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    parley.standIn.failNext({ name: "rate-limited", retryAfterMs: 600_000 });
    await ask(page, "Hello");
    await page.getByRole("button", { name: /^Ask again in \d+ s$/ }).waitFor();
    expect(await again(page).isDisabled()).toBe(true);
    await page.clock.install();
    await page.reload();
    const name = await again(page).innerText();
    await page.clock.runFor(2_000);
    await eventually(
      () => again(page).innerText(),
      (text) => text !== name,
    );
    await page.clock.setSystemTime(Date.now() + 2 * 86_400_000);
    await page.clock.runFor(2_000);
    await page.getByRole("button", { name: "Ask again", exact: true }).click();
    await answered(page, 1);
    await parts.answer(turnAt(page, 1)).getByText("Hello. I am Parley's stand-in").waitFor();
  });

  it("has no button where asking again is no use", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    parley.standIn.failNext({ name: "content-filter-prompt" });
    await ask(page, "Hello");
    await turnAt(page, 1).getByRole("note").waitFor();
    expect(await again(page).count()).toBe(0);
  });
});

describe("Without a connection", () => {
  it("keeps a message, and sends it again as the same one", async () => {
    const parley = await TestParley.start("sqlite");
    const line = await openLine(parley.url);
    const page = await openPage(line.url);
    await ask(page, "Hello");
    await answered(page, 1);
    line.cutBeforeAnswer();
    await ask(page, "Please count to 3.");
    await parts.alert(page).getByText("Not sent.").waitFor();
    await parts.message(page).fill("This is written meanwhile.");
    await eventually(
      () => Promise.resolve(parley.standIn.requests.length),
      (count) => count === 2,
    );
    line.mend();
    await page.getByRole("button", { name: "Send again" }).click();
    await turnAt(page, 2).getByText("1, 2, 3.").waitFor();
    await parts.alert(page).waitFor({ state: "detached" });
    expect(await parts.message(page).inputValue()).toBe("This is written meanwhile.");
    expect(await parts.turns(page).count()).toBe(2);
    expect(parley.standIn.requests).toHaveLength(2);
  });

  it("is not misled by an answer that comes after the turn has ended", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await ask(page, "Hello");
    await answered(page, 1);
    const answer = await heldAnswer(page, "AddTextTurn");
    await ask(page, "Please count to 3.");
    await turnAt(page, 2).getByText("1, 2, 3.").waitFor();
    await answered(page, 2);
    await answer.release();
    await ask(page, "Please count to 4.");
    await turnAt(page, 3).getByText("1, 2, 3, 4.").waitFor();
    expect(await parts.answer(turnAt(page, 2)).getAttribute("aria-busy")).toBe("false");
  });

  it("begins one conversation, however often its first message is sent", async () => {
    const parley = await TestParley.start("sqlite");
    const line = await openLine(parley.url);
    const page = await openPage(line.url);
    await page.getByText("Nothing is saved yet.").waitFor();
    line.cutBeforeAnswer();
    await ask(page, "Hello");
    await parts.alert(page).getByText("Not sent.").waitFor();
    line.mend();
    await page.getByRole("button", { name: "Send again" }).click();
    await answered(page, 1);
    const { conversations } = await parley.ask<{ conversations: { totalCount: number } }>(
      "{ conversations { totalCount } }",
    );
    expect(conversations.totalCount).toBe(1);
  });

  it("goes on in the middle of an answer, without a gap and without a word twice", async () => {
    const parley = await TestParley.start("sqlite", { standIn: { speech: "flite" } });
    const line = await openLine(parley.url);
    const page = await openPage(line.url);
    const pause = parley.standIn.pauseNext("after-first-audio");
    await ask(page, "Please count to 30.");
    await pause.reached;
    await turnAt(page, 1).getByText("1, 2").waitFor();
    await parts.conversations(page).getByText("answering").waitFor();
    line.cut();
    await unreachable(page).waitFor();
    expect(await parts.conversations(page).getByText("answering").count()).toBe(0);
    pause.release();
    line.mend();
    await unreachable(page).waitFor({ state: "detached" });
    await turnAt(page, 1).getByText("29, 30.").waitFor();
    const words = await parts.answer(turnAt(page, 1)).locator(".words").innerText();
    expect(words.match(/\d+/g)).toEqual(Array.from({ length: 30 }, (_, index) => String(index + 1)));
  });

  it("tells what became of a turn whose server was killed in its middle", async () => {
    const standIn = await testStandIn();
    const folder = await temporaryFolder();
    const first = await ParleyProcess.start(folder, azureSettings(standIn));
    const page = await openPage(first.url);
    const pause = standIn.pauseNext("after-first-audio");
    await ask(page, "Please count to 3.");
    await pause.reached;
    await parts.stop(page).waitFor();
    await first.program.kill();
    await unreachable(page).waitFor();
    await ParleyProcess.start(folder, { ...azureSettings(standIn), PORT: new URL(first.url).port });
    await reachedAgain(page);
    await again(page).click();
    await turnAt(page, 1).getByText("1, 2, 3.").waitFor();
    await answered(page, 1);
  });
});

describe("Another window", () => {
  it("that has just asked something lets this one wait, and its message is kept", async () => {
    const parley = await TestParley.start("sqlite");
    const line = await openLine(parley.url);
    const page = await openPage(line.url);
    await ask(page, "Hello");
    await answered(page, 1);
    const pause = parley.standIn.pauseNext("before-answer");
    const asked = askByText(parley, conversationOf(page), "Please count to 3.");
    await pause.reached;
    await parts.stop(page).waitFor();
    await parts.message(page).fill("And to 4.");
    await parts.message(page).press("Enter");
    expect(await parts.message(page).inputValue()).toBe("And to 4.");
    pause.release();
    await asked;
    await parts.microphone(page).waitFor();
    await parts.message(page).press("Enter");
    await turnAt(page, 3).getByText("And to 4.").first().waitFor();
  });

  it("that asked before this one heard of it is no reason to lose a message", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await ask(page, "Hello");
    await answered(page, 1);
    // What the server tells does not come.
    await page.routeWebSocket("**/graphql", (socket) => {
      socket.connectToServer().onMessage(() => undefined);
    });
    await page.reload();
    await turnAt(page, 1).waitFor();
    const pause = parley.standIn.pauseNext("before-answer");
    const asked = askByText(parley, conversationOf(page), "Please count to 3.");
    await pause.reached;
    await ask(page, "Please count to 4.");
    await parts.alert(page).getByText("Not sent.").waitFor();
    pause.release();
    await asked;
    await page.getByRole("button", { name: "Send again" }).click();
    await parts.alert(page).waitFor({ state: "detached" });
    await turnAt(page, 3).getByText("Please count to 4.").waitFor();
  });

  it("that deletes the conversation leaves this one with a word about it", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await ask(page, "Hello");
    await answered(page, 1);
    await parley.ask(deleteConversation, { id: conversationOf(page) });
    await page.getByText("There is no such conversation any more.").waitFor();
    await page.getByText("Nothing is saved yet.").waitFor();
  });

  it("stays silent, and so does this one for what it has left; it can go on where it was", async () => {
    const parley = await TestParley.start("sqlite", { standIn: { speech: "flite" } });
    const other = await startedConversation(parley, { title: "Other" });
    const page = await openPage(parley.url);
    await ask(page, "Please count to 40.");
    const voice = parts.voice(turnAt(page, 1));
    const place = () => voice.getByRole("slider").inputValue().then(Number);
    await voice.getByRole("button", { name: "Pause" }).waitFor();
    await answered(page, 1);
    await eventually(place, (seconds) => seconds > 0);
    const first = page.url();
    await page.goto(`${parley.url}/#${other}`);
    await page.getByText("Nothing was said yet.").waitFor();
    const tab = await openTab(await openWindow(), first);
    await parts.voice(turnAt(tab, 1)).getByRole("button", { name: "Play" }).waitFor();
    await page.goBack();
    await voice.getByRole("button", { name: "Play" }).waitFor();
    expect(await place()).toBeGreaterThan(0);
    await voice.getByRole("button", { name: "Play" }).click();
    await voice.getByRole("button", { name: "Pause" }).waitFor();
  });
});

describe("One window too many", () => {
  const crowded = (page: Page) => page.getByText("Too many connections of yours are open");
  /** A server that has room for one connection, and the window that has it. */
  async function startFull(): Promise<{ parley: TestParley; first: Page }> {
    const parley = await TestParley.start("sqlite", { env: { MAX_SOCKETS_PER_VIEWER: "1" } });
    const first = await (await openWindow()).newPage();
    const acknowledged = first
      .waitForEvent("websocket", { timeout: 0 })
      .then((socket) => socket.waitForEvent("framereceived", { timeout: 0 }));
    await first.goto(parley.url);
    await acknowledged;
    return { parley, first };
  }

  it("says so, goes on with what needs no connection, and has one as soon as there is room", async () => {
    const { parley, first } = await startFull();
    const page = await openPage(parley.url);
    await crowded(page).getByText("Close other windows of this page").waitFor();
    expect(await unreachable(page).count()).toBe(0);
    await screenshot(page, "crowded");
    await ask(page, "Please count to 3.");
    await page.getByRole("button", { name: /, rename$/ }).waitFor();
    await first.close();
    // Somebody who has closed a window comes back to this one.
    await eventually(
      async () => {
        await page.evaluate("dispatchEvent(new Event('focus'))");
        return crowded(page).count();
      },
      (count) => count === 0,
    );
    await turnAt(page, 1).getByText("1, 2, 3.").waitFor();
    expect(await unreachable(page).count()).toBe(0);
  });

  it("leaves the server alone for a while, and tries again by itself", async () => {
    const { parley, first } = await startFull();
    const page = await (await openWindow()).newPage();
    let sockets = 0;
    page.on("websocket", () => (sockets += 1));
    // Time goes on only where it is told to: the page tries again after 15 s at the earliest.
    const start = new Date();
    await page.clock.install({ time: start });
    await page.clock.pauseAt(start.getTime() + 60_000);
    await page.goto(parley.url);
    await eventually(
      async () => {
        await page.clock.runFor(100);
        return crowded(page).count();
      },
      (count) => count > 0,
    );
    await page.clock.fastForward(12_000);
    await page.evaluate("0");
    expect(sockets).toBe(1);
    await first.close();
    await eventually(
      async () => {
        await page.clock.fastForward(25_000);
        return crowded(page).count();
      },
      (count) => count === 0,
    );
  });
});

describe("Sound of any format", () => {
  it.each(["WAV", "PCM16", "MP3", "FLAC", "OPUS"])(
    "is played, or the page says that it can't: %s",
    async (format) => {
      const parley = await TestParley.start("sqlite", { standIn: { speech: "flite" } });
      const id = await startedConversation(parley);
      // Long enough to be caught while it plays: at its end the place is 0 again.
      await askByText(parley, id, "Please count to 20.", { reply: { format } });
      const page = await openPage(`${parley.url}/#${id}`);
      const voice = parts.voice(await answered(page, 1));
      await voice.getByRole("button", { name: "Play" }).click();
      await eventually(
        () => voice.getByRole("slider").inputValue().then(Number),
        (seconds) => seconds > 0.1,
      );
      expect(await voice.getByText("This browser can't play this sound.").count()).toBe(0);
    },
  );
});
