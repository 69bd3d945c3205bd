/** @file The TypeScript of README and docs is type-checked and runs as printed, on the packed library; its commands exist. */

import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { callCli } from "../lib/call_cli.ts";
import { launchChromium, servePage } from "../lib/chromium.ts";
import { dicomSlice } from "../lib/dicom_file.ts";
import { type App, checkTypes, installPackage, root } from "../lib/package.ts";
import { writeTinyDataset } from "../lib/tiny.ts";

interface Block {
  /** `docs/start.md:12`. */
  readonly at: string;
  /** "" runs in Node; "worker" and "page" belong to one page. */
  readonly kind: string;
  readonly code: string;
  /** The block of text behind it: what is printed, … for anything. */
  readonly printed: string | undefined;
}

const pages = [
  "README.md",
  "README.zh.md",
  ...globSync("docs/**/*.md", { cwd: root }).filter((page) => !page.startsWith("docs/api/")),
];

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(root, page), "utf8");
  const found = text.matchAll(/^```ts ?(\w*)\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?/gms);
  return Array.from(found, ({ index, 1: kind, 2: code, 3: printed }) => {
    return { at: `${page}:${text.slice(0, index).split("\n").length}`, kind, code, printed };
  });
}

const blocks = pages.flatMap(blocksOf);
/** Code without what is said of it, which is in two languages in the READMEs. */
const plain = ({ code }: Block): string => code.replaceAll(/ *\/\/.*/g, "");
/** Those that run in Node, with all that are the same code and print what each of them says. */
const inNode = Array.from(
  Map.groupBy(
    blocks.filter((b) => b.kind === ""),
    plain,
  ).values(),
  ([first, ...others]) => ({
    ...first,
    printed: [first, ...others].flatMap((b) => b.printed ?? []),
  }),
);
const fileOf = ({ at, kind }: Pick<Block, "at" | "kind">) => `${kind || "block"}_${at.replace(/\W+/g, "_")}.ts`;
let app: App;
const at = (...names: string[]) => join(app.folder, ...names);

beforeAll(async () => {
  app = await installPackage();
  await writeTinyDataset(at("Task04_Hippocampus"), { 0: "background", 1: "Anterior", 2: "Posterior" });
  cpSync(at("Task04_Hippocampus", "imagesTr", "case0.nii.gz"), at("scan.nii.gz"));
  mkdirSync(at("ct"));
  for (const instance of [1, 2, 3, 4]) writeFileSync(at("ct", `${instance}.dcm`), dicomSlice({ instance }));
  cpSync(join(root, "test/fixtures/nnunet_results"), at("nnUNetTrainer__nnUNetPlans__3d_fullres"), { recursive: true });
  app.runModule(`
    import { writeFileSync } from "node:fs";
    import { openDevice } from "voxgrad";
    import { BasicUNet } from "voxgrad/seg";
    import { writeSafetensors } from "voxgrad/weights";
    const device = await openDevice();
    const model = new BasicUNet(device, { spatialDims: 2, features: [8, 8, 16, 16, 32, 8] });
    writeFileSync("model.pt", writeSafetensors(await model.stateDict()));
    device.close();`);
  for (const block of blocks) writeFileSync(at(fileOf(block)), block.code);
}, 300_000);
afterAll(() => app?.remove());

test("there are blocks in every tutorial and how-to, and both READMEs have the same", () => {
  expect(blocks.length).toBeGreaterThan(30);
  for (const page of pages.filter((p) => /tutorials|how_to\/(?!bundlers|embed)/.test(p)))
    expect(
      blocks.some((b) => b.at.startsWith(page)),
      page,
    ).toBe(true);
  expect(blocksOf("README.zh.md").map(plain)).toEqual(blocksOf("README.md").map(plain));
});

test("the table of lines is right, and none is more than half of the original's", () => {
  const table = readFileSync(join(root, "docs/README.md"), "utf8").matchAll(/^\| \[[^\]]+\]\((\S+)\) +\| (\d+) +\| (\d+) +\|$/gm);
  const rows = Array.from(table, ([, path, ours, theirs]) => ({ path, ours: Number(ours), theirs: Number(theirs) }));
  expect(rows.map(({ theirs }) => theirs)).toEqual([143, 334, 188, 176, 128]);
  for (const { path, ours, theirs } of rows) {
    const page = join("docs", path);
    // Of a tutorial the longest block, which does all of it.
    const codes = page.endsWith(".md") ? blocksOf(page).map(({ code }) => code) : [readFileSync(join(root, page), "utf8")];
    const lines = codes.map((code) => code.split("\n").filter((line) => /\S/.test(line) && !/^\s*\/[/*]/.test(line)).length);
    expect(Math.max(...lines), page).toBe(ours);
    expect(2 * ours, page).toBeLessThanOrEqual(theirs);
  }
});

test("a block trains into no folder that a command of its page has trained into", () => {
  for (const page of pages) {
    const text = readFileSync(join(root, page), "utf8");
    const commands = new Set(Array.from(text.matchAll(/^npx voxgrad train .*--out (\S+)/gm), ([, out]) => out));
    const stores = Array.from(text.matchAll(/folderStore\("([^"]+)"\)/g), ([, store]) => store);
    expect(
      stores.filter((store) => commands.has(store)),
      page,
    ).toEqual([]);
  }
});

test("all of it is type-checked, as strictly as there is", { timeout: 300_000 }, () => {
  checkTypes(app, inNode.map(fileOf));
  checkTypes(app, blocks.filter((b) => b.kind !== "").map(fileOf));
});

/** A pattern of what is printed; runs of spaces count as one, as they depend on the widths of numbers. */
function pattern(printed: string): RegExp {
  const escaped = printed.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("…", ".*").replace(/[^\S\n]+/g, "\\s+")}$`);
}

