/** @file How a random case of an op is held against a float64 reference: forward, and gradients along a random direction. */

import * as fc from "fast-check";
import { test } from "vitest";
import { cast, float32, grad, mul, scope, sum, type Tensor } from "../../src/index.ts";
import { expectClose, readAll } from "./compare.ts";
import { device } from "./device.ts";
import { expectMet, ofDirections } from "../../src/testing/slopes.ts";
import {
  defaultTolerance,
  generate,
  type Host,
  type Hosts,
  type InputSpec,
  type Row,
  seeded,
  type Shapes,
  takesHalf,
  type Tensors,
  type Tolerance,
} from "./row.ts";
import { allRows } from "./table.ts";

/** Inputs and options of one random case. */
export interface Case {
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly args: object;
  /** The inputs that take f16 as f16, where the adapter has it. */
  readonly half?: boolean;
  readonly tolerance?: Partial<Tolerance>;
}

/** What of a row a case needs. */
type Checked = Pick<Row<any>, "name" | "run" | "reference" | "differentiable" | "half" | "tolerance">;

// Stored with eleven bits, the gradient of what is stored with eleven bits too.
const halfTolerance: Tolerance = { forward: 4e-3, gradient: 4e-3, floor: 0.02 };
/** Odd multiples of 1/512, which f16 holds up to 4; never 0, where functions have kinks. */
const toHalf = (v: number): number => Math.max(-3.998046875, Math.min(3.998046875, (Math.floor(v * 256) + 0.5) / 256));

/** Throws where forward or gradients differ from those of the reference. */
export async function checkCase(row: Checked, { inputs, args, half = false, tolerance }: Case): Promise<void> {
  const gpu = await device();
  const random = seeded(JSON.stringify([row.name, inputs, args]));
  const f16 = half && gpu.gpu.features.has("shader-f16");
  const isHalf = (input: string) => f16 && takesHalf(row, input) && (inputs[input].dtype ?? "f32") === "f32";
  const hosts: Hosts = Object.fromEntries(
    Object.entries(inputs).map(([input, spec]) => {
      const host = generate(spec, random);
      return [input, isHalf(input) ? { ...host, data: host.data.map(toHalf) } : host];
    }),
  );
  const allowed = { ...defaultTolerance, ...row.tolerance, ...(f16 ? halfTolerance : {}), ...tolerance };
  const expected = row.reference(hosts, args);
  const names = row.differentiable.filter((input) => inputs[input] && (inputs[input].dtype ?? "f32") === "f32");
  const seeds = generate({ shape: expected.shape }, random);
  const dy = { ...seeds, data: seeds.data.map(toHalf) };
  const results = scope((): Record<string, Tensor> => {
    const given = Object.fromEntries(
      Object.entries(hosts).map(([input, h]) => [input, gpu.tensor(h, inputs[input].dtype ?? "f32")]),
    );
    for (const input of names) given[input].requiresGrad = true;
    const taken = Object.entries(given).map(([input, t]) => [input, isHalf(input) ? cast(t, "f16") : t]);
    const y = float32(row.run(Object.fromEntries(taken), args, gpu));
    if (names.length === 0) return { y };
    const gradients = grad(
      sum(mul(y, gpu.tensor(dy))),
      names.map((input) => given[input]),
    );
    return { y, ...Object.fromEntries(names.map((input, i) => [`d ${input}`, gradients[i]])) };
  });
  const values = await readAll(results);
  const { shape } = results.y;
  for (const t of Object.values(results)) t.dispose();
  if (shape.join() !== expected.shape.join()) throw new Error(`shape [${shape.join()}], expected [${expected.shape.join()}]`);
  expectClose("forward", values.y, expected.data, allowed.forward, allowed.floor);
  const least = { gradient: Math.max(allowed.gradient, 1e-6), floor: Math.max(allowed.floor, 1e-3) };
  for (const name of names) {
    const slope = { reference: (moved: Hosts) => row.reference(moved, args), inputs: hosts, name, dy };
    for (const expectation of ofDirections(slope, values[`d ${name}`], least, random)) expectMet(expectation);
  }
}

/** The same for a linear map that is no row as it stands. */
export function checkLinear(
  name: string,
  shapes: Shapes,
  run: (t: Tensors) => Tensor,
  reference: (h: Hosts) => Host,
): Promise<void> {
  const inputs = Object.fromEntries(Object.entries(shapes).map(([input, shape]) => [input, { shape }]));
  const tolerance = { forward: 3e-6, gradient: 5e-6, floor: 1e-3 };
  return checkCase({ name, run, reference, differentiable: Object.keys(shapes), half: [], tolerance }, { inputs, args: {} });
}

/** Of fast-check: few runs, the same ones each time. */
export const settings = { seed: 20, numRuns: 15, endOnFailure: false } as const;

/** One test of a row: the same random cases each time; a failure prints the smallest case found. */
export function property(name: string, cases: fc.Arbitrary<Case>, numRuns: number = settings.numRuns): void {
  const row = allRows.find((r) => r.name === name)!;
  test(`properties/${name}`, () =>
    fc.assert(
      fc.asyncProperty(cases, (c) => checkCase(row, c)),
      { ...settings, numRuns },
    ));
}

export const small = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
/** Mostly some, sometimes none. */
export const samples = fc.oneof({ weight: 5, arbitrary: small(3) }, { weight: 1, arbitrary: fc.constant(0) });
/** Spatial sizes of one to three axes, odd ones and single voxels among them. */
export const sizes = fc
  .integer({ min: 1, max: 3 })
  .chain((dims) => fc.array(small([17, 9, 6][dims - 1]), { minLength: dims, maxLength: dims }));
/** `[N, C, spatial…]` with 1 to 5 channels. */
export const images = fc.tuple(samples, small(5), sizes).map(([n, c, size]) => [n, c, ...size]);
/** A shape of up to five axes, sometimes with an empty one. */
export const shapes = fc.array(fc.oneof({ weight: 9, arbitrary: small(6) }, { weight: 1, arbitrary: fc.constant(0) }), {
  minLength: 1,
  maxLength: 5,
});
