/** @file Random shapes and options against the references of the rows. A failure prints the smallest case found and its seed. */

import * as fc from "fast-check";
import { describe, test } from "vitest";
import { concat, conv, convTranspose, slice, sum } from "../../src/index.ts";
import { convOutShape, convReference, convTransposeOutShape, convTransposeReference } from "./conv.ts";
import { check, settings } from "./linear.ts";
import { sumReference } from "./reduce.ts";
import type { Shape } from "./row.ts";
import { concatReference, sliceReference } from "./view.ts";

const small = (max: number) => fc.integer({ min: 1, max });
const axis = fc.record({
  size: small(9),
  taps: small(5),
  stride: small(5),
  padding: fc.nat(3),
  dilation: small(4),
  extra: fc.nat(4),
});
const convCase = fc.record({
  axes: fc.array(axis, { minLength: 1, maxLength: 3 }),
  samples: small(2),
  channels: fc.tuple(small(6), fc.oneof(small(6), fc.constant(17))),
  bias: fc.boolean(),
});

describe("random cases", () => {
  test("properties/conv", async () => {
    const valid = convCase.filter(({ axes }) => axes.every((a) => a.size + 2 * a.padding > a.dilation * (a.taps - 1)));
    await fc.assert(
      fc.asyncProperty(valid, ({ axes, samples, channels: [from, to], bias }) => {
        const args = {
          stride: axes.map((a) => a.stride),
          padding: axes.map((a) => a.padding),
          dilation: axes.map((a) => a.dilation),
        };
        const x = [samples, from, ...axes.map((a) => a.size)];
        const weight = [to, from, ...axes.map((a) => a.taps)];
        if (convOutShape(x, weight, args).some((n) => n < 1)) throw new Error("the filter lets an empty result through");
        const shapes: Record<string, Shape> = { x, weight, ...(bias ? { bias: [to] } : {}) };
        return check(
          "conv",
          shapes,
          (t) => conv(t.x, t.weight, t.bias, args),
          (h) => convReference(h, args),
        );
      }),
      settings,
    );
  });

  test("properties/convTranspose", async () => {
    await fc.assert(
      fc.asyncProperty(convCase, async ({ axes, samples, channels: [from, to], bias }) => {
        const args = {
          stride: axes.map((a) => a.stride),
          padding: axes.map((a) => a.padding),
          dilation: axes.map((a) => a.dilation),
          outputPadding: axes.map((a) => Math.min(a.extra, Math.max(a.stride, a.dilation) - 1)),
        };
        const x = [samples, from, ...axes.map((a) => a.size)];
        const weight = [from, to, ...axes.map((a) => a.taps)];
        fc.pre(convTransposeOutShape(x, weight, args).every((n) => n > 0));
        const shapes: Record<string, Shape> = { x, weight, ...(bias ? { bias: [to] } : {}) };
        await check(
          "convTranspose",
          shapes,
          (t) => convTranspose(t.x, t.weight, t.bias, args),
          (h) => convTransposeReference(h, args),
        );
      }),
      settings,
    );
  });

  const shape = fc.array(small(6), { minLength: 1, maxLength: 6 });

  test("properties/sum", async () => {
    const sized = shape.chain((s) =>
      fc.tuple(fc.constant(s), fc.subarray(s.map((_, i) => i)), fc.boolean(), fc.integer({ min: 1, max: 300 })),
    );
    await fc.assert(
      fc.asyncProperty(sized, ([s, axes, keepDims, long]) => {
        // One long axis, so that every kernel takes part.
        const x = s.with(0, s.length < 4 ? long : s[0]);
        return check(
          "sum",
          { x },
          (t) => sum(t.x, axes, { keepDims }),
          (h) => sumReference(h, { axes, keepDims }),
        );
      }),
      settings,
    );
  });

  test("properties/concat", async () => {
    const parts = shape.chain((s) =>
      fc.tuple(fc.constant(s), fc.nat(s.length - 1), fc.array(fc.nat(5), { minLength: 1, maxLength: 5 })),
    );
    await fc.assert(
      fc.asyncProperty(parts, ([s, along, sizes]) =>
        check(
          "concat",
          Object.fromEntries(sizes.map((n, i) => [`part ${i}`, s.with(along, n)])),
          (t) => concat(Object.values(t), along),
          (h) => concatReference(h, { axis: along }),
        ),
      ),
      settings,
    );
  });

  test("properties/slice", async () => {
    const bound = fc.option(fc.integer({ min: -8, max: 8 }), { nil: undefined });
    const range = fc.tuple(bound, bound, fc.option(small(4), { nil: undefined }));
    const cut = shape.chain((s) =>
      fc.tuple(fc.constant(s), fc.array(fc.option(range, { nil: undefined }), { maxLength: s.length })),
    );
    await fc.assert(
      fc.asyncProperty(cut, ([x, slices]) =>
        check(
          "slice",
          { x },
          (t) => slice(t.x, slices),
          (h) => sliceReference(h, { slices }),
        ),
      ),
      settings,
    );
  });
});
