/** @file Random shapes and options of operations on images: convolutions, pools, norms, interpolation, sampling. Others: properties_flat.full.test.ts, properties_losses.full.test.ts. */

import * as fc from "fast-check";
import { describe } from "vitest";
import { sizeOf } from "../../src/index.ts";
import { maxPoolShape } from "../../src/kernels/pool.ts";
import { convOutShape } from "./rows/conv.ts";
import { convTransposeOutShape } from "./rows/conv_transpose.ts";
import { type Case, images, property, samples, sizes, small } from "../lib/property.ts";

import { between, type InputSpec, type Shape, type Values } from "../lib/row.ts";

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
/** One entry per spatial axis. */
const perAxis = <T>(size: Shape, arbitrary: fc.Arbitrary<T>) =>
  fc.array(arbitrary, { minLength: size.length, maxLength: size.length });

function fits(rule: () => unknown): boolean {
  try {
    rule();
    return true;
  } catch {
    return false;
  }
}

const channels = fc.record({ groups: small(3), from: small(3), to: fc.oneof(small(5), fc.constant(17)) });
const axis = (dims: number) =>
  fc.record({
    size: small([17, 9, 5][dims - 1]),
    taps: small([5, 4, 3][dims - 1]),
    stride: small(4),
    before: fc.nat(3),
    after: fc.nat(3),
    dilation: small(4),
    extra: fc.nat(4),
  });
const convCase = fc.record({
  axes: small(3).chain((dims) => fc.array(axis(dims), { minLength: dims, maxLength: dims })),
  samples,
  channels,
  bias: fc.boolean(),
  half: fc.boolean(),
});

// References of larger ones would take more time than all the rest.
const affordable = (out: Shape, weight: Shape) => out.slice(2).every((n) => n > 0) && sizeOf(out) * sizeOf(weight.slice(1)) < 2e5;
/** No two of a plane alike, and f16 holds them: at ties a gradient is a choice. */
const distinct: Values = (_, i) => (((i * 1367) % 2048) - 1024) / 256;

