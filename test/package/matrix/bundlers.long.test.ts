/** @file Bundlers: each builds a page and a server's program on the packed library without a complaint; the page trains in Chromium, the program runs. */

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
    app = await installWith(["webpack@5", "vite", "rollup", "@rollup/plugin-node-resolve", "esbuild", "parcel", "webgpu"]);
    addFixtures(app, "bundle");
    browser = await launchChromium();
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    app?.remove();
  });

  const html = (script: string) =>
    `<!doctype html><title>page</title><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`;

  /** What the page of a bundle finds; `loads`: the arguments of each loading of a dataset's module. */
  async function visit(folder: string, loads: readonly string[]) {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.(js|html)$/.test(name));
    const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))]));
    const site = await servePage({ "index.html": html("/page.js"), ...files });
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(site.url);
    await page.waitForFunction("globalThis.load");
    const loaded: unknown[] = [];
    for (const options of loads) loaded.push(await page.evaluate(`load(new URL("./dataset.js", location.href), ${options})`));
    const trained = await page.evaluate<{ losses: number[]; weights: number }>("train()");
    const ownKernels = await page.evaluate("ownKernels()");
    await page.close();
    await site.close();
    expect(problems).toEqual([]);
    for (const values of loaded) expect(values).toEqual([2, 4, 6]);
    expect(trained).toMatchObject({ kept: ["function", "function"] });
    expect(trained.weights).toBeGreaterThan(4);
    expect(trained.losses.length).toBeGreaterThan(2);
    for (const loss of trained.losses) expect(loss).toBeLessThan(1);
    expect(ownKernels).toEqual({ slopes: 3, timed: true });
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

    await visit(join(app.folder, "out", "page"), ["0", '1, "/worker.js"', ...(pageWorkers ? ["1"] : [])]);

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

  // It looks at a package's exports only where it is told to, and makes of a dataset's module a script without exports.
  test("parcel", { timeout: 600_000 }, async () => {
    const file = join(app.folder, "package.json");
    const json = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ ...json, "@parcel/resolver-default": { packageExports: true } }));
    writeFileSync(join(app.folder, "index.html"), html("page.js"));
    const parcel = join("node_modules", "parcel", "lib", "bin.js");
    const built = await app.runLong(process.execPath, [parcel, "build", "index.html", "--no-cache", "--dist-dir", "out/parcel"]);
    expect(built).not.toMatch(/warning/i);
    await visit(join(app.folder, "out", "parcel"), []);
    report(`Parcel ${versionOf(app, "parcel")}`, "no warning, with packageExports; in Chromium trains", "");
  });
});
