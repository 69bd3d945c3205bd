/** @file The built page in a real Chromium, with an eye on what must never happen: other origins, broken policy, errors on the console, long tasks. */

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { build, preview } from "vite";
import { expect } from "vitest";
import { sampleVolume } from "../../app/worker/scans.ts";
import { makeVolume, writeNifti } from "../../src/data/index.ts";
import { launchChromium } from "../lib/chromium.ts";
import { once } from "../lib/once.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const configFile = fileURLToPath(new URL("../../app/vite.config.ts", import.meta.url));

export interface Site {
  readonly url: string;
  /** Where the built files are. */
  readonly folder: string;
  readonly browser: Browser;
  close(): Promise<void>;
}

/** Vite builds what NODE_ENV says, which vitest has set to "test". */
async function asProduction(work: () => Promise<unknown>): Promise<void> {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  try {
    await work();
  } finally {
    process.env.NODE_ENV = before;
  }
}

/** Builds the page, once for all files, and serves it as `npm run app` does. */
export async function openSite(): Promise<Site> {
  const built = await once("page", (outDir) => asProduction(() => build({ configFile, logLevel: "error", build: { outDir } })));
  // A copy, in which tests may change files.
  const folder = mkdtempSync(join(tmpdir(), "voxgrad-app-"));
  cpSync(built, folder, { recursive: true });
  const server = await preview({ configFile, logLevel: "error", build: { outDir: folder }, preview: { port: 0 } });
  const browser = await launchChromium();
  return {
    url: server.resolvedUrls!.local[0],
    folder,
    browser,
    async close() {
      await browser.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Evenly spaced slices of the page's sample, as a packed NIfTI file: those of all 40 take SwiftShader five seconds. */
export async function sampleInSlices(count: number): Promise<Uint8Array> {
  const { data, shape } = sampleVolume();
  const [, nx, ny, nz] = shape;
  const slices = new Float32Array(nx * ny * count);
  for (let i = 0; i < slices.length; i++) slices[i] = data[Math.floor(i / count) * nz + Math.floor(((i % count) * nz) / count)];
  return writeNifti(makeVolume({ data: slices, shape: [1, nx, ny, count] }), { dtype: "f32", gzip: true });
}

/** A visit, and what went wrong in it. */
export class Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  private readonly browser: Browser;
  private readonly wrong: string[] = [];
  private readonly folders: string[] = [];

  private constructor(browser: Browser, page: Page, context: BrowserContext, origin: string) {
    this.browser = browser;
    this.page = page;
    this.context = context;
    context.on("request", (request) => {
      const { protocol, origin: to } = new URL(request.url());
      if (protocol !== "blob:" && protocol !== "data:" && to !== origin) this.wrong.push(`request to ${request.url()}`);
    });
    context.on("console", (message) => {
      // Chromium's own remarks on software rendering are no errors of the page.
      if (message.type() === "error") this.wrong.push(`console: ${message.text()}`);
    });
    context.on("weberror", (error) => this.wrong.push(`uncaught: ${String(error.error())}`));
    context.on("response", (response) => {
      if (response.status() >= 400) this.wrong.push(`${response.status()} ${response.url()}`);
    });
  }

  static async start(
    { browser, url }: Site,
    view = "segment",
    options: BrowserContextOptions = {},
    prepare?: (context: BrowserContext) => Promise<void>,
  ): Promise<Visit> {
    const context = await browser.newContext({ locale: "en", acceptDownloads: true, ...options });
    await context.addInitScript(watchPolicy);
    await prepare?.(context);
    const page = await context.newPage();
    page.setDefaultTimeout(300_000);
    const visit = new Visit(browser, page, context, new URL(url).origin);
    await page.goto(`${url}#${view}`);
    await visit.ready();
    return visit;
  }

  /** Waits for the device. */
  async ready(): Promise<void> {
    await this.page.waitForSelector("footer [data-gpu=software], footer [data-gpu=ready]");
  }

  /** An empty folder, for the time of the visit. */
  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), "voxgrad-drop-"));
    this.folders.push(folder);
    return folder;
  }

  /** Drops files on an element, as a mouse would. */
  drop(selector: string, files: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Promise<void> {
    const folder = this.folder();
    const paths = files.map(({ name, bytes }) => {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      return path;
    });
    return this.dropPaths(selector, paths);
  }

  /** An input of the test's own gives the page the files without a task of its thread; by paths, since contents would be unpacked there. */
  async dropPaths(selector: string, paths: readonly string[]): Promise<void> {
    await this.page.evaluate(() => {
      const input = Object.assign(document.createElement("input"), { type: "file", multiple: true, id: "dropped", hidden: true });
      document.body.append(input);
    });
    await this.page.setInputFiles("#dropped", [...paths]);
    await this.page.evaluate((target) => {
      const input = document.querySelector<HTMLInputElement>("#dropped")!;
      const transfer = new DataTransfer();
      for (const file of input.files!) transfer.items.add(file);
      input.remove();
      const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
      document.querySelector(target)!.dispatchEvent(event);
    }, selector);
  }

  /** Follows the page's thread while something is done: the longest of its tasks in ms, as it lasted and of the processor's time. */
  async longestTask(work: () => Promise<void>): Promise<{ wall: number; processor: number }> {
    const { browser, page } = this;
    await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
    await work();
    const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
    return longestOf(trace.traceEvents);
  }

  /** What axe-core calls serious or critical. */
  async findings(): Promise<string[]> {
    // By the debugger's protocol, which the page's policy does not concern.
    const session = await this.context.newCDPSession(this.page);
    await session.send("Runtime.evaluate", { expression: axe });
    const { result } = await session.send("Runtime.evaluate", {
      expression: "axe.run()",
      awaitPromise: true,
      returnByValue: true,
    });
    const { violations, passes } = result.value as { violations: readonly Finding[]; passes: readonly unknown[] };
    expect(passes.length).toBeGreaterThan(15);
    return violations
      .filter((v) => v.impact === "serious" || v.impact === "critical")
      .map((v) => `${v.id}: ${v.nodes.map((n) => `${String(n.target)} ${n.failureSummary}`).join("; ")}`);
  }

  /** The file that a button saves. */
  async saved(button: string): Promise<string> {
    const [download] = await Promise.all([
      this.page.waitForEvent("download"),
      this.page.getByRole("button", { name: button }).click(),
    ]);
    return (await download.path())!;
  }

  /** Checks that nothing went wrong, and closes. */
  async end(): Promise<void> {
    const { wrong } = this;
    await this.context.close();
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true });
    expect(wrong).toEqual([]);
  }
}

