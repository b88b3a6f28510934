import { describe, expect, it } from "@jest/globals";
import type { Page, WebSocket } from "playwright-core";
import { askByText, startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { desktop, openTab, phone, screenshot, sharedBrowser } from "./pages.js";
import type { OpenOptions } from "./pages.js";
import { answered, ask, eventually, parts, turnAt } from "./parts.js";
import { kept, keyOf, revoke, signIn, signInParts, startWithKeys } from "./signing-in.js";
import { violations } from "./violations.js";

const { openPage, openWindow } = sharedBrowser();
const { field, again } = signInParts;
const signInButton = (page: Page) => page.getByRole("button", { name: "Sign in", exact: true });
const refused = "The server does not take this token or key.";

async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await field(page).waitFor();
}

describe("A server that wants to know who is there", () => {
  it("is talked to after signing in with a key, by all of the page's doors", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url);
    await signIn(page, await keyOf(parley, "ann"));
    await page.getByText("Nothing is saved yet.").waitFor();
    await page.getByText("Signed in").waitFor();
    await ask(page, "Please count to 3.");
    await turnAt(page, 1).getByText("1, 2, 3.").waitFor();
    await answered(page, 1);
    await parts.conversations(page).getByRole("link", { name: "Please count to 3." }).waitFor();
  });

  it("refuses what is no key of its own, and the page says so and lets another one be put in", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url);
    await signIn(page, { key: `parley_01ARZ3NDEKTSV4RRFFQ69G5FAV_${"x".repeat(43)}` });
    await parts.alert(page).getByText(refused).waitFor();
    expect(await field(page).getAttribute("aria-invalid")).toBe("true");
    expect(await page.evaluate<string>("document.activeElement.type")).toBe("password");
    await signIn(page, { key: "two words" });
    await parts.alert(page).getByText("This is no token or key").waitFor();
    const { key } = await keyOf(parley, "ann");
    await signIn(page, { key: `  Bearer ${key} ` });
    await page.getByText("Signed in").waitFor();
  });

  it("says that it can't be reached where it can't, and the key stays in the form", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url);
    const { key } = await keyOf(parley, "ann");
    await field(page).fill(key);
    await page.route("**/graphql", (route) => route.abort());
    await signInButton(page).click();
    await parts.alert(page).getByText("The server could not be reached.").waitFor();
    await page.unroute("**/graphql");
    await signInButton(page).click();
    await page.getByText("Signed in").waitFor();
  });

  it("is asked once, however often the button is pressed", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url);
    const { key } = await keyOf(parley, "ann");
    await field(page).fill(key);
    let count = 0;
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    await page.route("**/graphql", async (route) => {
      count += 1;
      await released;
      await route.continue();
    });
    await signInButton(page).click();
    const busy = page.getByRole("button", { name: "Signing in…" });
    await busy.click({ force: true });
    await busy.click({ force: true });
    expect(count).toBe(1);
    release();
    await page.getByText("Signed in").waitFor();
  });

  it("shows the key only on demand, and the page keeps it nowhere", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url);
    const { key } = await keyOf(parley, "ann");
    await field(page).fill(key);
    expect(await field(page).getAttribute("type")).toBe("password");
    await page.getByRole("button", { name: "Show the token or key" }).click();
    expect(await field(page).getAttribute("type")).toBe("text");
    await field(page).press("Enter");
    await ask(page, "Hello");
    await answered(page, 1);
    const secret = key.split("_")[2] ?? key;
    expect(await kept(page)).not.toContain(secret);
    expect(await page.content()).not.toContain(secret);
    expect(await page.context().cookies()).toEqual([]);
    await page.reload();
    await field(page).waitFor();
    expect(await field(page).inputValue()).toBe("");
  });

  it("tells a key that may not read conversations what it lacks", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url);
    await signIn(page, await keyOf(parley, "ann", { scopes: ["usage:read"] }));
    await page.getByText("it needs conversations:read").waitFor();
    await ask(page, "Hello");
    await parts.alert(page).getByText("Not sent.").waitFor();
    await page.getByText("it needs conversations:write").waitFor();
  });
});

