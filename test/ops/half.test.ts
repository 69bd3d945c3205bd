/**
 * @file f16 activations: every row of the op table whose inputs may be f16, on inputs that f16 holds exactly, against the same operation in f32. Results
 * and gradients may differ by the rounding of what is stored, 2⁻¹¹ of a value, and of f16 values between.
 */

import { describe, expect, test } from "vitest";
import { cast, type Device, float32, grad, mul, scope, sum, type Tensor } from "../../src/index.ts";
import { expectClose, readAll } from "../lib/compare.ts";
import { device } from "../lib/device.ts";
import { allRows as rows } from "../lib/property.ts";
import { generate, type Row, type Sample, seeded } from "../lib/row.ts";

/** What is stored as f16: activations; weights, statistics, targets and grids are not. */
const activations = new Set(["x", "a", "b", "logits", "input", "src", ...Array.from({ length: 8 }, (_, i) => `x${i}`)]);
/** Values beyond f16, differences that f16 cannot tell, and inputs whose f32 form is itself the point. */
const beyond =
  /cast\/|pow\/|extreme|hard$|very-negative|large-sum|ct$|-ct|1e4|wide-range|huge|tiny|^(sum|mean|amax|amin|distanceField|topShare|variance|std|vectorNorm|cumsum|log|reciprocal|rsqrt|sqrt|div|eq|ne|lt|le|gt|ge|max|min)\//;
/** An axis cut at a value: rounding moves elements over the edge. */
const steps = /^(floor|round|sign|argmax|argmin|isFinite|clamp|hardswish|relu6)\//;

const toHalf = (v: number): number => Math.fround(Math.round(v * 256) / 256); // exact in f16 up to 8

async function results(
  row: Row<any>,
  sample: Sample<any>,
  on: Device,
  half: boolean,
): Promise<Record<string, ArrayLike<number>>> {
  const random = seeded(sample.id);
  const tensors = scope((): Record<string, Tensor> => {
    const given = Object.entries(sample.inputs).map(([name, spec]) => {
      const host = generate(spec, random);
      const rounded = activations.has(name) && (spec.dtype ?? "f32") === "f32";
      return [name, on.tensor(rounded ? { ...host, data: host.data.map(toHalf) } : host, spec.dtype ?? "f32"), rounded] as const;
    });
    const names = row.differentiable.filter((name) => given.some(([n, t]) => n === name && t.dtype === "f32"));
    for (const [name, t] of given) t.requiresGrad = names.includes(name);
    const inputs = Object.fromEntries(given.map(([name, t, rounded]) => [name, half && rounded ? cast(t, "f16") : t]));
    const y = row.run(inputs, sample.args, on);
    if (y.origin === undefined) return { y: y.dtype === "f16" ? float32(y) : y };
    const seed = generate({ shape: y.shape }, random);
    const dy = on.tensor({ ...seed, data: seed.data.map(toHalf) });
    const gradients = grad(
      sum(mul(float32(y), dy)),
      given.filter(([name]) => names.includes(name)).map(([, t]) => t),
    );
    const wrt = given.filter(([name]) => names.includes(name));
    return { y: float32(y), ...Object.fromEntries(wrt.map(([name], i) => [`d ${name}`, gradients[i]])) };
  });
  const values = await readAll(tensors);
  for (const t of Object.values(tensors)) t.dispose();
  return values;
}

// Some of each row: rounding does not depend on what else the samples differ in. Rows of kernels without autograd take f32 only.
const usable = (row: Row<any>) =>
  row.samples
    .filter((s) => Object.keys(s.inputs).some((n) => activations.has(n)) && !beyond.test(s.id) && !steps.test(s.id))
    .filter(
      (s, i, all) => !/matmul\/(registers|shared)/.test(s.id) && (i % Math.ceil(all.length / 4) === 0 || i === all.length - 1),
    );

describe.runIf((await device()).gpu.features.has("shader-f16"))("f16", () => {
  describe.each(rows.filter((row) => usable(row).length > 0))("$name", (row) => {
    test.each(usable(row))("$id", async (sample) => {
      const on = await device();
      const whole = await results(row, sample, on, false);
      const before = on.memory.live;
      const half = await results(row, sample, on, true);
      for (const [name, values] of Object.entries(whole)) expectClose(name, half[name], values, 4e-3, 1e-2);
      expect(on.memory.live, "bytes left behind").toBeLessThanOrEqual(before); // less if something was collected meanwhile
    });
  });
});
