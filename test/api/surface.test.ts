/** @file The public surface: what every entry point exports is on record, named so that nothing is mistaken, documented, and complete. */

import { describe, expect, test } from "vitest";
import { emitDeclarations, entryPoints, type Export, surfaceOf } from "./surface.ts";

/** Names of one entry that differ by case only. */
function alike(exports: readonly Export[]): string[][] {
  const groups = Object.groupBy(exports, ({ entry, name }) => `${entry} ${name.toLowerCase()}`);
  return Object.values(groups).flatMap((group) => (group!.length > 1 ? [group!.map(({ name }) => name)] : []));
}

const undocumented = (exports: readonly Export[]): string[] =>
  exports.filter((e) => !e.documented).map(({ name, file }) => `${name} (${file})`);

/** Functions that take arrays and say neither a shape, "[N, C, …]", nor where it is said. */
const withoutShape = (exports: readonly Export[]): string[] =>
  exports
    .filter(({ value, parts }) => value && parts.some(({ type }) => /\b(Tensor|HostArray|Volume)\b/.test(type)))
    .filter(
      ({ told, parts }) =>
        !/\[[^\]]+\]|shape|scalar|one element|any number of axes/i.test([told, ...parts.map((p) => p.told)].join(" ")),
    )
    .map(({ name, file }) => `${name} (${file})`);

/** Distances and sizes in space without their unit. */
const withoutUnit = (exports: readonly Export[]): string[] =>
  exports.flatMap(({ name, file, told, parts }) =>
    parts
      .filter(
        (part) =>
          /^(?:\w+S|s)pacing$|^(?:\w+D|d)iameter$|^(?:\w+R|r)adius$|^pixdim$|^voxelSize$/.test(part.name) &&
          /number/.test(part.type),
      )
      .filter((part) => !/\bmm\b|millimet|voxel|pixel|element|unit/i.test(`${told} ${part.told}`))
      .map((part) => `${name}.${part.name} (${file})`),
  );

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

  test("every export has a description", () => {
    expect(undocumented(surface.exports)).toEqual([]);
  });

  test("functions of tensors, arrays and volumes tell the shapes, and lengths in space tell their unit", () => {
    expect(withoutShape(surface.exports)).toEqual([]);
    expect(withoutUnit(surface.exports)).toEqual([]);
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
  const { exports, leaks } = surfaceOf(files, [
    ["one", "index.d.ts"],
    ["two", "second.d.ts"],
  ]);

  test("finds types that nobody exports, also behind import() and under another name", () => {
    expect(leaks).toEqual([
      "Hidden (c.ts) in one: Renamed",
      "Local (b.ts) in one: f",
      "Other (c.ts) in one: f",
      "Word (b.ts) in one: Listed",
    ]);
  });

  test("finds what has no description, and names that differ by case only", () => {
    expect(undocumented(exports)).toEqual(["Listed (b.ts)", "Named (b.ts)", "Renamed (b.ts)", "f (b.ts)", "part (b.ts)"]);
    expect(alike(exports)).toEqual([["part", "Part"]]);
  });

  test("finds arrays without a shape and lengths without a unit", () => {
    const text = `/** Blurs. */ export declare function blur(x: Tensor, radius: number): void;
      /** Of [C, …]. @param radius in voxels */ export declare function fine(x: Tensor, radius: number): void;
      /** Options. */ export interface Options {\n readonly spacing: readonly number[];\n /** In mm. */\n readonly newSpacing: readonly number[];\n}`;
    const found = surfaceOf(new Map([["index.d.ts", text]]), [["one", "index.d.ts"]]).exports;
    expect(withoutShape(found)).toEqual(["blur (index.ts)"]);
    expect(withoutUnit(found)).toEqual(["blur.radius (index.ts)", "Options.spacing (index.ts)"]);
  });

  test("prints declarations without what is private", () => {
    const text = (name: string) => exports.find((e) => e.name === name)?.text;
    expect(text("Part")).toBe("class Part<T> {\n    a(x: T): Promise<T>;\n}");
    expect(text("Renamed")).toBe("Renamed: interface Shown {\n    readonly hidden: Hidden;\n}");
    expect(text("part")).toBe("const part: number;");
  });
});
