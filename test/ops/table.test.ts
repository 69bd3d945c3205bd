/** @file The op table as a whole; its rows are tests of their own (src/testing/row_tests.ts). */

import { expect, test } from "vitest";
import * as voxgrad from "../../src/index.ts";
import * as losses from "../../src/nn/losses/elementwise.ts";
import { allRows as rows } from "../lib/table.ts";

/** Modules whose functions are no operations. */
const engine: object[] = [
  await import("../../src/host/array.ts"),
  await import("../../src/tensor/capture.ts"),
  await import("../../src/tensor/device.ts"),
  await import("../../src/tensor/profile.ts"),
  await import("../../src/tensor/scope.ts"),
  await import("../../src/autograd/define_op.ts"),
  await import("../../src/autograd/precision.ts"),
  await import("../../src/autograd/recompute.ts"),
  await import("../../src/autograd/tape.ts"),
  await import("../../src/kernels/tune.ts"),
];

test("table/every exported op has a row", () => {
  const others = new Set(engine.flatMap((module) => Object.values(module)));
  const ops = Object.entries({ ...voxgrad, ...losses }).filter(
    ([name, value]) => typeof value === "function" && /^[a-z]/.test(name) && !others.has(value),
  );
  // Those of operations that are defined from outside stand for no export.
  const names = rows.map((r) => r.name).filter((name) => !name.startsWith("own."));
  expect([...new Set(names)].sort()).toEqual(ops.map(([name]) => name).sort());
});

test("table/ids are unique and begin with the op's name", () => {
  const ids = rows.flatMap((r) => r.samples.map((s) => s.id));
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  for (const r of rows) for (const s of r.samples) expect(s.id.startsWith(`${r.name}/`), s.id).toBe(true);
});

test("table/inputs that take f16 are inputs", () => {
  for (const { name, half, samples } of rows) {
    const inputs = new Set(samples.flatMap((s) => Object.keys(s.inputs)));
    if (typeof half !== "string") for (const input of half) expect([...inputs], name).toContain(input);
  }
});
