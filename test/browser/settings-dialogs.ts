import type { Page } from "playwright-core";

export const openSettings = (page: Page) => page.getByRole("button", { name: "Settings" }).click();
export const settings = (page: Page) => page.getByRole("dialog", { name: "Settings" });
export const asked = (page: Page) => page.getByRole("dialog", { name: "Delete everything?" });
export const confirmation = (page: Page) => page.getByRole("textbox", { name: /to confirm$/ });
export const deleteButton = (page: Page) => asked(page).getByRole("button", { name: "Delete everything" });
export const running = (page: Page) => page.getByRole("heading", { name: "Deleting everything…" });
export const deleted = (page: Page) => page.getByRole("dialog", { name: "Everything is deleted" });
export const isDeletion = (text: string | null) => text?.includes("DeleteEverything") === true;

export async function openQuestion(page: Page): Promise<void> {
  await openSettings(page);
  await settings(page).getByRole("button", { name: "Delete everything…" }).click();
}

export async function deleteEverything(page: Page): Promise<void> {
  await openQuestion(page);
  await confirmation(page).fill("delete");
  await deleteButton(page).click();
}

/** Lets the server do what it is asked for; its answer comes when it is let go, or never. */
export async function holdAnswer(page: Page, then: "answer" | "break"): Promise<() => void> {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/graphql", async (route) => {
    if (!isDeletion(route.request().postData())) return route.continue();
    const response = await route.fetch();
    await released;
    await (then === "answer" ? route.fulfill({ response }) : route.abort());
  });
  return release;
}
