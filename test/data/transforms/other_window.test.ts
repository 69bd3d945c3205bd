/** @file Arrays that another window made, and half floats, are instances of no class of ours; every transform makes of them what it makes of the same values otherwise. */

import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { HostArray, TypedArray } from "../../../src/host/array.ts";
import * as T from "../../../src/data/transforms/index.ts";
import type { Volume } from "../../../src/data/volume.ts";
import { cropped, samples, twice, volume } from "../../lib/transform_samples.ts";

type ArrayClass = new (values: ArrayLike<number>) => TypedArray;
const theirs: Record<string, ArrayClass> = runInNewContext("({ Float32Array, Float64Array, Uint8Array, Int16Array })");
const half = (globalThis as unknown as { Float16Array?: ArrayClass }).Float16Array;

/** What a transform gives of an input, or says of it; arrays by name and values. */
function outcome(name: string, kind: ArrayClass, fraction: number): unknown {
  const input: Volume = name === "SqueezeDim" ? cropped : name === "RemoveRepeatedChannel" ? twice : volume;
  const make = samples[name];
  const t = make(1);
  if (T.isRandomizable(t)) t.setRandomState(3);
  const shown = (value: unknown): unknown => {
    if (ArrayBuffer.isView(value)) return Array.from(value as TypedArray);
    if (Array.isArray(value)) return value.map(shown);
    if (typeof value !== "object" || value === null) return value;
    const { data, shape } = value as HostArray;
    return ArrayBuffer.isView(data) ? [Object.prototype.toString.call(data), shape, shown(data)] : value;
  };
  try {
    return shown(t.apply({ ...input, data: new kind(input.data.map((v) => v + (fraction * (v % 4)) / 4)) }));
  } catch (error) {
    return String(error);
  }
}

// Kernels in WebAssembly need arrays of ours and round otherwise in a few places, but these images are too small for them.
test.each(Object.keys(theirs))("%s of another window", (kind) => {
  const own = (globalThis as unknown as Record<string, ArrayClass>)[kind];
  const fraction = kind.startsWith("Float") ? 1 : 0;
  for (const name of Object.keys(samples))
    expect(outcome(name, theirs[kind], fraction), name).toEqual(outcome(name, own, fraction));
});

test.skipIf(!half)("half floats are no whole numbers", () => {
  const of = (kind: ArrayClass): HostArray => ({
    data: new kind(Array.from({ length: 27 }, (_, i) => (i % 7) / 4)),
    shape: [1, 3, 3, 3],
  });
  const values = (t: T.Transform, kind: ArrayClass) => Array.from((t.apply(of(kind)) as HostArray).data);
  const near = (t: T.Transform) => values(t, half!).forEach((v, i) => expect(v).toBeCloseTo(values(t, Float32Array)[i], 2));
  near(new T.BorderPad({ spatialBorder: 1, mode: "mean" }));
  near(new T.HistogramNormalize({ max: 1 }));
  expect(values(new T.ForegroundMask(), half!)).toEqual(values(new T.ForegroundMask(), Float32Array));
});
