import { describe, expect, it } from "@jest/globals";
import { sharedParley } from "../helpers/parley.js";
import { openTab, sharedBrowser } from "./pages.js";
import { answered, ask, eventually, parts, turnAt } from "./parts.js";

interface Piece {
  /** When it begins, on the clock of its context. */
  time: number;
  seconds: number;
  /** When that was set. */
  setAt: number;
}

/** What of the browser's own API the scripts below use inside the page. */
declare global {
  var pieces: Piece[];
  var plays: number;
  var mayPlay: boolean;
  var navigator: object;
  var HTMLMediaElement: { prototype: { play: () => Promise<void> } };
  var AudioBufferSourceNode: {
    prototype: {
      buffer: { duration: number } | null;
      context: { currentTime: number };
      start: (this: SourceNode, time?: number) => void;
    };
  };
}
type SourceNode = typeof AudioBufferSourceNode.prototype;

/** Notes when each piece of sound is set to begin. */
function notePieces(): void {
  globalThis.pieces = [];
  const { start } = AudioBufferSourceNode.prototype;
  AudioBufferSourceNode.prototype.start = function (time = 0) {
    const { currentTime } = this.context;
    globalThis.pieces.push({ time, seconds: this.buffer?.duration ?? 0, setAt: currentTime });
    start.call(this, time);
  };
}

/** Counts how often a file begins to play, in a browser that lets no page play by itself at first. */
function countPlays(): void {
  globalThis.plays = 0;
  globalThis.mayPlay = false;
  const userActivation = {
    get hasBeenActive() {
      return globalThis.mayPlay;
    },
  };
  Object.defineProperty(navigator, "userActivation", { value: userActivation });
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    globalThis.plays += 1;
    return play.call(this);
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
    // The pause at the first sound may be a silence; from there on nothing may come between, except where a machine that
    // stood still let the sound before run out.
    const gaps = pieces.slice(2).flatMap(({ time, setAt }, index) => {
      const before = pieces[index + 1];
      const end = before === undefined ? 0 : before.time + before.seconds;
      return setAt < end ? [time - end] : [];
    });
    expect(pieces.length).toBeGreaterThan(3);
    expect(gaps.length).toBeGreaterThan(0);
    for (const gap of gaps) expect(Math.abs(gap)).toBeLessThan(1 / 24_000);
  });

  it("does not begin by itself any more once somebody has spoken on", async () => {
    const page = await openPage(parley().url, { before: countPlays });
    await ask(page, "Please count to 40.");
    const voice = parts.voice(await answered(page, 1));
    await voice.getByRole("button", { name: "Play" }).waitFor();
    await page.route("**/graphql", (route) =>
      route.request().postData()?.includes("addTextTurn") === true ? route.abort() : route.continue(),
    );
    await ask(page, "And to 50?");
    await parts.alert(page).getByText("Not sent.").waitFor();
    await page.evaluate(() => (globalThis.mayPlay = true));
    await page.getByRole("link", { name: "New" }).click();
    await page.getByRole("heading", { name: "New conversation" }).waitFor();
    await page.goBack();
    await voice.getByRole("button", { name: "Play" }).waitFor();
    expect(await page.evaluate(() => globalThis.plays)).toBe(0);
    await voice.getByRole("button", { name: "Play" }).click();
    await voice.getByText(/^0:0\d \/ 0:\d\d$/).waitFor();
    expect(await page.evaluate(() => globalThis.plays)).toBe(1);
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
    const play = voice.getByRole("button", { name: "Play" });
    await play.or(voice.getByRole("button", { name: "Pause" })).waitFor();
    if (await play.isVisible()) await play.click();
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
