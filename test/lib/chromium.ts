/** @file A real Chromium for tests that need a browser: the launch flags, a bundle of the sources and a page to load it from. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium, type Browser } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** WebGPU runs on SwiftShader, which Chromium brings along, on every machine. */
export const chromiumFlags = ["--headless=new", "--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** The browser that the set-up found. */
export function chromiumPath(): string {
  const path = process.env.VOXGRAD_CHROMIUM;
  if (path) return path;
  throw new Error(
    "no Chromium for the browser tests: run them with `npm test`, whose set-up finds or fetches one, " +
      "or set VOXGRAD_CHROMIUM to the path of a Chromium or Google Chrome",
  );
}

export const launchChromium = (): Promise<Browser> => chromium.launch({ executablePath: chromiumPath(), args: chromiumFlags });

/**
 * An ES module for a page from a source file of the project (path relative to its root), or from a text that stands for one there. `#gpu` becomes navigator.gpu.
 * Minified it is what a site would ship, otherwise it carries a source map.
 */
export async function bundleForBrowser(
  entry: string | { readonly text: string },
  { minify = false, external = [] as string[] } = {},
): Promise<string> {
  const result = await build({
    absWorkingDir: root,
    ...(typeof entry === "string"
      ? { entryPoints: [entry] }
      : { stdin: { contents: entry.text, resolveDir: root, loader: "ts" as const } }),
    external,
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2024",
    conditions: ["voxgrad-source"],
    minify,
    sourcemap: minify ? false : "inline",
    logLevel: "silent",
  });
  return result.outputFiles[0].text;
}

export interface Page {
  /** Address of the page, ending in "/". */
  url: string;
  close(): Promise<void>;
}

/** Serves `files` (path without leading slash → contents) on localhost, a secure context, as WebGPU requires, with these headers too. */
export async function servePage(
  files: Record<string, string | Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Page> {
  const types: Record<string, string> = { html: "text/html", js: "text/javascript", css: "text/css", json: "application/json" };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname.slice(1) || "index.html";
    const body = files[path];
    const type = types[path.split(".").at(-1) ?? ""] ?? "application/octet-stream";
    // Cross-origin isolation gives the page SharedArrayBuffer and timers of full resolution.
    response.writeHead(body === undefined ? 404 : 200, {
      "Content-Type": type,
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
      ...headers,
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
