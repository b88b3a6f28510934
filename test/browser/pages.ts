import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "@jest/globals";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { findChromium, quietFlags } from "./chromium.js";

export const desktop = { width: 1280, height: 800 };
export const phone = { width: 390, height: 780 };

/** Where `npm run test:browser` leaves its screenshots. */
const screenshotFolder = "coverage/screenshots";

export interface OpenOptions extends BrowserContextOptions {
  /** Runs in the page before its own scripts. */
  before?: () => void;
}

/** What the page has said in its console that it should not have said. */
const complaints: string[] = [];
const contexts = new Set<BrowserContext>();

/** One browser for all tests of a file; each opens tabs of its own. */
export function sharedBrowser(flags: readonly string[] = []): {
  /** A window of its own, with an empty memory. */
  openWindow: (options?: OpenOptions) => Promise<BrowserContext>;
  /** The only tab of a window of its own. */
  openPage: (url: string, options?: OpenOptions) => Promise<Page>;
} {
  let browser: Browser | null = null;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: findChromium(), args: [...quietFlags, ...flags] });
  });
  afterAll(async () => {
    await browser?.close();
  });
  const openWindow = async ({ before, ...options }: OpenOptions = {}) => {
    if (browser === null) throw new Error("the browser has not started");
    const context = await browser.newContext({ viewport: desktop, ...options });
    context.setDefaultTimeout(40_000);
    contexts.add(context);
    if (before !== undefined) await context.addInitScript(before);
    context.on("weberror", (error) => complaints.push(String(error.error())));
    context.on("console", (message) => {
      if (message.type() === "error" && !isExpected(message.text())) complaints.push(message.text());
    });
    return context;
  };
  const openPage = async (url: string, options?: OpenOptions) => {
    const context = await openWindow(options);
    return openTab(context, url);
  };
  return { openWindow, openPage };
}

export async function openTab(window: BrowserContext, url: string): Promise<Page> {
  const page = await window.newPage();
  await page.goto(url);
  return page;
}

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshotFolder, { recursive: true });
  await page.screenshot({ path: join(screenshotFolder, `${name}.png`) });
}

/** A browser itself says where a server is away; no page can keep it from that. */
function isExpected(text: string): boolean {
  return /net::ERR_|WebSocket connection to|status of (4|5)\d\d/.test(text);
}

afterEach(async () => {
  await Promise.all([...contexts].map((context) => context.close()));
  contexts.clear();
  const told = complaints.splice(0);
  if (told.length > 0) throw new Error(`The page complained: ${told.join("\n")}`);
});
