/** @file Random shapes for the operations that move elements, against the references of their rows. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cumsum, expand, flip, gather, pad, type PadMode, repeat, roll, rot90, scatterAdd, stack } from "../../src/index.ts";
import { mergeAxes } from "../../src/kernels/lib/strided.ts";
import { flipReference, stackReference } from "./rows/view_axes.ts";
import { cumsumReference } from "./rows/cumsum.ts";
import { device } from "../lib/device.ts";
import { checkLinear, settings } from "../lib/property.ts";
import { padReference, rollReference } from "./rows/pad.ts";
import { repeatReference } from "./rows/repeat.ts";
import { everyIndex, host, mapped, seeded, type Shape } from "../lib/row.ts";
import { gatherReference, scatterAddReference } from "./rows/indexing.ts";

const small = (max: number) => fc.integer({ min: 1, max });
const shape = fc.array(small(6), { minLength: 1, maxLength: 6 }).filter((s) => s.reduce((a, b) => a * b, 1) <= 3000);
const axisOf = (s: Shape) => fc.nat(s.length - 1);

/** Every address that a layout visits, in order. */
function addresses(sizes: Shape, strides: readonly number[]): number[] {
  const list: number[] = [];
  everyIndex(sizes, (at) => list.push(at.reduce((sum, k, i) => sum + k * strides[i], 0)));
  return list;
}