describe("The sound of a clip", () => {
  it("is drawn and played as whoever has signed in", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url);
    await signIn(page, await keyOf(parley, "ann"));
    await ask(page, "Please count to 20.");
    await answered(page, 1);
    await page.getByRole("link", { name: "New" }).click();
    await page.getByRole("heading", { name: "New conversation" }).waitFor();
    await page.goBack();
    // Before it was read the line is flat.
    await eventually(
      () => parts.voice(turnAt(page, 1)).locator(".waveform path").first().getAttribute("d"),
      (path) => path?.includes("v26.00") === true,
    );
    const voice = parts.voice(turnAt(page, 1));
    await voice.getByRole("button", { name: "Play" }).click();
    await eventually(
      () => voice.getByRole("slider").inputValue().then(Number),
      (seconds) => seconds > 0,
    );
  });

  it("is played and drawn where its address has ended since it was read", async () => {
    const parley = await TestParley.start("sqlite", { standIn: { speech: "flite" } });
    const id = await startedConversation(parley);
    // Long enough to be caught while it plays: at its end the place is 0 again.
    await askByText(parley, id, "Please count to 20.");
    const page = await openPage(parley.url);
    const ended = { audio: true, askedAnew: 0 };
    page.on("request", (request) => {
      if (request.postData()?.includes("ClipAddress") !== true) return;
      ended.askedAnew += 1;
      ended.audio = false;
    });
    await page.route("**/audio/**", (route) =>
      ended.audio ? route.fulfill({ status: 403, body: "{}" }) : route.continue(),
    );
    await page.goto(`${parley.url}/#${id}`);
    const voice = parts.voice(await answered(page, 1));
    await eventually(
      () => voice.locator(".waveform path").first().getAttribute("d"),
      (path) => new Set(path?.match(/v[\d.]+/g)).size > 1,
    );
    ended.audio = true;
    await voice.getByRole("button", { name: "Play" }).click();
    await eventually(
      () => voice.getByRole("slider").inputValue().then(Number),
      (seconds) => seconds > 0.1,
    );
    expect(ended.askedAnew).toBe(2);
    expect(await voice.getByText("This browser can't play this sound.").count()).toBe(0);
  });
});

describe("A key that is revoked while it is used", () => {
  it("is asked for anew, also where somebody presses Escape, and what was sent goes on", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url);
    const first = await keyOf(parley, "ann");
    await signIn(page, first);
    await ask(page, "Hello");
    await answered(page, 1);
    await revoke(parley, first);
    await ask(page, "Please count to 3.");
    await again(page).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await again(page).waitFor();
    await signIn(page, await keyOf(parley, "ann"));
    await again(page).waitFor({ state: "detached" });
    await turnAt(page, 2).getByText("1, 2, 3.").waitFor();
    await answered(page, 2);
    expect(parley.standIn.requests).toHaveLength(2);
  });

  it("ends the socket, and an answer in its middle goes on without a word twice", async () => {
    const parley = await TestParley.start("sqlite", {
      env: { AUTH: "api-key" },
      standIn: { speech: "flite" },
    });
    const page = await openPage(parley.url);
    const first = await keyOf(parley, "ann");
    await signIn(page, first);
    const pause = parley.standIn.pauseNext("after-first-audio");
    await ask(page, "Please count to 30.");
    await pause.reached;
    await turnAt(page, 1).getByText("1, 2").waitFor();
    await parts.message(page).fill("This is written meanwhile.");
    await revoke(parley, first);
    // The server looks after 15 s at the latest.
    await again(page).waitFor({ timeout: 40_000 });
    pause.release();
    await signIn(page, await keyOf(parley, "ann"));
    await turnAt(page, 1).getByText("29, 30.").waitFor();
    const words = await parts.answer(turnAt(page, 1)).locator(".words").innerText();
    expect(words.match(/\d+/g)).toEqual(Array.from({ length: 30 }, (_, index) => String(index + 1)));
    expect(await parts.message(page).inputValue()).toBe("This is written meanwhile.");
    expect(await parts.unreachable(page).count()).toBe(0);
  });

  it("and is replaced by a key of somebody else leaves nothing of the first person", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url);
    const first = await keyOf(parley, "ann");
    await signIn(page, first);
    await ask(page, "What Ann asks");
    await answered(page, 1);
    await parts.message(page).fill("What Ann writes");
    await revoke(parley, first);
    await page.getByRole("combobox", { name: "Which conversations" }).selectOption("Archived");
    await again(page).waitFor();
    await signIn(page, await keyOf(parley, "bob"));
    await page.getByText("Nothing is saved yet.").waitFor();
    await page.getByRole("link", { name: "New" }).click();
    expect(await parts.message(page).inputValue()).toBe("");
    expect(await page.content()).not.toContain("What Ann");
    expect(await kept(page)).not.toContain("What Ann");
  });
});

