/**
 * @file Single samples, channels and planes over the binding limit, in small: the op table on a device that binds half of a plane of each sample gives what
 * it gives without that limit, in every bit where no sum runs across parts. What may refuse is listed with its reason, and does refuse.
 */

import { afterAll, expect, test } from "vitest";
import {
  capture,
  cumsum,
  type Device,
  grad,
  interpolate,
  matmul,
  maxPool,
  mean,
  openDevice,
  reshape,
  ShapeError,
  softmax,
  type Tensor,
  TensorTooLargeError,
} from "../../src/index.ts";
import { expectClose, expectSameBits, readAll } from "../lib/compare.ts";
import { device } from "../lib/device.ts";
import { bytesOf, defaultTolerance, type Row, type Sample, type Shape } from "../lib/row.ts";
import { sampleResults } from "../lib/sample.ts";
import { allRows } from "../lib/table.ts";

const anywhere = "reads or writes anywhere in a plane";
const patches = "augments patches, which are far below the limit";
const transposes = "a transposition whose rows reach through the whole tensor would take thousands of dispatches";
const few = "some rows of a plane, or of all channels, must fit with what they read";

/** What throws `TensorTooLargeError` on some samples. */
const refused: Readonly<Record<string, string>> = {
  adaptiveMaxPool: few,
  adaptiveMaxPoolWithIndices: few,
  adjustIntensity: patches,
  blur: patches,
  conv: few,
  convTranspose: few,
  gather: anywhere,
  gridSample: anywhere,
  indexSelect: anywhere,
  interpolate: few,
  lowResolution: patches,
  maxUnpool: anywhere,
  permute: transposes,
  pixelShuffle: transposes,
  rot90: transposes,
  scatterAdd: anywhere,
  splineField: patches,
  tril: "a matrix is bound whole",
  triu: "a matrix is bound whole",
  warp: patches,
};

/** Sums of these, or of their gradients, run across parts and are added in another order. */
const reordered = new Set(
  (
    "add sub mul div pow maximum minimum where prelu sum mean variance std vectorNorm adaptiveAvgPool globalAvgPool matmul linear conv convTranspose " +
    "instanceNorm groupNorm batchNorm fixedBatchNorm layerNorm regionSums crossEntropyLoss focalLoss " +
    "mseLoss l1Loss smoothL1Loss huberLoss bceWithLogitsLoss"
  ).split(" "),
);

// Composed of reductions, whose mean has no digits for this one; the kernel's has.
const imprecise = new Set(["instanceNorm/huge-mean"]);

const on = await openDevice();
afterAll(() => on.close());

const plane = (shape: Shape) => bytesOf(shape.length > 2 ? shape.slice(2) : shape);
const planeOf = (s: Sample<any>) => Math.max(...Object.values(s.inputs).map((i) => plane(i.shape)));

/** Longer spatial axes in the first input and those of its size. Not all options allow that. */
function enlarged(s: Sample<any>): Sample<any> {
  const spatial = String(Object.values(s.inputs)[0]?.shape.slice(2));
  const grown = Object.entries(s.inputs).map(([name, spec]) => {
    const { shape } = spec;
    const factor = shape.length === 4 ? 8 : shape.length === 5 ? 4 : 1;
    const grows = String(shape.slice(2)) === spatial && plane(shape) < 4096;
    return [name, grows ? { ...spec, shape: shape.map((n, i) => (i < 2 ? n : factor * n)) } : spec];
  });
  return { ...s, inputs: Object.fromEntries(grown) };
}

// Partial sums, tables and weights are bound whole.
const leastLimit = 1280;
const most = 6;

/** Some samples of a row: all options would take minutes. */
function samplesOf(row: Row<any>): Sample<any>[] {
  const able = row.samples
    .map(enlarged)
    .filter((s) => planeOf(s) >= 1.5 * leastLimit && planeOf(s) < 2 ** 19 && !imprecise.has(s.id));
  return able.filter((_, i) => i % Math.ceil(able.length / most) === 0);
}

const allowed = (row: Row<any>, sample: Sample<any>) =>
  2 * Math.max(...[defaultTolerance, row.tolerance, sample.tolerance].map((t) => Math.max(t?.forward ?? 0, t?.gradient ?? 0)));

const rows = allRows.map((row) => ({ row, name: row.name, samples: samplesOf(row) })).filter((r) => r.samples.length > 0);

const refusals = new Map<string, number>();

test.each(rows)("$name", async ({ row, name, samples }) => {
  let refusedHere = 0;
  for (const sample of samples) {
    const whole = await sampleResults(row, sample, await device()).catch((error: unknown) => {
      if (!(error instanceof ShapeError)) throw error;
    });
    if (!whole) continue;
    Object.assign(on, { maxBindingSize: Math.max(leastLimit, Math.ceil(planeOf(sample) / 512) * 256) });
    const before = on.memory.live;
    const parts = await sampleResults(row, sample, on).catch((error: unknown) => {
      if (!(name in refused) || !(error instanceof TensorTooLargeError)) throw new Error(sample.id, { cause: error });
      refusedHere++;
    });
    if (!parts) continue;
    for (const [what, values] of Object.entries(whole)) {
      if (reordered.has(name)) expectClose(`${sample.id} ${what}`, parts[what], values, allowed(row, sample), 1e-3);
      else expectSameBits(`${sample.id} ${what}`, parts[what], values);
    }
    expect(on.memory.live, `${sample.id}: bytes left behind`).toBeLessThanOrEqual(before);
  }
  refusals.set(name, (refusals.get(name) ?? 0) + refusedHere);
  if (refused[name] === few) expect(refusedHere).toBeLessThan(samples.length);
});

test("captured steps run in parts too", async () => {
  const shape = [1, 3, 16, 20, 24];
  const data = Float32Array.from({ length: 3 * 7680 }, (_, i) => Math.sin(i));
  const results = async (device: Device) => {
    const step = capture(device, (x: Tensor) => {
      x.requiresGrad = true;
      const pooled = interpolate(maxPool(softmax(x), { kernelSize: 2 }), { scaleFactor: 2 });
      const product = matmul(reshape(pooled, [48, 480]), reshape(cumsum(pooled, 2), [480, 48]));
      return { y: product, ...Object.fromEntries(grad(mean(product), [x]).map((dx) => ["dx", dx])) };
    });
    const x = device.tensor({ data, shape });
    for (let i = 0; i < 2; i++) step(x);
    const values = await readAll(step(x));
    x.dispose();
    step.dispose();
    return values;
  };
  Object.assign(on, { maxBindingSize: 4 * 7680 - 256 });
  const [whole, parts] = [await results(await device()), await results(on)];
  for (const name of ["y", "dx"]) expectClose(name, parts[name], whole[name], 1e-5);
});

test("what is listed does refuse", () => {
  for (const [name, count] of refusals) expect(count > 0, name).toBe(name in refused);
});