describe("random moves", () => {
  test("moves/mergeAxes visits the same addresses in the same order, with no axes to merge left", () => {
    const layout = fc.array(fc.record({ size: fc.nat(4), stride: fc.integer({ min: -6, max: 24 }) }), { maxLength: 6 });
    fc.assert(
      fc.property(layout, fc.boolean(), (axes, contiguous) => {
        const sizes = axes.map((a) => a.size);
        const strides = contiguous
          ? sizes.map((_, i) => sizes.slice(i + 1).reduce((a, b) => a * b, 1))
          : axes.map((a) => a.stride);
        const merged = mergeAxes({ shape: sizes, strides });
        expect(addresses(merged.shape, merged.strides)).toEqual(addresses(sizes, strides));
        if (contiguous && !sizes.includes(0)) expect(merged.shape.length).toBeLessThanOrEqual(1);
      }),
      { seed: 20 },
    );
  });

  const modes: readonly PadMode[] = ["constant", "reflect", "replicate", "circular"];
  for (const mode of modes) {
    test(`moves/pad ${mode}`, async () => {
      const ends = (size: number) => {
        const most = mode === "circular" ? size : mode === "reflect" ? size - 1 : 4;
        const width = fc.integer({ min: -size, max: most });
        // What is cropped away cannot come round.
        return fc
          .tuple(width, width)
          .filter(([b, a]) =>
            mode === "circular" ? size + Math.min(b, 0) + Math.min(a, 0) >= Math.max(b, a, 0) : size + b + a >= 0,
          );
      };
      const cases = shape
        .filter((s) => s.length <= 4)
        .chain((s) => fc.tuple(fc.constant(s), fc.tuple(...s.toReversed().map(ends)), fc.nat(s.length)));
      await fc.assert(
        fc.asyncProperty(cases, ([x, widths, count]) => {
          const args = { padding: widths.slice(0, count).flat(), mode };
          return checkLinear(
            "pad",
            { x },
            (t) => pad(t.x, args.padding, { mode }),
            (h) => padReference(h, args),
          );
        }),
        { ...settings, numRuns: 25 },
      );
    });
  }

  test("moves/roll", async () => {
    const cases = shape.chain((s) =>
      fc.tuple(
        fc.constant(s),
        fc.option(fc.array(fc.tuple(axisOf(s), fc.integer({ min: -9, max: 9 })), { minLength: 1, maxLength: 3 })),
      ),
    );
    await fc.assert(
      fc.asyncProperty(cases, ([x, moves]) => {
        const args = moves ? { axes: moves.map(([a]) => a), shifts: moves.map(([, by]) => by) } : { shifts: 5 };
        return checkLinear(
          "roll",
          { x },
          (t) => roll(t.x, args.shifts, args.axes),
          (h) => rollReference(h, args),
        );
      }),
      settings,
    );
  });

  test("moves/repeat", async () => {
    const cases = fc.tuple(fc.array(small(3), { maxLength: 6 }), fc.array(fc.nat(3), { minLength: 6, maxLength: 6 }));
    await fc.assert(
      fc.asyncProperty(cases, ([x, counts]) =>
        checkLinear(
          "repeat",
          { x },
          (t) => repeat(t.x, counts),
          (h) => repeatReference(h, { counts }),
        ),
      ),
      settings,
    );
  });

  test("moves/flip and rot90", async () => {
    const cases = shape
      .filter((s) => s.length > 1)
      .chain((s) =>
        fc.tuple(
          fc.constant(s),
          fc.shuffledSubarray(
            s.map((_, i) => i),
            { minLength: 2 },
          ),
          fc.integer({ min: -5, max: 5 }),
        ),
      );
    await fc.assert(
      fc.asyncProperty(cases, async ([x, axes, k]) => {
        const [a, b] = axes;
        await checkLinear(
          "flip",
          { x },
          (t) => flip(t.x, axes),
          (h) => flipReference(h, { axes }),
        );
        // Two quarters are two flips, an odd number exchanges the axes as well.
        await checkLinear(
          "rot90",
          { x },
          (t) => rot90(t.x, k, [a, b]),
          (h) => {
            const turned = Math.abs(k) % 4 === 2 ? flipReference(h, { axes: [a, b] }) : h.x;
            if (k % 2 === 0) return turned;
            const flipped = flipReference(h, { axes: k % 4 === 1 || k % 4 === -3 ? b : a });
            return mapped(flipped, x.with(a, x[b]).with(b, x[a]), (at) => at.with(a, at[b]).with(b, at[a]));
          },
        );
      }),
      settings,
    );
  });

  test("moves/expand", async () => {
    const cases = fc.array(fc.record({ size: small(5), one: fc.boolean() }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(3), (axes, lead) => {
        const x = axes.map((a) => (a.one ? 1 : a.size));
        const target = [...(lead ? [lead] : []), ...axes.map((a) => a.size)];
        return checkLinear(
          "expand",
          { x },
          (t) => expand(t.x, target),
          (h) => mapped(h.x, target, (at) => at.slice(target.length - x.length).map((k, i) => (x[i] === 1 ? 0 : k))),
        );
      }),
      settings,
    );
  });

  test("moves/stack", async () => {
    const cases = shape
      .filter((s) => s.length < 6)
      .chain((s) => fc.tuple(fc.constant(s), fc.integer({ min: -s.length - 1, max: s.length }), small(4)));
    await fc.assert(
      fc.asyncProperty(cases, ([s, axis, count]) =>
        checkLinear(
          "stack",
          Object.fromEntries(Array.from({ length: count }, (_, i) => [`part ${i}`, s])),
          (t) => stack(Object.values(t), axis),
          (h) => stackReference(h, { axis }),
        ),
      ),
      settings,
    );
  });

  test("moves/cumsum", async () => {
    const cases = shape.filter((s) => s.length < 4).chain((s) => fc.tuple(fc.constant(s), axisOf(s), small(200)));
    await fc.assert(
      fc.asyncProperty(cases, ([s, axis, long]) => {
        const x = s.with(axis, long);
        return checkLinear(
          "cumsum",
          { x },
          (t) => cumsum(t.x, axis),
          (h) => cumsumReference(h, { axis }),
        );
      }),
      settings,
    );
  });

  test("moves/gather and scatterAdd", async () => {
    const cases = shape.chain((s) =>
      fc.tuple(
        fc.constant(s),
        axisOf(s),
        small(7),
        fc.tuple(...s.map((d) => small(d))),
        fc.array(fc.nat(2), { minLength: 6, maxLength: 6 }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([x, axis, along, smaller, more]) => {
        const gpu = await device();
        const k = host(smaller.with(axis, along));
        const random = seeded("index");
        // One in ten lies outside.
        k.data.forEach((_, i) => (k.data[i] = Math.floor(random() * x[axis] * 1.2 - 0.1 * x[axis])));
        const index = gpu.tensor(k, "i32");
        await checkLinear(
          "gather",
          { x },
          (t) => gather(t.x, axis, index),
          (h) => gatherReference({ ...h, index: k }, { axis }),
        );
        const src = k.shape.map((d, i) => d + more[i]);
        await checkLinear(
          "scatterAdd",
          { x, src },
          (t) => scatterAdd(t.x, axis, index, t.src),
          (h) => scatterAddReference({ ...h, index: k }, { axis }),
        );
        index.dispose();
      }),
      settings,
    );
  });
});