describe("Two people", () => {
  it("see only what is theirs, one after the other in a tab and side by side", async () => {
    const parley = await startWithKeys();
    const [ann, bob] = [await keyOf(parley, "ann"), await keyOf(parley, "bob")];
    const page = await openPage(parley.url);
    await signIn(page, ann);
    await ask(page, "What Ann asks");
    await answered(page, 1);
    const address = page.url();
    const other = await openTab(await openWindow(), address);
    await signIn(other, bob);
    await other.getByText("There is no such conversation any more.").waitFor();
    await other.getByText("Nothing is saved yet.").waitFor();
    await parts.message(page).fill("What Ann writes");
    await signOut(page);
    expect(await page.content()).not.toContain("What Ann");
    expect(await kept(page)).not.toContain("What Ann");
    await signIn(page, bob);
    await page.getByText("Nothing is saved yet.").waitFor();
    await signOut(page);
    await signIn(page, ann);
    await parts.conversations(page).getByRole("link", { name: "What Ann asks" }).waitFor();
  });

  it("share no drafts where one has only reloaded the tab", async () => {
    const parley = await startWithKeys();
    const [ann, bob] = [await keyOf(parley, "ann"), await keyOf(parley, "bob")];
    const page = await openPage(parley.url);
    await signIn(page, ann);
    await parts.message(page).fill("What Ann writes");
    await page.reload();
    await signIn(page, ann);
    expect(await parts.message(page).inputValue()).toBe("What Ann writes");
    await page.reload();
    await signIn(page, bob);
    await page.getByText("Signed in").waitFor();
    expect(await parts.message(page).inputValue()).toBe("");
  });
});

describe("Signing out", () => {
  it("throws away what was not sent, stops the sound and closes the socket", async () => {
    const parley = await TestParley.start("sqlite", {
      env: { AUTH: "api-key" },
      standIn: { speech: "flite" },
    });
    const { key } = await keyOf(parley, "ann");
    const page = await openPage(parley.url);
    await field(page).waitFor();
    const sockets: WebSocket[] = [];
    page.on("websocket", (socket) => sockets.push(socket));
    await signIn(page, { key });
    await ask(page, "Please count to 40.");
    await parts.voice(turnAt(page, 1)).getByRole("button", { name: "Pause" }).waitFor();
    await answered(page, 1);
    await page.route("**/graphql", (route) => route.abort());
    await ask(page, "This was not sent.");
    await parts.alert(page).getByText("Not sent.").waitFor();
    await page.unroute("**/graphql");
    const opened = sockets.length;
    expect(opened).toBeGreaterThan(0);
    await signOut(page);
    await eventually(
      () => Promise.resolve(sockets.slice(0, opened).every((socket) => socket.isClosed())),
      (areClosed) => areClosed,
    );
    await signIn(page, { key });
    await parts.conversations(page).getByRole("link", { name: "Please count to 40." }).click();
    const voice = parts.voice(await answered(page, 1));
    await voice.getByRole("button", { name: "Play" }).waitFor();
    expect(await page.getByText("This was not sent.").count()).toBe(0);
    expect(await parts.turns(page).count()).toBe(1);
  });
});

