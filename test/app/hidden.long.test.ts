/** @file A tab that is hidden: training and segmenting go on, where the timers of a page run once a second at best. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { Browser } from "../lib/devtools.ts";
import { openSite, type Site } from "./site.ts";

let site: Site;

beforeAll(async () => {
  site = await openSite();
});

afterAll(() => site?.close());

/** The button of a text, once it can be pressed, is pressed. */
const press = (text: string): string =>
  `(() => {
    const found = [...document.querySelectorAll("button")].find((b) => b.textContent.trim() === ${JSON.stringify(text)} && !b.disabled);
    found?.click();
    return found !== undefined;
  })()`;

/** How often a timer of 10 ms fires in three seconds, which messages count, as they are never throttled. */
const ticks = `new Promise((resolve) => {
  let count = 0;
  const timer = setInterval(() => count++, 10);
  const { port1, port2 } = new MessageChannel();
  const start = performance.now();
  port1.onmessage = () => {
    if (performance.now() - start < 3000) return port2.postMessage(0);
    clearInterval(timer);
    resolve(count);
  };
  port2.postMessage(0);
})`;

const hidden = "document.visibilityState === 'hidden'";
const state = "document.querySelector('[data-state]')?.dataset.state";

test("a run that is begun in a tab which is then hidden finishes there, and a scan is segmented", async () => {
  const browser = await Browser.start();
  const tab = await browser.open(`${site.url}#train`);
  await tab.until("!!document.querySelector('footer [data-gpu=software]')");
  await tab.until(press("Use synthetic data"));
  await tab.until(press("Start training"));
  await tab.until("/^Step [1-9]/.test(document.querySelector('.numbers dd')?.textContent ?? '')");
  await browser.open("about:blank"); // in front of it
  await tab.until(hidden);
  expect(await tab.evaluate<number>(ticks)).toBeLessThan(10);
  await tab.until(`${state} === 'finished'`);
  expect(await tab.evaluate(hidden)).toBe(true);

  await tab.evaluate("location.hash = 'segment'");
  await tab.until(press("Use a sample"));
  await tab.until(press("Segment"));
  await tab.until("!!document.querySelector('.results')");
  expect(await tab.evaluate(hidden)).toBe(true);
  expect(await tab.evaluate("document.querySelector('.failure')?.textContent ?? ''")).toBe("");
  await browser.close();
}, 900_000);
