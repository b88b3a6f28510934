import type { Page, Request } from "playwright-core";

/** An answer that the server has given and the page does not have yet. */
export interface HeldAnswer {
  /** Resolves when the server has answered. */
  given: Promise<void>;
  /** Lets the page have it; resolves when it has come. */
  release: () => Promise<void>;
}

/** Keeps the answer to the page's next request of `operation` until it is released. What else the server tells comes at once. */
export async function heldAnswer(page: Page, operation: string): Promise<HeldAnswer> {
  let release: () => void = () => undefined;
  let tellGiven: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const given = new Promise<void>((resolve) => (tellGiven = resolve));
  const pattern = new RegExp(`(query|mutation) ${operation}\\(`);
  const isIt = (request: Request) => pattern.test(request.postData() ?? "");
  let held: Request | null = null;
  const arrived = page.waitForResponse((response) => response.request() === held, { timeout: 0 });
  await page.route("**/graphql", async (route) => {
    if (held !== null || !isIt(route.request())) return route.fallback();
    held = route.request();
    const response = await route.fetch();
    tellGiven();
    await released;
    await route.fulfill({ response });
  });
  return {
    given,
    release: async () => {
      release();
      await (await arrived).finished();
    },
  };
}