/** Writes the files of an archive whose files are stored as they are. */
export function unpack(archive: Buffer, to: string): void {
  for (let at = 0; archive.readUInt32LE(at) === 0x04034b50;) {
    const size = archive.readUInt32LE(at + 18);
    const [nameLength, extraLength] = [archive.readUInt16LE(at + 26), archive.readUInt16LE(at + 28)];
    const from = at + 30 + nameLength + extraLength;
    const path = join(to, archive.toString("utf8", at + 30, at + 30 + nameLength));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, archive.subarray(from, from + size));
    at = from + size;
  }
}

interface Finding {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly target: unknown; readonly failureSummary: string }[];
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * Of all threads that are a page's, which none of the site's workers is. On a machine whose processors many programs share, how long a task lasts says
 * more of these than of the page; the time that it computed is its own.
 */
function longestOf(events: readonly TraceEvent[]): { wall: number; processor: number } {
  const mains = new Set(
    events.filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain").map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const tasks = events.filter((e) => e.ph === "X" && e.name.endsWith("RunTask") && mains.has(`${e.pid} ${e.tid}`));
  if (tasks.length === 0) throw new Error("the trace has no tasks of the page");
  const most = (of: (e: TraceEvent) => number | undefined): number => Math.max(...tasks.map((e) => (of(e) ?? 0) / 1000));
  return { wall: most((e) => e.dur), processor: most((e) => e.tdur) };
}

/** Runs in the page before anything else. */
function watchPolicy(): void {
  addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
}