describe("runs", () => {
  beforeEach(() => rmSync(at("runs"), { recursive: true, force: true }));

  test.each(inNode.map((block) => [block.at, block] as const))("%s", { timeout: 300_000 }, (_, block) => {
    const printed = app.run(process.execPath, [fileOf(block)]);
    for (const expected of block.printed) expect(printed.trim()).toMatch(pattern(expected));
  });

  test("the page with a worker", { timeout: 300_000 }, async () => {
    const [worker, page] = ["worker", "page"].map((kind) => blocks.filter((b) => b.kind === kind));
    expect([worker.length, page.length]).toEqual([1, 1]);
    const bundle = async (block: Block) => {
      const options = { bundle: true, write: false, format: "esm", absWorkingDir: app.folder } as const;
      return (await build({ ...options, entryPoints: [fileOf(block)] })).outputFiles[0].text;
    };
    const html = '<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="/page.js"></script>';
    const site = await servePage({
      "index.html": html,
      "page.js": await bundle(page[0]),
      "segment.worker.js": await bundle(worker[0]),
    });
    const browser = await launchChromium();
    try {
      const tab = await browser.newPage();
      await tab.goto(site.url);
      await tab.waitForSelector("body[data-done]", { timeout: 200_000, state: "attached" });
      expect(await tab.getAttribute("body", "data-done")).toBe("2,20,20,20");
    } finally {
      await browser.close();
      await site.close();
    }
  });
});

test("commands and their flags are those of the command line", { timeout: 300_000 }, async () => {
  const lines = pages.flatMap((page) => {
    const shell = readFileSync(join(root, page), "utf8").matchAll(/^```sh\n(.*?)^```$/gms);
    return Array.from(shell, ([, text]) => text.split("\n")).flat();
  });
  const calls = lines.flatMap((line) => {
    const words = /^(?:npx )?voxgrad ([^#]*)/.exec(line)?.[1].trim().split(/\s+/);
    return words ? [words] : [];
  });
  expect(calls.length).toBeGreaterThan(40);
  const helpOf = ([command, ...words]: readonly string[]): string => {
    const recipe = words.includes("--recipe") ? words[words.indexOf("--recipe") + 1] : undefined;
    return [command, ...(recipe && !recipe.includes(".") ? ["--recipe", recipe] : []), "--help"].join(" ");
  };
  // In this process: some thirty of their own take ten seconds.
  const help = async (args: string) => (await callCli(args.split(" "))).stdout;
  const overview = await help("--help");
  const helps = new Map<string, string>();
  for (const key of new Set(calls.map(helpOf))) helps.set(key, await help(key));
  for (const call of calls) {
    const [command, ...words] = call;
    expect(overview, command).toContain(`  voxgrad ${command} `);
    for (const flag of words.filter((w) => /^--\w/.test(w)))
      expect(helps.get(helpOf(call)), `${command} ${flag}`).toContain(flag);
  }
});

test("the import map of a page without a bundler has all that the package imports by its own names", () => {
  const page = readFileSync(join(root, "docs/how_to/bundlers.md"), "utf8");
  const { imports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const inPages = Object.entries<{ default: { default: string } }>(imports).map(([name, { default: web }]) => [
    name,
    web.default,
  ]);
  expect(inPages.length).toBeGreaterThan(2);
  for (const [name, file] of inPages) expect(page).toContain(`"${name}": "/node_modules/voxgrad/${file.slice(2)}"`);
});

test.each(["the project", "the package"])("links lead somewhere in %s", (where) => {
  const folder = where === "the project" ? root : at("node_modules", "voxgrad");
  for (const page of [...pages, "ARCHITECTURE.md", "CONTRIBUTING.md"]) {
    for (const [, link] of readFileSync(join(folder, page), "utf8").matchAll(/\]\(((?!https?:|#)[^)#]+)[^)]*\)/g)) {
      const file = join(folder, dirname(page), link);
      expect(existsSync(file), `${page}: ${link}`).toBe(true);
    }
  }
});
