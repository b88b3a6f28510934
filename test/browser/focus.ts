import type { Page } from "playwright-core";
import { eventually } from "./parts.js";

/** What has the focus, as a screen reader would name it. */
export const focused = (page: Page) =>
  page.evaluate<string>(
    "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()",
  );

export async function focusIsAt(page: Page, name: string | RegExp): Promise<void> {
  await eventually(
    () => focused(page),
    (text) => (typeof name === "string" ? text === name : name.test(text)),
  );
}

/** Goes on with Tab until the focus is there. */
export async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press("Tab");
    const text = await focused(page);
    if (typeof name === "string" ? text === name : name.test(text)) return;
  }
  throw new Error(`Tab leads nowhere near ${String(name)}.`);
}
