/** @file Bundlers: each builds a page and a server's program on the packed library without a complaint; the page trains in Chromium, the program runs. */

import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium, servePage } from "../../lib/chromium.ts";
import { addFixtures, describeMatrix, report, versionOf } from "../../lib/matrix.ts";
import { type App, installWith } from "../../lib/package.ts";

describeMatrix("bundlers", () => {
  let app: App;
  let browser: Browser;

  beforeAll(async () => {
    app = await installWith(["webpack@5", "vite", "rollup", "@rollup/plugin-node-resolve", "esbuild", "webgpu"]);
    addFixtures(app, "bundle");
    browser = await launchChromium();
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    app?.remove();
  });

  /** What the page of the bundle finds. */
  async function visit(ownWorkers: boolean) {
    const folder = join(app.folder, "out", "page");
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
    const scripts = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))]));
    const html =
      '<!doctype html><title>page</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
    const site = await servePage({ ...scripts, "index.html": html });
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(site.url);
    await page.waitForFunction("globalThis.load");
    const load = (options: string) => page.evaluate(`load(new URL("./dataset.js", location.href), ${options})`);
    const loaded = [await load("0"), await load('1, "/worker.js"')];
    if (ownWorkers) loaded.push(await load("1"));
    const trained = await page.evaluate<{ losses: number[]; weights: number }>("train()");
    const ownKernels = await page.evaluate("ownKernels()");
    await page.close();
    await site.close();
    return { loaded, trained, ownKernels, problems };
  }

  // Of these, two make a script of `new Worker(new URL(…))`, the others leave it to the user, and one makes no bundle for Node.
  test.each([
    ["webpack", { pageWorkers: true, node: "worker" }],
    ["vite", { pageWorkers: true, node: undefined }],
    ["esbuild", { pageWorkers: false, node: "advice" }],
    ["rollup", { pageWorkers: false, node: "advice" }],
  ] as const)("%s", { timeout: 600_000 }, async (bundler, { pageWorkers, node }) => {
    rmSync(join(app.folder, "out"), { recursive: true, force: true });
    expect(await app.runLong(process.execPath, ["build.js", bundler])).toBe("");

    const { loaded, trained, ownKernels, problems } = await visit(pageWorkers);
    expect(problems).toEqual([]);
    for (const values of loaded) expect(values).toEqual([2, 4, 6]);
    expect(trained).toMatchObject({ kept: ["function", "function"] });
    expect(trained.weights).toBeGreaterThan(4);
    expect(trained.losses.length).toBeGreaterThan(2);
    for (const loss of trained.losses) expect(loss).toBeLessThan(1);
    expect(ownKernels).toEqual({ slopes: 3, timed: true });

    if (node) {
      const dataset = join(app.folder, "dataset.js");
      const program = JSON.parse(await app.runLong(process.execPath, [join("out", "node", "server.js"), dataset]));
      expect(program).toMatchObject({ sum: [2, 3], data: [1, 2, 3, 4] });
      if (node === "worker") expect(program.loaded).toEqual([2, 4, 6]);
      else expect(program.loaded).toMatch(/DataError: .*leave voxgrad out of the bundle/);
    }
    const inNode = { worker: "runs, with data workers", advice: "runs; data workers: advice to keep voxgrad external" };
    report(
      `${bundler} ${versionOf(app, bundler)}`,
      `no warning; in Chromium trains, loads a dataset's module, also in a Web Worker${pageWorkers ? "" : " (by openWorker)"}`,
      node ? inNode[node] : "",
    );
  });
});
