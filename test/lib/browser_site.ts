/** @file A page with modules of the project in a real Chromium, for the tests of one file. */

import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { bundleForBrowser, launchChromium, type Page, servePage } from "./chromium.ts";

export interface BrowserSite {
  /** Address of the page, ending in "/". */
  readonly url: string;
  /** A tab that shows the page: of a visitor of its own, or beside another one of whom it shares the storage. */
  open(beside?: Tab): Promise<Tab>;
}

/** Starts it before the tests of the file and ends it after them. @param modules name at the page → source file of the project */
export function browserSite(modules: Readonly<Record<string, string>> = {}): BrowserSite {
  let browser: Browser;
  let site: Page;
  beforeAll(async () => {
    browser = await launchChromium();
    const bundles = await Promise.all(
      Object.entries(modules).map(async ([name, file]) => [name, await bundleForBrowser(file)] as const),
    );
    site = await servePage({ "index.html": "<!doctype html><title>voxgrad</title>", ...Object.fromEntries(bundles) });
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });
  return {
    get url() {
      return site.url;
    },
    async open(beside) {
      const tab = await (beside?.context() ?? (await browser.newContext())).newPage();
      await tab.goto(site.url);
      return tab;
    },
  };
}

/** What an expression of a page's module, `m`, gives in a tab. As text, because the test runner rewrites the import() of a function. */
export const evaluateIn = <T>(tab: Tab, { url }: BrowserSite, module: string, expression: string): Promise<T> =>
  tab.evaluate(`import("${url}${module}").then((m) => m.${expression})`);
