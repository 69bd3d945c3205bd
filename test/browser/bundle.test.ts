/** @file What the library weighs as a browser bundle: all of it, and one operation alone, which must not bring the others along. */

import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bundleForBrowser } from "../lib/chromium.ts";

async function weigh(entry: string) {
  const code = await bundleForBrowser(`test/browser/${entry}.ts`, { minify: true });
  expect(code).not.toMatch(/["'`]node:/);
  const kib = gzipSync(code).length / 1024;
  console.log(`${entry}: ${kib.toFixed(1)} KiB gzipped, ${(code.length / 1024).toFixed(0)} KiB minified`);
  return { code, kib };
}

// What a page takes is what it imports; all of it together, every format, transform and metric, is loaded by nobody and watched for leaps only.
test.each([
  ["segmenting_page", 160],
  ["training_page", 160],
  ["whole_library", 480],
])("%s bundles without a module of Node, in at most %d KiB", async (entry, most) => {
  const { code, kib } = await weigh(entry);
  expect(code).toMatch(/requestAdapter/);
  expect(kib).toBeLessThan(most);
});

test("one operation brings its own shaders and little else", async () => {
  const code = await bundleForBrowser("test/browser/only_relu.ts", { minify: true });
  expect(code).toContain("RELU");
  expect(code).not.toContain("workgroupBarrier"); // of the kernels that add values up
  expect(code.length).toBeLessThan(25_000);
});