describe("A server that has no time, or no money left", () => {
  const refusal = (code: string, retryAfterMs: number) =>
    JSON.stringify({
      data: null,
      errors: [{ message: "Too much just now.", extensions: { code, retryable: true, retryAfterMs } }],
    });

  it.each([
    ["RATE_LIMITED", 30_000, /Too much just now\. Try again in \d+ seconds\./, /^Send again in \d+ s$/],
    ["BUDGET_EXCEEDED", 5 * 86_400_000, /Too much just now\. Try again on .* at /, "Send again"],
  ])("says when to try again, and what was written is kept: %s", async (code, waitMs, sentence, name) => {
    const parley = await TestParley.start("sqlite");
    const page = await (await openWindow()).newPage();
    await page.clock.install();
    await page.goto(parley.url);
    await page.getByText("Nothing is saved yet.").waitFor();
    const body = refusal(code, waitMs);
    await page.route("**/graphql", (route) => route.fulfill({ contentType: "application/json", body }));
    await ask(page, "Hello");
    await parts.alert(page).getByText(sentence).waitFor();
    await page.getByRole("button", { name }).waitFor();
    await page.unroute("**/graphql");
    if (code === "RATE_LIMITED") await page.clock.fastForward(waitMs);
    await page.getByRole("button", { name: "Send again", exact: true }).click();
    await answered(page, 1);
    expect(parley.standIn.requests).toHaveLength(1);
  });
});

describe("The form", () => {
  it.each<[string, OpenOptions]>([
    ["desktop-light", { viewport: desktop, colorScheme: "light" }],
    ["desktop-dark", { viewport: desktop, colorScheme: "dark" }],
    ["phone-light", { viewport: phone, colorScheme: "light" }],
    ["phone-dark", { viewport: phone, colorScheme: "dark" }],
  ])("has nothing that axe objects to, and fits: %s", async (name, options) => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url, options);
    await field(page).waitFor();
    const empty = await violations(page);
    await screenshot(page, `sign-in-${name}`);
    await signIn(page, { key: "wrong" });
    await parts.alert(page).waitFor();
    const wrong = await violations(page);
    await screenshot(page, `sign-in-wrong-${name}`);
    const isWide = await page.evaluate<boolean>(
      "document.documentElement.scrollWidth > document.documentElement.clientWidth",
    );
    const first = await keyOf(parley, "ann");
    await signIn(page, first);
    await page.getByRole("button", { name: "Settings" }).click();
    const settings = await violations(page);
    await screenshot(page, `settings-${name}`);
    await page.keyboard.press("Escape");
    await revoke(parley, first);
    await page.getByRole("combobox", { name: "Which conversations" }).selectOption("Archived");
    await again(page).waitFor();
    const asked = await violations(page);
    await screenshot(page, `sign-in-again-${name}`);
    expect({ empty, wrong, settings, asked, isWide }).toEqual({
      empty: [],
      wrong: [],
      settings: [],
      asked: [],
      isWide: false,
    });
  });

  it("is used with the keyboard alone, from its first moment", async () => {
    const parley = await startWithKeys();
    const page = await openPage(parley.url, { viewport: phone });
    await field(page).waitFor();
    await page.keyboard.type((await keyOf(parley, "ann")).key);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("Signed in").waitFor();
  });
});

describe("A server that asks nobody", () => {
  it("shows neither a form nor a way out", async () => {
    const parley = await TestParley.start("sqlite");
    const page = await openPage(parley.url);
    await page.getByText("Nothing is saved yet.").waitFor();
    expect(await field(page).count()).toBe(0);
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("dialog", { name: "Settings" }).waitFor();
    expect(await page.getByRole("button", { name: "Sign out" }).count()).toBe(0);
  });
});
