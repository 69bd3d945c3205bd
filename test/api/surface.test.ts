/** @file The public surface: what every entry point exports is on record, named so that nothing is mistaken, documented, and complete. */

import { describe, expect, test } from "vitest";
import { emitDeclarations, entryPoints, type Export, surfaceOf } from "./surface.ts";

/** Names of one entry that differ by case only. */
function alike(exports: readonly Export[]): string[][] {
  const groups = Object.groupBy(exports, ({ entry, name }) => `${entry} ${name.toLowerCase()}`);
  return Object.values(groups).flatMap((group) => (group!.length > 1 ? [group!.map(({ name }) => name)] : []));
}

const undocumented = (exports: readonly Export[]): string[] =>
  exports.filter((e) => e.value && !e.documented).map(({ name, file }) => `${name} (${file})`);

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

  test("every exported value has a doc comment", () => {
    expect(undocumented(surface.exports)).toEqual([]);
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

  test("finds undocumented values, and names that differ by case only", () => {
    expect(undocumented(exports)).toEqual(["f (b.ts)", "part (b.ts)"]);
    expect(alike(exports)).toEqual([["part", "Part"]]);
  });

  test("prints declarations without what is private", () => {
    const text = (name: string) => exports.find((e) => e.name === name)?.text;
    expect(text("Part")).toBe("class Part<T> {\n    a(x: T): Promise<T>;\n}");
    expect(text("Renamed")).toBe("Renamed: interface Shown {\n    readonly hidden: Hidden;\n}");
    expect(text("part")).toBe("const part: number;");
  });
});
