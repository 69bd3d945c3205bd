/** @file What the library weighs as a browser bundle: all of it, and one operation alone, which must not bring the others along. */

import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bundleForBrowser } from "../lib/chromium.ts";
import * as whole from "./whole_library.ts";

async function weigh(entry: string) {
  const code = await bundleForBrowser(`test/browser/${entry}.ts`, { minify: true });
  expect(code).not.toMatch(/["'`]node:/);
  const kib = gzipSync(code).length / 1024;
  console.log(`${entry}: ${kib.toFixed(1)} KiB gzipped, ${(code.length / 1024).toFixed(0)} KiB minified`);
  return { code, kib };
}

// What a page takes is what it imports; all of it together, every format, transform and metric, is loaded by nobody and watched for leaps only.
test.each([
  ["segmenting_page", 106],
  ["training_page", 138],
  ["whole_library", 570],
])("%s bundles without a module of Node, in at most %d KiB", async (entry, most) => {
  const { code, kib } = await weigh(entry);
  expect(code).toMatch(/requestAdapter/);
  expect(kib).toBeLessThan(most);
});

// A bundler that does not split puts what `import()` reaches into functions, and may forget to call them.
test("every export is there in a bundle of one file", async () => {
  const code = await bundleForBrowser("test/browser/whole_library.ts");
  const bundled = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as Record<string, object>;
  expect(Object.keys(bundled).sort()).toEqual(Object.keys(whole).sort());
  for (const [entry, own] of Object.entries(whole)) {
    const there = bundled[entry] as Record<string, unknown>;
    const missing = Object.entries(own).filter(([name, value]) => typeof there[name] !== typeof value);
    expect(
      missing.map(([name]) => name),
      entry,
    ).toEqual([]);
  }
});

test("one operation brings its own shaders and little else", async () => {
  const code = await bundleForBrowser("test/browser/only_relu.ts", { minify: true });
  expect(code).toContain("RELU");
  expect(code).not.toContain("workgroupBarrier"); // of the kernels that add values up
  expect(code.length).toBeLessThan(25_000);
});
