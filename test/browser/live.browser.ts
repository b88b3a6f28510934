import { describe, expect, it } from "@jest/globals";
import { sharedParley } from "../helpers/parley.js";
import { openTab, sharedBrowser } from "./pages.js";
import { answered, ask, eventually, parts, turnAt } from "./parts.js";

interface Piece {
  time: number;
  seconds: number;
}

/** What of the browser's own API the scripts below use inside the page. */
declare global {
  var pieces: Piece[];
  var AudioBufferSourceNode: {
    prototype: { buffer: { duration: number } | null; start: (this: SourceNode, time?: number) => void };
  };
}
type SourceNode = typeof AudioBufferSourceNode.prototype;

/** Notes when each piece of sound is set to begin. */
function notePieces(): void {
  globalThis.pieces = [];
  const { start } = AudioBufferSourceNode.prototype;
  AudioBufferSourceNode.prototype.start = function (time = 0) {
    globalThis.pieces.push({ time, seconds: this.buffer?.duration ?? 0 });
    start.call(this, time);
  };
}

describe("An answer on the page", () => {
  const parley = sharedParley("sqlite", { standIn: { speech: "flite" } });
  const { openPage, openWindow } = sharedBrowser();

  it("is heard while it is made, each piece exactly behind the one before", async () => {
    const page = await openPage(parley().url, { before: notePieces });
    const pause = parley().standIn.pauseNext("after-first-audio");
    await ask(page, "Please count to 20.");
    await pause.reached;
    const turn = turnAt(page, 1);
    await parts.voice(turn).getByRole("button", { name: "Pause" }).waitFor();
    pause.release();
    await answered(page, 1);
    const pieces = await eventually(
      () => page.evaluate(() => globalThis.pieces),
      (all) => all.reduce((sum, { seconds }) => sum + seconds, 0) > 4,
    );
    // The pause at the first sound may be a silence; from there on nothing may come between.
    const joints = pieces.slice(2).map(({ time }, index) => {
      const before = pieces[index + 1];
      return before === undefined ? 0 : time - (before.time + before.seconds);
    });
    expect(pieces.length).toBeGreaterThan(3);
    for (const gap of joints) expect(Math.abs(gap)).toBeLessThan(1 / 24_000);
  });

  it("stops where it is told to, and says so; asked again, it comes whole", async () => {
    const page = await openPage(parley().url);
    const pause = parley().standIn.pauseNext("after-first-audio");
    await ask(page, "Please count to 40.");
    await pause.reached;
    await parts.voice(turnAt(page, 1)).getByRole("button", { name: "Pause" }).waitFor();
    await parts.stop(page).click();
    await parts.answer(turnAt(page, 1)).getByText("Stopped.").waitFor();
    await parts.voice(turnAt(page, 1)).getByRole("button", { name: "Play" }).waitFor();
    await turnAt(page, 1).getByRole("button", { name: "Ask again" }).click();
    await turnAt(page, 1).getByText("39, 40.").waitFor();
  });

  it("goes on after a reload in its middle, words and sound", async () => {
    const page = await openPage(parley().url);
    const pause = parley().standIn.pauseNext("after-first-audio");
    await ask(page, "Please count to 30.");
    await pause.reached;
    const voice = parts.voice(turnAt(page, 1));
    await turnAt(page, 1).getByText("1, 2").waitFor();
    await page.reload();
    await turnAt(page, 1).getByText("1, 2").waitFor();
    pause.release();
    await turnAt(page, 1).getByText("29, 30.").waitFor();
    const place = () => voice.getByRole("slider").inputValue().then(Number);
    // A browser may let no page speak by itself after a reload; then somebody presses Play.
    await voice
      .getByRole("button", { name: "Play" })
      .click({ timeout: 2_000 })
      .catch(() => undefined);
    await eventually(place, (seconds) => seconds > 2);
    await page.reload();
    expect(await place()).toBeGreaterThan(1.5);
    await voice.getByRole("button", { name: /Play|Pause/ }).waitFor();
  });

  it("is shown in a second tab while it is made, which stays silent until it is asked", async () => {
    const window = await openWindow();
    const first = await openTab(window, parley().url);
    const pause = parley().standIn.pauseNext("after-first-audio");
    await ask(first, "Please count to 30.");
    await pause.reached;
    await turnAt(first, 1).getByText("1, 2").waitFor();
    const second = await openTab(window, first.url());
    const turn = turnAt(second, 1);
    await turn.getByText("1, 2").waitFor();
    await turn.getByRole("button", { name: "Listen" }).click();
    await parts.voice(turn).getByRole("button", { name: "Pause" }).waitFor();
    pause.release();
    await turn.getByText("29, 30.").waitFor();
    await ask(first, "Please count to 3.");
    await turnAt(second, 2).getByText("1, 2, 3.").waitFor();
    await window.close();
  });

  it("can be played again from any place, also with the keyboard", async () => {
    const page = await openPage(parley().url);
    await ask(page, "Please count to 10.");
    const voice = parts.voice(await answered(page, 1));
    await page.reload();
    await voice.getByRole("slider").press("End");
    await voice.getByRole("slider").press("Home");
    await voice.getByRole("button", { name: /Play|Pause/ }).waitFor();
    const place = await voice.getByRole("slider").getAttribute("aria-valuetext");
    expect(place).toMatch(/^\d seconds? of \d seconds$/);
  });
});
