/** @file docs/operations.md: what every operation takes and gives, from the rows of the op table and from what the tape tells ONNX export. */

import { expect, test } from "vitest";
import type { Device } from "../../src/index.ts";
import { observing } from "../../src/autograd/tape.ts";
import * as emitters from "../../src/onnx/export/emitters/index.ts";
import { Plan } from "../../src/tensor/plan.ts";
import { table } from "../../bench/gpu/markdown.ts";
import { device } from "../lib/device.ts";
import type { Row, Sample } from "../lib/row.ts";
import { allRows } from "../lib/table.ts";

const known = new Set(Object.values(emitters).flatMap((list) => Object.keys(list)));

/** Whether ONNX has nodes for all that a sample does; traced, so that no kernel runs. */
function exported(on: Device, row: Row<any>, sample: Sample<any>): boolean {
  const told = new Set<string>();
  const inputs = Object.entries(sample.inputs).map(([name, { shape, dtype }]) => [name, on.empty(shape, dtype)] as const);
  const run = () =>
    observing(
      (op) => told.add(op),
      () => row.run(Object.fromEntries(inputs), sample.args, on),
    );
  new Plan(on, [], run).dispose();
  for (const [, t] of inputs) t.dispose();
  return told.size > 0 && [...told].every((op) => known.has(op));
}

function types(row: Row<any>): string {
  const own = new Set(row.samples.flatMap(({ inputs }) => Object.values(inputs).map(({ dtype = "f32" }) => dtype)));
  if (typeof row.half !== "string" && row.half.length > 0) own.add("f16");
  return ["f32", "f16", "i32", "u32"].filter((type) => own.has(type as "f32")).join(", ");
}

const yes = (value: boolean): string => (value ? "yes" : "");

function line(on: Device, name: string, rows: readonly Row<any>[]): string[] {
  const samples = rows.flatMap((row) => row.samples.map((sample) => ({ row, sample })));
  const found = samples.map(({ row, sample }) => exported(on, row, sample));
  return [
    `\`${name}\``,
    [...new Set(rows.flatMap((row) => types(row).split(", ")))].join(", "),
    [...new Set(rows.flatMap((row) => row.differentiable))].join(", "),
    found.every(Boolean) ? "yes" : found.some(Boolean) ? "some options" : "",
    yes(rows.every((row) => row.splits)),
  ];
}

test("the table of operations is on record", async () => {
  const on = await device();
  const groups = Object.groupBy(
    allRows.filter(({ name }) => !name.startsWith("own.")),
    ({ name }) => name,
  );
  const lines = Object.keys(groups)
    .sort()
    .map((name) => line(on, name, groups[name]!));
  const text = `# Operations

Made of the op table by \`npm run api\`. _Types_: what inputs may hold; with f16, sums are f32 all the same. _Gradients_: with respect to these inputs. _ONNX_: whether
\`exportOnnx\` has nodes for it. _Pieces_: whether tensors over the adapter's binding limit always run, in pieces; others may be a \`TensorTooLargeError\`.

${table(["operation", "types", "gradients", "ONNX", "pieces"], lines)}
`;
  const changed = "docs/operations.md is out of date: run `npm run api`";
  await expect(text, changed).toMatchFileSnapshot("../../docs/operations.md");
});
