/**
 * @file Tensors over the binding limit, in small: the op table on a device that binds only a few kilobytes gives what it gives on a device without
 * that limit. Only rows without `splits` may refuse, with `TensorTooLargeError`. In full size: over_limit.full.test.ts.
 */

import { afterAll, describe, expect, test } from "vitest";
import {
  cast,
  concat,
  type Device,
  flip,
  openDevice,
  permute,
  scope,
  sizeOf,
  slice,
  type Tensor,
  TensorTooLargeError,
} from "../../src/index.ts";
import { expectClose } from "../lib/compare.ts";
import { device } from "../lib/device.ts";
import { bytesOf, defaultTolerance, type Row, type Sample } from "../lib/row.ts";
import { sampleResults } from "../lib/sample.ts";
import { allRows as rows } from "../lib/table.ts";

// No multiple of the tensors' rows, so pieces also begin where bindings may not.
const limitOf = (row: Row<any>) => row.leastBinding ?? 2304;
const bytes = (s: Sample<any>) => bytesOf(...Object.values(s.inputs).map((i) => i.shape));

/** Three samples of each row, from the smallest that does not fit to the largest below a megabyte: options are the business of the rows' own tests. */
function tooLarge(row: Row<any>): Sample<any>[] {
  const all = row.samples
    .filter((s) => Object.values(s.inputs).some((i) => 2 * bytesOf(i.shape) > limitOf(row)))
    .sort((a, b) => bytes(a) - bytes(b));
  const last = Math.max(
    0,
    all.findLastIndex((s) => bytes(s) < 2 ** 20),
  );
  return all.filter((_, i) => i === 0 || i === last || i === last >> 1);
}

const devices = new Map<number, Device>();
for (const maxBindingSize of new Set(rows.map(limitOf))) devices.set(maxBindingSize, await openDevice({ maxBindingSize }));
afterAll(() => devices.forEach((d) => d.close()));

// Other tree, other rounding: twice what the row allows against the reference.
const allowed = (row: Row<any>, sample: Sample<any>) =>
  2 * Math.max(...[defaultTolerance, row.tolerance, sample.tolerance].map((t) => Math.max(t?.forward ?? 0, t?.gradient ?? 0)));

describe.each(rows.filter((row) => tooLarge(row).length > 0))("$name", (row) => {
  const on = devices.get(limitOf(row))!;
  test.each(tooLarge(row))("$id", async (sample) => {
    const whole = await sampleResults(row, sample, await device());
    const before = on.memory.live;
    const pieces = await sampleResults(row, sample, on).catch((error: unknown) => {
      if (row.splits || !(error instanceof TensorTooLargeError)) throw error;
    });
    if (!pieces) return;
    for (const [name, values] of Object.entries(whole)) expectClose(name, pieces[name], values, allowed(row, sample), 1e-3);
    expect(on.memory.live, "bytes left behind").toBeLessThanOrEqual(before); // less if something was collected meanwhile
  });
});

test.runIf((await device()).gpu.features.has("shader-f16"))("moves of f16 whose pieces would begin within a word", async () => {
  const on = devices.get(2304)!;
  const shape = [3, 12, 16, 7];
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => i - 2000); // exact in f16
  for (const move of [
    (x: Tensor) => permute(x, [0, 2, 3, 1]),
    (x: Tensor) => flip(x, [0, 3]),
    (x: Tensor) => slice(x, [[0, 3], [0, 12], [1, 16, 3]]), // oxfmt-ignore
    (x: Tensor) => concat([slice(x, [undefined, undefined, undefined, [0, 3]]), x], 3),
  ]) {
    const [wanted, found] = [await device(), on].map((d) =>
      scope(() => cast(move(cast(d.tensor({ data, shape }), "f16")), "f32")),
    );
    expect(await found.data(), String(move)).toEqual(await wanted.data());
    for (const t of [wanted, found]) t.dispose();
  }
  // Two rows of an odd number of elements, of which the second begins within a word.
  const odd = () => slice(cast(on.tensor({ data, shape }), "f16"), [[0, 2], [0, 11], [1, 16, 3]]); // oxfmt-ignore
  expect(() => scope(odd)).toThrow(TensorTooLargeError);
});
