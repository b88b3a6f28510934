import type { Page } from "playwright-core";
import type { NewApiKey } from "../../src/auth/api-keys.js";
import { TestParley } from "../helpers/parley.js";
import { keyOf as keyOfPerson, revokeKey } from "../helpers/people.js";

export interface Key {
  id: string;
  key: string;
}

/** What people see of signing in. */
export const signInParts = {
  field: (page: Page) => page.getByRole("textbox", { name: "Token or key" }),
  again: (page: Page) => page.getByRole("dialog", { name: "Sign in again" }),
};

/** A server that wants a key of everybody. */
export const startWithKeys = () => TestParley.start("sqlite", { env: { AUTH: "api-key" } });

export async function keyOf(
  parley: TestParley,
  owner: string,
  changes: Partial<NewApiKey> = {},
): Promise<Key> {
  const { id, headers } = await keyOfPerson(parley, owner, changes);
  return { id, key: headers.authorization.replace("Bearer ", "") };
}

export const revoke = (parley: TestParley, { id }: Key) => revokeKey(parley, id);

export async function signIn(page: Page, { key }: Pick<Key, "key">): Promise<void> {
  await signInParts.field(page).fill(key);
  await signInParts.field(page).press("Enter");
}

/** All that the browser keeps of the page, and where the page is. */
export const kept = (page: Page) =>
  page.evaluate<string>(
    "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state])",
  );
