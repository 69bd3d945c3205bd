/** @file The public surface: what every entry point exports is on record, named so that nothing is mistaken, documented, and complete. */

import { describe, expect, test } from "vitest";
import { emitDeclarations, entryPoints, type Export, type Surface, surfaceOf } from "./surface.ts";
import type { Finding } from "./words.ts";

/** Names of one entry that differ by case only. */
function alike(exports: readonly Export[]): string[][] {
  const groups = Object.groupBy(exports, ({ entry, name }) => `${entry} ${name.toLowerCase()}`);
  return Object.values(groups).flatMap((group) => (group!.length > 1 ? [group!.map(({ name }) => name)] : []));
}

/** What words lack, by rule, a line each. */
const lacking = ({ words }: Surface, rule: Finding["rule"]): string[] =>
  words.findings.filter((f) => f.rule === rule).map(({ what, file }) => `${what} (${file})`);

describe("the package", () => {
  const entries = entryPoints();
  const surface = surfaceOf(emitDeclarations(), entries);

  test.each(entries)("%s exports what is on record", async (entry) => {
    const own = surface.exports.filter((e) => e.entry === entry).sort((a, b) => (a.name < b.name ? -1 : 1));
    const record = `${entry.split("/").slice(1).join("-") || "index"}.txt`;
    const changed = `The public surface of ${entry} has changed. If that is meant, run "npm run api", look at the difference and commit it`;
    await expect(`${own.map((e) => e.text).join("\n\n")}\n`, changed).toMatchFileSnapshot(record);
  });

  test("every type in a public signature is exported", () => {
    expect(surface.leaks, "export these types, or mark the members that name them @internal").toEqual([]);
  });

  // The rules stand in words.ts.
  test("every export, member and parameter has a description", () => {
    expect(surface.words.parts).toBeGreaterThan(5000);
    expect(lacking(surface, "description")).toEqual([]);
    expect(lacking(surface, "parameter")).toEqual([]);
  });

  test("what takes, gives or holds arrays tells their shapes, and quantities tell their unit", () => {
    expect(lacking(surface, "shape")).toEqual([]);
    expect(lacking(surface, "unit")).toEqual([]);
  });

  test("no two exports of an entry differ by case only", () => {
    expect(alike(surface.exports)).toEqual([]);
  });
});

describe("the reader of declarations", () => {
  const files = new Map([
    ["index.d.ts", 'export * from "./a.ts";\nexport { type Listed, type Named, type Shown as Renamed, f } from "./b.ts";'],
    ["a.d.ts", "/** Documented. */\nexport declare class Part<T> {\n    private readonly hidden;\n    a(x: T): Promise<T>;\n}"],
    [
      "b.d.ts",
      `import { type Hidden } from "./c.ts";
       export interface Shown { readonly hidden: Hidden; }
       interface Local {}
       type Word<T> = T | "other";
       export type Named = Word<Local>;
       export type Listed = readonly Word<number>[];
       export declare function f(x: Shown, y: Local): import("./c.ts").Other;
       export declare const part: number;`,
    ],
    ["c.d.ts", "export interface Hidden {}\nexport interface Other {}"],
    ["second.d.ts", 'export { part } from "./b.ts";\nexport { Part } from "./a.ts";'],
  ]);
  const surface = surfaceOf(files, [
    ["one", "index.d.ts"],
    ["two", "second.d.ts"],
  ]);
  const { exports, leaks } = surface;

  test("finds types that nobody exports, also behind import() and under another name", () => {
    expect(leaks).toEqual([
      "Hidden (c.ts) in one: Renamed",
      "Local (b.ts) in one: f",
      "Other (c.ts) in one: f",
      "Word (b.ts) in one: Listed",
    ]);
  });

  test("finds names that differ by case only", () => {
    expect(alike(exports)).toEqual([["part", "Part"]]);
  });

  test("prints declarations without what is private", () => {
    const text = (name: string) => exports.find((e) => e.name === name)?.text;
    expect(text("Part")).toBe("class Part<T> {\n    a(x: T): Promise<T>;\n}");
    expect(text("Renamed")).toBe("Renamed: interface Shown {\n    readonly hidden: Hidden;\n}");
    expect(text("part")).toBe("const part: number;");
  });
});

describe("the reader of comments", () => {
  const read = (text: string, rule: Finding["rule"]): string[] =>
    // A comment belongs to what begins on its line only if that line is its own.
    lacking(surfaceOf(new Map([["index.d.ts", text.replaceAll("/**", "\n/**")]]), [["one", "index.d.ts"]]), rule).map((line) =>
      line.replace(" (index.ts)", ""),
    );

  test("finds exports and members without a description, and with one that is only the name", () => {
    const text = `export declare const part: number;
      /** A base. */ export interface Base { /** What is done. */ act(): void; }
      /** A class. */ export declare class Made implements Base { act(): void; size: number; private hidden; }
      /** Options. */ export interface Options { /** The line width. */ lineWidth: number; kind: "tag"; /** Told. */ at: { x: number } }
      /** Gives \`low\`. */ export declare function range(): { low: number; high: number };`;
    expect(read(text, "description")).toEqual(["range.high", "part", "Made.size", "Options.lineWidth", "Options.at.x"]);
  });

  test("finds parameters that nothing tells of", () => {
    const text = `/** Ours. */ export interface Given { /** Told. */ a: number }
      /** Of \`x\`. @param y told */ export declare function f(x: number, y: number, z: number, given: Given): void;
      /** Base. */ export declare class Base { /** Told of \`n\`. */ go(n: number): void }
      /** Like it. */ export declare class Made extends Base { go(m: number): void; constructor(size: number); }
      /** Options. */ export interface Options { /** Told. */ on: (done: number) => void }`;
    expect(read(text, "parameter")).toEqual(["f.z", "Made().size", "Options.on.done"]);
  });

  test("finds arrays without a shape, also in lists, promises and functions", () => {
    const text = `/** Blurs x in [0, 1]. */ export declare function blur(x: Tensor): Promise<Volume[]>;
      /** Of [C, …]. */ export declare function fine(x: Tensor): Tensor;
      /** Options. */ export interface Options { /** Told. */ act: (x: HostArray) => void; /** Of any shape. */ mask: HostArray }`;
    expect(read(text, "shape")).toEqual(["blur.x", "blur", "Options.act.x"]);
  });

  test("finds quantities without a unit", () => {
    const text = `/** Options. */ export interface Options { /** Told. */ spacing: readonly number[]; /** In mm. */ newSpacing: readonly number[];
      /** Told. */ maxBytes: number; /** Told. */ sigma: "auto"; /** Told. */ seconds?: number; /** Voxels per axis. */ patchSize: number }
      /** Blurs. @param radius in voxels */ export declare function blur(radius: number, angle: number): void;`;
    expect(read(text, "unit")).toEqual(["blur.angle", "Options.spacing", "Options.maxBytes", "Options.seconds"]);
  });
});
