/** @file Web Workers load data in a real Chromium: the same batches as in Node, for any number of them; a dead one is named. */

import type { Page as Tab } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { browserSite, evaluateIn } from "../lib/browser_site.ts";
import { loaded } from "./worker_loading.ts";

const site = browserSite({
  "loading.js": "test/browser/worker_loading.ts",
  "dataset.js": "test/browser/worker_dataset.ts",
  "worker.web.js": "src/data/loading/worker.web.ts",
});
let tab: Tab;
beforeAll(async () => {
  tab = await site.open();
});

const inPage = (call: string): Promise<any> => evaluateIn(tab, site, "loading.js", call);
const here = new URL("./worker_dataset.ts", import.meta.url).href;

test("two epochs are those of Node, for 0, 1 and 3 workers, and go on where a run ended", async () => {
  for (const kind of ["map", "patches"] as const) {
    const args = { kind, images: 10 };
    const inNode = await loaded(here, args, { numWorkers: 0 }, 1);
    for (const numWorkers of [0, 1, 3]) {
      expect(await inPage(`loaded("${site.url}dataset.js", ${JSON.stringify(args)}, { numWorkers: ${numWorkers} }, 1)`)).toEqual(
        inNode,
      );
    }
  }
});

test("a worker that dies, and one that cannot be loaded, are errors that say what it was about", async () => {
  const args = JSON.stringify({ kind: "map", images: 6, dies: 2 });
  expect(await inPage(`failure("${site.url}dataset.js", ${args}, { numWorkers: 2, shuffle: false })`)).toMatch(
    /^DataError: DataLoader: data worker 0 ended before its work was done while it prepared item 2 \("case 2"\), after item 0 \("case 0"\)$/,
  );
  expect(await inPage(`failure("${site.url}none.js", ${args}, { numWorkers: 1 })`)).toMatch(
    /^ConfigError: .*none\.js cannot be loaded/,
  );
  const lost = `{ numWorkers: 1, openWorker: () => new Worker("${site.url}lost.js", { type: "module" }) }`;
  expect(await inPage(`failure("${site.url}dataset.js", ${args}, ${lost})`)).toMatch(
    /^DataError: DataLoader: data worker 0 failed/,
  );
});

test("a page that may not open a worker is told so, and a worker that gets no locks, as in a sandbox, does without", async () => {
  const args = JSON.stringify({ kind: "map", images: 6 });
  const refused = `{ numWorkers: 1, openWorker: () => { throw new DOMException("not here", "SecurityError"); } }`;
  expect(await inPage(`failure("${site.url}dataset.js", ${args}, ${refused})`)).toMatch(
    /^ConfigError: DataLoader: a Web Worker cannot be opened here \(not here\); .*numWorkers: 0$/,
  );
  const noLocks = `LockManager.prototype.request = () => Promise.reject(new DOMException("no origin", "SecurityError"));`;
  const scriptOf = (text: string) => `URL.createObjectURL(new Blob([${text}], { type: "text/javascript" }))`;
  const script = scriptOf(`'import "' + ${scriptOf(JSON.stringify(noLocks))} + '"; import "${site.url}worker.web.js";'`);
  const options = (more: string) => `{ numWorkers: ${more} }`;
  const load = (o: string) => inPage(`loaded("${site.url}dataset.js", ${args}, ${o})`);
  expect(await load(options(`1, openWorker: () => new Worker(${script}, { type: "module" })`))).toEqual(await load(options("0")));
});
