/** @file Random shapes and options of operations on plain tensors: pointwise, reductions, moves, products, dropout. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dropout, permute, scope } from "../../src/index.ts";
import { device } from "../lib/device.ts";
import { type Case, checkLinear, images, property, settings, shapes, small } from "../lib/property.ts";
import {
  awayFromZero,
  between,
  cycle,
  index,
  type InputSpec,
  mapped,
  normal,
  type Shape,
  uniform,
  type Values,
} from "../lib/row.ts";

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const given = (options: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined));
const signs: Values = (random, i) => between(0.5, 2)(random, i) * (random() < 0.5 ? -1 : 1);

describe("random pairs", () => {
  /** Two shapes that broadcast: axes of one and of both, missing ones on the left, empty ones. */
  const pair = fc
    .tuple(
      fc.array(fc.tuple(fc.constantFrom(1, 2, 3, 5, 0), fc.constantFrom("both", "both", "a", "b")), { maxLength: 6 }),
      fc.nat(3),
      fc.boolean(),
    )
    .map(([axes, missing, left]) => {
      const a = axes.map(([n, has]) => (has === "b" ? 1 : n));
      const b = axes.map(([n, has]) => (has === "a" ? 1 : n));
      return left ? { a: a.slice(Math.min(missing, a.length)), b } : { a, b: b.slice(Math.min(missing, b.length)) };
    });
  // On two grids that never meet: finite differences must not cross the tie.
  const grid =
    (offset: number): Values =>
    (random, i) =>
      Math.round(normal(random, i) * 64) / 64 + offset;
  const values: Readonly<Record<string, readonly [Values, Values]>> = {
    add: [normal, normal],
    sub: [normal, normal],
    mul: [normal, normal],
    div: [normal, signs],
    maximum: [grid(0), grid(1 / 128)],
    minimum: [grid(0), grid(1 / 128)],
    pow: [between(0.25, 3), signs],
  };
  for (const [name, [left, right]] of Object.entries(values)) {
    // Quotients of f16 and powers differ by more than their own rounding.
    const f16 = name === "div" || name === "pow" || name.endsWith("imum") ? fc.constant(false) : fc.boolean();
    property(
      name,
      fc.tuple(pair, f16).map(([{ a, b }, half]) => ({
        inputs: { a: { shape: a, values: left }, b: { shape: b, values: right } },
        args: {},
        half,
      })),
      10,
    );
  }
  property(
    "where",
    fc.tuple(pair, optional(fc.constant(0.5))).map(([{ a, b }, number]): Case => {
      const condition: InputSpec = { shape: a, values: index(2) };
      return number === undefined
        ? { inputs: { condition, a: { shape: b }, b: { shape: a } }, args: {} }
        : { inputs: { condition, a: { shape: b } }, args: { b: number } };
    }),
    10,
  );
});

describe("random reductions", () => {
  const reduced = (least: number) =>
    shapes
      .chain((shape) =>
        fc.tuple(
          // One long axis now and then, so that every kernel takes part.
          fc.oneof(
            { weight: 3, arbitrary: fc.constant(shape) },
            { weight: 1, arbitrary: small(700).map((n) => [n, ...shape.slice(0, 2)]) },
          ),
          optional(fc.array(fc.nat(4), { maxLength: 3 })),
          fc.boolean(),
        ),
      )
      .map(([shape, list, keepDims]) => {
        const axes = list && [...new Set(list.map((a) => a % shape.length))].map((a) => (a % 2 ? a - shape.length : a));
        const terms = (axes ?? [...shape.keys()]).reduce((n, a) => n * shape.at(a)!, 1);
        return { shape, args: given({ axes, keepDims }), terms };
      })
      .filter(({ terms }) => terms >= least);
  // No two alike within reach of finite differences.
  const distinct: Values = (_, i) => ((i * 7919) % 100_003) / 1000 - 50;
  const cases = (least: number, values: Values, more: object = {}) =>
    reduced(least).map(({ shape, args }): Case => ({ inputs: { x: { shape, values } }, args: { ...args, ...more } }));
  property("sum", cases(0, normal), 25);
  property("mean", cases(1, uniform));
  property("amax", cases(1, distinct));
  property("amin", cases(1, distinct));
  property("variance", cases(2, between(3, 5)));
  property("std", cases(3, between(3, 5)), 10);
  for (const p of [1, 2, Infinity]) property("vectorNorm", cases(1, p === Infinity ? distinct : awayFromZero(), { p }), 8);
});

