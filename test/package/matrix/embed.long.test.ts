/** @file The page of docs/how_to/embed.md, as printed there, does what it says under the policy that it names: files, Stop, errors, offline. */

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeVolume, readImage, writeNifti } from "../../../src/data/index.ts";
import { openModel } from "../../../src/seg/index.ts";
import { launchChromium, servePage } from "../../lib/chromium.ts";
import { device } from "../../lib/device.ts";
import { dicomSlice } from "../../lib/dicom_file.ts";
import { describeMatrix } from "../../lib/matrix.ts";
import { type App, installWith, root } from "../../lib/package.ts";

const text = readFileSync(join(root, "docs/how_to/embed.md"), "utf8");
const policy = /`(default-src [^`]+)`/.exec(text)![1];
const html =
  '<!doctype html><meta charset="utf-8"><link rel="icon" href="icon.svg"><input id="files" type="file" multiple><button id="stop">Stop</button>' +
  '<p id="status"></p><script type="module" src="/src/page.js"></script>';

describeMatrix("the page of the how-to", () => {
  let app: App;
  let browser: Browser;
  const model = readFileSync(join(root, "test/fixtures/onnx/monai_unet.onnx"));
  const image = makeVolume({ data: Float32Array.from({ length: 9600 }, (_, i) => (i * 37) % 101), shape: [1, 20, 24, 20] });

  beforeAll(async () => {
    app = await installWith(["vite"]);
    const files: Record<string, string | Uint8Array> = {
      "index.html": html,
      "public/icon.svg": "<svg/>",
      "public/model.onnx": model,
    };
    for (const [, name, code] of text.matchAll(/^```js (\S+)\n(.*?)^```$/gms)) files[name] = code;
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(app.folder, name)), { recursive: true });
      writeFileSync(join(app.folder, name), content);
    }
    await app.runLong(process.execPath, [join("node_modules", "vite", "bin", "vite.js"), "build", "--logLevel", "error"]);
    browser = await launchChromium();
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    app?.remove();
  });

  const says = (page: Page, what: RegExp) =>
    expect.poll(() => page.textContent("#status"), { timeout: 120_000, interval: 10 }).toMatch(what);
  const named = (name: string, bytes: Uint8Array) => ({ name, mimeType: "", buffer: Buffer.from(bytes) });

  test("segments as Node does, stops, tells errors, and works offline", { timeout: 600_000 }, async () => {
    const out = join(app.folder, "dist");
    const names = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((name) => statSync(join(out, name)).isFile());
    const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(out, name))]));
    const site = await servePage({ ...files, "": files["index.html"] }, { "Content-Security-Policy": policy });
    const context = await browser.newContext({ acceptDownloads: true });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(site.url);

    const scan = named("scan.nii", await writeNifti(image));
    const labels = async () => {
      const download = page.waitForEvent("download", { timeout: 120_000 });
      await page.setInputFiles("#files", []);
      await page.setInputFiles("#files", [scan]);
      return (await readImage(readFileSync(await (await download).path()))).data;
    };
    const files32 = { name: "model.onnx", paths: ["model.onnx"], read: async () => new Uint8Array(model) };
    const inNode = await openModel(await device(), files32);
    const expected = (await inNode.segment(image)).labels.data;
    expect(await labels()).toEqual(expected);
    await says(page, /^done$/);

    await page.setInputFiles("#files", []);
    await page.setInputFiles("#files", [scan]);
    await says(page, /^\d+ of \d+, \d+ s left$/);
    await page.click("#stop");
    await says(page, /^AbortError: /);

    const slices = [1, 2, 3, 4].map((instance) => named(`${instance}.dcm`, dicomSlice({ instance })));
    await page.setInputFiles("#files", slices);
    await says(page, /^done$/);
    await page.setInputFiles("#files", [named("scan.nii.gz", new TextEncoder().encode("<!doctype html>"))]);
    await says(page, /^Format: readImage: scan\.nii\.gz is a web page/);

    const active = () => navigator.serviceWorker.getRegistration().then((found) => found?.active?.state);
    await expect.poll(() => page.evaluate(active), { timeout: 30_000 }).toBe("activated");
    await site.close();
    await page.reload();
    expect(await labels()).toEqual(expected);
    expect(problems).toEqual([]);
    await context.close();
  });
});