describe("random images", () => {
  const mode = fc.constantFrom("zeros", "zeros", "reflect", "replicate", "circular");
  property(
    "conv",
    fc
      .tuple(convCase, mode, fc.constantFrom("none", "relu"))
      .map(([{ axes, samples, channels, bias, half }, paddingMode, activation]): Case => {
        const limit = { zeros: () => 3, replicate: () => 3, reflect: (n: number) => n - 1, circular: (n: number) => n };
        const inside = limit[paddingMode];
        const args = {
          stride: axes.map((a) => a.stride),
          padding: axes.map((a) => [Math.min(a.before, inside(a.size)), Math.min(a.after, inside(a.size))]),
          dilation: axes.map((a) => a.dilation),
          groups: channels.groups,
          paddingMode,
          activation,
        };
        const [from, to] = [channels.from, channels.to].map((n) => n * channels.groups);
        const inputs: Record<string, InputSpec> = {
          x: { shape: [samples, from, ...axes.map((a) => a.size)] },
          weight: { shape: [to, channels.from, ...axes.map((a) => a.taps)] },
          ...(bias ? { bias: { shape: [to] } } : {}),
        };
        return { inputs, args, half };
      })
      .filter(({ inputs, args }) =>
        convOutShape(inputs.x.shape, inputs.weight.shape, args)
          .slice(2)
          .every((n) => n > 0),
      ),
    30,
  );

  property(
    "convTranspose",
    convCase
      .map(({ axes, samples, channels, bias, half }): Case => {
        const args = {
          stride: axes.map((a) => a.stride),
          padding: axes.map((a) => [a.before, a.after]),
          dilation: axes.map((a) => a.dilation),
          outputPadding: axes.map((a) => Math.min(a.extra, Math.max(a.stride, a.dilation) - 1)),
          groups: channels.groups,
        };
        const [from, to] = [channels.from, channels.to].map((n) => n * channels.groups);
        const inputs: Record<string, InputSpec> = {
          x: { shape: [samples, from, ...axes.map((a) => a.size)] },
          weight: { shape: [from, channels.to, ...axes.map((a) => a.taps)] },
          ...(bias ? { bias: { shape: [to] } } : {}),
        };
        return { inputs, args, half };
      })
      .filter(
        ({ inputs: { x, weight }, args }) =>
          affordable(convTransposeOutShape(x.shape, weight.shape, args), weight.shape) && affordable(x.shape, weight.shape),
      ),
    30,
  );

  const windows = (dilated: boolean) =>
    images.chain((shape) => {
      const size = shape.slice(2);
      return fc
        .record({
          kernelSize: perAxis(size, small(4)),
          stride: optional(perAxis(size, small(3))),
          padding: perAxis(size, fc.nat(2)),
          ...(dilated && { dilation: optional(perAxis(size, small(2))) }),
          ceilMode: fc.boolean(),
        })
        .map((o) => ({ ...o, padding: o.padding.map((p, i) => Math.min(p, o.kernelSize[i] >> 1)) }))
        .filter((o) => fits(() => maxPoolShape(shape, o)))
        .map((args) => ({ shape, args }));
    });
  for (const name of ["maxPool", "maxPoolWithIndices"]) {
    property(
      name,
      fc
        .tuple(windows(true), fc.boolean())
        .map(([{ shape, args }, half]) => ({ inputs: { x: { shape, values: distinct } }, args, half })),
    );
  }
  property(
    "avgPool",
    fc
      .tuple(windows(false), fc.boolean(), fc.boolean(), optional(fc.constantFrom(1, 3, -2)))
      .map(([{ shape, args }, countIncludePad, half, divisorOverride]) => ({
        inputs: { x: { shape } },
        args: { ...args, countIncludePad, ...(divisorOverride === undefined ? {} : { divisorOverride }) },
        half,
      })),
  );
  const adaptive = images.chain((shape) => fc.tuple(fc.constant(shape), perAxis(shape.slice(2), small(7)), fc.boolean()));
  for (const name of ["adaptiveMaxPool", "adaptiveMaxPoolWithIndices", "adaptiveAvgPool"]) {
    property(
      name,
      adaptive.map(([shape, outputSize, half]) => ({ inputs: { x: { shape, values: distinct } }, args: { outputSize }, half })),
      10,
    );
  }
  property(
    "globalAvgPool",
    fc.tuple(images, fc.boolean()).map(([shape, half]) => ({ inputs: { x: { shape } }, args: {}, half })),
    10,
  );
  property(
    "maxUnpool",
    images
      .chain((shape) => fc.tuple(fc.constant(shape), perAxis(shape.slice(2), small(3)), fc.boolean()))
      .map(([shape, kernelSize, half]): Case => {
        const inputs = shape.slice(2).reduce((n, d) => n * d, 1);
        const cells = kernelSize.reduce((n, d) => n * d, 1);
        // Every position of a plane goes to another place.
        const values = (_: unknown, i: number) => (i % inputs) * cells + ((i * 7) % cells);
        return { inputs: { x: { shape }, indices: { shape, values, dtype: "i32" } }, args: { kernelSize }, half };
      }),
  );

  const affine = (shape: Shape, has: boolean): Record<string, InputSpec> => (has ? { weight: { shape }, bias: { shape } } : {});
  // Where a group has few elements the gradient of its input cancels to almost nothing.
  const norm = { tolerance: { floor: 1 } };
  property(
    "instanceNorm",
    fc
      .tuple(images, fc.boolean(), fc.boolean())
      .filter(([shape]) => shape.slice(2).some((n) => n > 1))
      .map(([shape, has, half]) => ({ inputs: { x: { shape }, ...affine([shape[1]], has) }, args: {}, half, ...norm })),
  );
  property(
    "groupNorm",
    fc
      .tuple(images, small(3), fc.boolean(), fc.boolean())
      .filter(([[, c, ...size]]) => c * Math.max(...size) > 1)
      .map(([[n, c, ...size], groups, has, half]) => ({
        inputs: { x: { shape: [n, c * groups, ...size] }, ...affine([c * groups], has) },
        args: { groups, eps: 1e-3 },
        half,
        ...norm,
      })),
  );
  property(
    "batchNorm",
    fc
      .tuple(images, fc.boolean(), fc.boolean())
      .filter(([[n, , ...size]]) => n * Math.max(...size) > 1)
      .map(([shape, has, half]) => ({ inputs: { x: { shape }, ...affine([shape[1]], has) }, args: {}, half, ...norm })),
  );
  property(
    "layerNorm",
    fc
      .tuple(images, small(3), fc.boolean(), fc.boolean())
      .map(([shape, axes, has, half]) => ({ shape, tail: shape.slice(Math.max(1, shape.length - axes)), has, half }))
      .filter(({ tail }) => tail.some((n) => n > 1))
      .map(({ shape, tail, has, half }) => ({
        inputs: { x: { shape }, ...affine(tail, has) },
        args: { shape: tail, eps: 1e-3 },
        half,
        ...norm,
      })),
  );

  const linear = ["linear", "bilinear", "trilinear"] as const;
  const modes = fc.constantFrom("nearest", "nearest-exact", "area", "linear", "bicubic");
  property(
    "interpolate",
    images
      .chain((shape) =>
        fc.tuple(
          fc.constant(shape),
          modes,
          fc.oneof(
            fc.record({ size: perAxis(shape.slice(2), small(9)) }),
            fc.record({ scaleFactor: perAxis(shape.slice(2), fc.constantFrom(0.5, 1, 1.5, 2, 3)) }),
          ),
          optional(fc.boolean()),
          fc.boolean(),
        ),
      )
      .map(([shape, kind, target, alignCorners, half]): Case => {
        const dims = shape.length - 2;
        const mode = kind === "linear" || (kind === "bicubic" && dims !== 2) ? linear[dims - 1] : kind;
        const aligned = /linear|cubic/.test(mode) && alignCorners !== undefined ? { alignCorners } : {};
        return { inputs: { x: { shape } }, args: { ...target, mode, ...aligned }, half };
      })
      .filter(({ inputs: { x }, args }) => {
        const { scaleFactor } = args as { scaleFactor?: number[] };
        return !scaleFactor || scaleFactor.every((f, i) => Math.floor(f * x.shape[i + 2]) > 0);
      }),
    25,
  );
  property(
    "gridSample",
    fc
      .tuple(
        images,
        fc.constantFrom("bilinear", "nearest", "bicubic"),
        fc.constantFrom("zeros", "border", "reflection"),
        fc.boolean(),
        fc.array(small(5), { minLength: 3, maxLength: 3 }),
      )
      .filter(([shape, mode]) => shape.length === 4 || (shape.length === 5 && mode !== "bicubic"))
      .map(([shape, mode, paddingMode, alignCorners, out]) => {
        const dims = shape.length - 2;
        const grid: InputSpec = { shape: [shape[0], ...out.slice(0, dims), dims], values: between(-1.6, 1.6) };
        return { inputs: { x: { shape }, grid }, args: { mode, paddingMode, alignCorners } };
      }),
  );
  property(
    "affineGrid",
    fc
      .tuple(samples, sizes, fc.boolean())
      .filter(([, size]) => size.length > 1)
      .map(([n, size, alignCorners]) => ({
        inputs: { theta: { shape: [n, size.length, size.length + 1] } },
        args: { size: [n, 1, ...size], alignCorners },
      })),
    8,
  );
});