describe("random moves", () => {
  const half = fc.boolean();
  property(
    "concat",
    shapes
      .chain((s) => fc.tuple(fc.constant(s), fc.nat(s.length - 1), fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }), half))
      .map(([s, axis, sizes, half]) => ({
        inputs: Object.fromEntries(sizes.map((n, i) => ["abcd"[i], { shape: s.with(axis, n) }])),
        args: { axis },
        half,
      })),
  );
  const bound = optional(fc.integer({ min: -8, max: 8 }));
  const range = fc.tuple(bound, bound, optional(small(4)));
  property(
    "slice",
    shapes
      .chain((s) => fc.tuple(fc.constant(s), fc.array(optional(range), { maxLength: s.length }), half))
      .map(([shape, slices, half]) => ({ inputs: { x: { shape } }, args: { slices }, half })),
  );
  property(
    "permute",
    shapes
      .chain((s) => fc.tuple(fc.constant(s), fc.shuffledSubarray([...s.keys()], { minLength: s.length }), half))
      .map(([shape, axes, half]) => ({ inputs: { x: { shape } }, args: { axes }, half })),
  );
  property(
    "pad",
    fc
      .tuple(
        images,
        fc.constantFrom("constant", "reflect", "replicate", "circular"),
        fc.array(fc.nat(3), { minLength: 6, maxLength: 6 }),
        half,
      )
      .map(([shape, mode, widths, half]) => {
        const room = shape
          .slice(2)
          .toReversed()
          .flatMap((n) => {
            const most = mode === "reflect" ? n - 1 : mode === "circular" ? n : 3;
            return [most, most];
          });
        return { inputs: { x: { shape } }, args: { padding: room.map((most, i) => Math.min(most, widths[i])), mode }, half };
      }),
  );
  property(
    "roll",
    fc
      .tuple(shapes, fc.integer({ min: -9, max: 9 }), half)
      .map(([shape, shifts, half]) => ({ inputs: { x: { shape } }, args: { shifts, axes: shape.length - 1 }, half })),
    8,
  );
  property(
    "repeat",
    fc
      .tuple(fc.array(fc.nat(4), { maxLength: 4 }), fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }), half)
      .map(([shape, counts, half]) => ({ inputs: { x: { shape } }, args: { counts }, half })),
    10,
  );
  test("properties/permute back", () =>
    fc.assert(
      fc.asyncProperty(
        shapes
          .filter((s) => s.length > 1)
          .chain((s) => fc.tuple(fc.constant(s), fc.shuffledSubarray([...s.keys()], { minLength: s.length }))),
        ([x, axes]) =>
          checkLinear(
            "permute",
            { x },
            (t) =>
              permute(
                permute(t.x, axes),
                axes.map((_, i) => axes.indexOf(i)),
              ),
            (h) => mapped(h.x, x, (at) => at),
          ),
      ),
      settings,
    ));
});

describe("random products", () => {
  const size = fc.constantFrom(1, 2, 3, 4, 5, 7, 9, 17, 33, 0);
  property(
    "matmul",
    fc
      .tuple(
        size,
        size,
        size,
        fc.array(fc.tuple(small(3), fc.constantFrom("both", "a", "b")), { maxLength: 3 }),
        fc.boolean(),
        fc.boolean(),
      )
      .map(([m, k, n, batch, transposeA, transposeB]) => {
        const a = batch.map(([d, has]) => (has === "b" ? 1 : d));
        const b = batch.map(([d, has]) => (has === "a" ? 1 : d));
        return {
          inputs: {
            a: { shape: [...a, ...(transposeA ? [k, m] : [m, k])] },
            b: { shape: [...b, ...(transposeB ? [n, k] : [k, n])] },
          },
          args: { transposeA, transposeB },
        };
      }),
    20,
  );
  property(
    "linear",
    fc
      .tuple(fc.array(fc.constantFrom(1, 2, 3, 5, 0), { maxLength: 3 }), small(40), small(20), fc.boolean())
      .map(([lead, from, to, bias]) => ({
        inputs: { x: { shape: [...lead, from] }, weight: { shape: [to, from] }, ...(bias ? { bias: { shape: [to] } } : {}) },
        args: {},
      })),
  );
});

describe("random dropout", () => {
  const words: InputSpec = { shape: [4], dtype: "u32", values: cycle(1234567, 89, 3, 0) };
  property(
    "dropout",
    fc.tuple(images, fc.double({ min: 0, max: 0.95, noNaN: true }), fc.boolean()).map(([shape, rate, channels]) => ({
      inputs: { x: { shape }, generator: words },
      args: { rate, channels },
    })),
  );

  test("properties/dropout statistics", async () => {
    const gpu = await device();
    const rates = fc.double({ min: 0.02, max: 0.98, noNaN: true });
    await fc.assert(
      fc.asyncProperty(rates, fc.nat(2 ** 31), fc.boolean(), async (rate, seed, channels) => {
        const n = 2 ** 16;
        const shape: Shape = channels ? [2, n / 2, 3] : [n];
        const [first, second] = scope(() => {
          const generator = gpu.tensor({ shape: [4], data: [seed, 1, 0, 0] }, "u32");
          const x = gpu.tensor({ shape, data: new Float32Array(channels ? 3 * n : n).fill(1) });
          return [dropout(x, generator, rate, { channels }), dropout(x, generator, rate, { channels })];
        });
        const [a, b] = [await first.data(), await second.data()];
        first.dispose();
        second.dispose();
        const run = channels ? 3 : 1;
        const kept = (list: ArrayLike<number>, i: number) => Number(list[i * run] !== 0);
        let [sum, neighbors, both] = [0, 0, 0];
        for (let i = 0; i < n; i++) {
          sum += kept(a, i);
          neighbors += kept(a, i) * kept(a, (i + 1) % n);
          both += kept(a, i) * kept(b, i);
        }
        const p = 1 - rate;
        const deviations = (seen: number, share: number) => Math.abs(seen - n * share) / Math.sqrt(n * share * (1 - share));
        expect(deviations(sum, p)).toBeLessThan(5);
        // Neighbors and draws know nothing of each other. Overlapping pairs vary a little more than independent ones.
        expect(deviations(neighbors, p * p)).toBeLessThan(10);
        expect(deviations(both, p * p)).toBeLessThan(5);
        for (let i = 0; i < a.length; i++) {
          if (a[i] !== a[i - (i % run)] || (a[i] !== 0 && Math.abs(a[i] * p - 1) > 1e-6))
            throw new Error(`element ${i} is ${a[i]}`);
        }
      }),
      { seed: 20, numRuns: 8, endOnFailure: false },
    );
  });
});
