/** @file How the page is built: sources of the library as they stand, workers as modules, everything from its own origin. */

import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { defineConfig, type Plugin, type Rolldown } from "vite";
import { headers, metaPolicy } from "./policy.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
// Of package imports (#gpu) and of "voxgrad/seg" the TypeScript sources.
const conditions = ["voxgrad-source", "module", "browser", "development|production"];

/** Writes the policy into the page. Not while it is developed, when Vite injects styles. */
const policy: Plugin = {
  name: "policy",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: metaPolicy }, injectTo: "head-prepend" },
  ],
};

/** Of NiiVue's reader of OME-Zarr, which the page never calls: megabytes that nobody should have to keep. */
const neverNeeded = /^(blosc|zstd|lz4)-.*\.js$/;

/** Builds the service worker when all other files are there. */
function serviceWorker(): Plugin {
  let folder = "";
  return {
    name: "service-worker",
    apply: "build",
    configResolved: ({ root, build: { outDir } }) => void (folder = resolve(root, outDir)),
    async closeBundle() {
      const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
        .filter((f) => f.isFile() && f.name !== "sw.js" && !neverNeeded.test(f.name))
        .map((f) =>
          join(f.parentPath, f.name)
            .slice(folder.length + 1)
            .replaceAll("\\", "/"),
        )
        .sort();
      const hash = createHash("sha256");
      for (const name of names) hash.update(name).update(await readFile(join(folder, name)));
      const precached = ["./", ...names.filter((n) => n !== "index.html")];
      const { outputFiles } = await build({
        entryPoints: [here("sw.ts")],
        bundle: true,
        minify: true,
        write: false,
        format: "iife",
        define: { precached: JSON.stringify(precached), version: JSON.stringify(hash.digest("hex").slice(0, 12)) },
      });
      await writeFile(join(folder, "sw.js"), outputFiles[0].contents);
    },
  };
}

// What Emscripten writes names modules of Node, which it loads only there; and how long plugins took helps nobody who wants the page.
const rolldownOptions: Rolldown.InputOptions = {
  checks: { pluginTimings: false },
  onLog(level, log, handle) {
    if (!/^Module "(fs|path|crypto)" has been externalized/.test(log.message.replace(/^\[[^\]]*\] /, ""))) handle(level, log);
  },
};

export default defineConfig({
  root: here("."),
  base: "./",
  resolve: { conditions },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es", rolldownOptions },
  plugins: [policy, serviceWorker()],
  preview: { headers, host: "localhost" },
  server: { host: "localhost" },
  build: {
    target: "es2023",
    outDir: "dist",
    emptyOutDir: true,
    // Nothing as a data URL, which the policy would have to allow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    rolldownOptions,
  },
});
