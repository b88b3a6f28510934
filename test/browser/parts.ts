import type { Locator, Page } from "playwright-core";

/** The parts of the page, found as a person finds them: by what they are and what they are called. */
export const parts = {
  message: (page: Page) => page.getByRole("textbox", { name: "Message" }),
  send: (page: Page) => page.getByRole("button", { name: "Send", exact: true }),
  stop: (page: Page) => page.getByRole("button", { name: "Stop the answer" }),
  microphone: (page: Page) => page.getByRole("button", { name: /^Speak|^Send what you said/ }),
  conversations: (page: Page) => page.getByRole("navigation", { name: "Conversations" }),
  turns: (page: Page) => page.getByRole("article"),
  answer: (turn: Locator) => turn.getByRole("group", { name: "Parley", exact: true }),
  voice: (turn: Locator) => turn.getByRole("group", { name: "Parley's voice" }),
  unreachable: (page: Page) => page.getByText("The server can’t be reached."),
  alert: (page: Page) => page.getByRole("alert"),
};

/** Writes a message and sends it with Enter, as soon as the message before it has arrived and its turn is over. */
export async function ask(page: Page, text: string): Promise<void> {
  await parts.message(page).fill(text);
  await parts.send(page).and(page.locator(":enabled")).waitFor();
  await parts.message(page).press("Enter");
}

/** The turn at a position, 1 for the first. */
export function turnAt(page: Page, position: number): Locator {
  return page.getByRole("article", { name: `Turn ${position}`, exact: true });
}

/** Waits until an answer is complete. */
export async function answered(page: Page, position: number): Promise<Locator> {
  const turn = turnAt(page, position);
  await turn.locator("[aria-label=Parley][aria-busy=false]").waitFor();
  return turn;
}

/** Waits until at least so many seconds were recorded: each text of the timer is there for one second only. */
export async function recorded(page: Page, seconds: number): Promise<void> {
  const text = () => page.getByRole("timer").innerText();
  await eventually(text, (time) => secondsOf(time) >= seconds);
}

/** 65 of `1:05`. */
function secondsOf(time: string): number {
  const [minutes, seconds] = time.split(":");
  return Number(minutes) * 60 + Number(seconds);
}

/**
 * Waits until the page has its server again. By itself it tries less and less often, so it is told that the network is
 * there, as a browser does.
 */
export async function reachedAgain(page: Page): Promise<void> {
  await eventually(
    async () => {
      await page.evaluate("dispatchEvent(new Event('online'))");
      return parts.unreachable(page).count();
    },
    (count) => count === 0,
  );
}

/** Waits until what the page tells is what was expected, or says what it told instead. */
export async function eventually<T>(read: () => Promise<T>, isRight: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 45_000;
  for (;;) {
    const value = await read();
    if (isRight(value)) return value;
    if (Date.now() > deadline) throw new Error(`It stayed at ${JSON.stringify(value)}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
