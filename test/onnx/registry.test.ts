/** @file A new operation is a file and a row: every file of emitters and operators is in its index, and no name stands in two. */

import { globSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as emitters from "../../src/onnx/export/emitters/index.ts";
import * as operators from "../../src/onnx/import/ops/index.ts";

const onnx = new URL("../../src/onnx/", import.meta.url).pathname;
const camel = (name: string) => name.replace(/_(.)/g, (_, c: string) => c.toUpperCase());

describe.each([
  ["export/emitters", "emitters", emitters],
  ["import/ops", "operators", operators],
] as const)("%s", (folder, record, index) => {
  test("the index lists the files that have a record", async () => {
    const files = globSync("*.ts", { cwd: onnx + folder }).filter((file) => file !== "index.ts");
    const modules = await Promise.all(
      files.map(async (f) => [camel(f.slice(0, -3)), await import(`${onnx}${folder}/${f}`)] as const),
    );
    const rows = modules.filter(([, module]) => record in module);
    expect(rows.length).toBeGreaterThan(15);
    expect(Object.keys(index).sort()).toEqual(rows.map(([name]) => name).sort());
    for (const [name, module] of rows) expect((index as Record<string, unknown>)[name]).toBe(module[record]);
  });

  test("no name twice", () => {
    const names = Object.values(index).flatMap((table) => Object.keys(table));
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
});

test("every operator can be computed somehow", () => {
  for (const table of Object.values(operators))
    for (const [name, { device, host, shape }] of Object.entries(table))
      expect(device ?? host ?? shape, name).toBeTypeOf("function");
});
