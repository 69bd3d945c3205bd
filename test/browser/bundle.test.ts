/** @file What the library weighs as a browser bundle: all of it, and one operation alone, which must not bring the others along. */

import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bundleForBrowser } from "../lib/chromium.ts";

test("the library bundles for a browser without a module of Node", async () => {
  const code = await bundleForBrowser("test/browser/whole_library.ts", { minify: true });
  expect(code).not.toMatch(/["'`]node:/);
  expect(code).toMatch(/requestAdapter/);
  const size = gzipSync(code).length;
  console.log(
    `voxgrad, voxgrad/nn, voxgrad/data and voxgrad/seg for a browser: ${(size / 1024).toFixed(1)} KiB gzipped, ${(code.length / 1024).toFixed(0)} KiB minified`,
  );
  // The aim is 160. Without any shader's text it would still be over it: what is left is host code, and its messages.
  // The readers of image formats are 20 of it, of which a bundler that splits leaves 6 (PNG, TIFF) to be loaded when they are wanted.
  expect(size).toBeLessThan(240 * 1024);
});

test("one operation brings its own shaders and little else", async () => {
  const code = await bundleForBrowser("test/browser/only_relu.ts", { minify: true });
  expect(code).toContain("RELU");
  expect(code).not.toContain("workgroupBarrier"); // of the kernels that add values up
  expect(code.length).toBeLessThan(25_000);
});
