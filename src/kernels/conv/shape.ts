/** @file Shape rules of convolution and transposed convolution in one, two and three dimensions (2-D is depth 1). */

import { sizeOf } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";
import { type Shape, showShape, type Spatial, spatial } from "../../host/shape.ts";

/** One number for all axes, one per axis, or the two ends of each axis: `[[before, after], …]`. */
export type Padding = Spatial | readonly (readonly [number, number])[];

/** What convolutions of both directions have. */
export interface ConvBaseOptions {
  /** Default 1. */
  readonly stride?: Spatial;
  /** Default 1. */
  readonly dilation?: Spatial;
  /** Parts that the channels of input and output split into, each convolved on its own; default 1. */
  readonly groups?: number;
}

/** Options of `conv`. */
export interface ConvOptions extends ConvBaseOptions {
  /** Zeros added at the ends of each axis, "same" for an output of the input's size (stride 1 only), or "valid" for none; default 0. */
  readonly padding?: Padding | "same" | "valid";
  /** What is padded: zeros (default), or the input reflected, its edge replicated, or its other end. */
  readonly paddingMode?: "zeros" | "reflect" | "replicate" | "circular";
  /** Applied to the result before it is stored, which saves a pass over it; default "none". */
  readonly activation?: "none" | "relu";
}

/** Options of `convTranspose`. */
export interface ConvTransposeOptions extends ConvBaseOptions {
  /** Taken away at the ends of each axis; default 0. */
  readonly padding?: Padding;
  /** Extra size at the end of each axis, less than stride or dilation; default 0. */
  readonly outputPadding?: Spatial;
}

/** Sizes along D, H and W. */
export type Triple = readonly [number, number, number];

/** Sizes of one convolution, seen from the plain (not transposed) side: `large` is its input, `small` its output. */
export interface ConvGeometry {
  readonly samples: number;
  /** Channels and size of the side that a plain convolution reads. */
  readonly largeChannels: number;
  readonly large: Triple;
  /** Channels and size of the side it writes. */
  readonly smallChannels: number;
  readonly small: Triple;
  readonly taps: Triple;
  readonly stride: Triple;
  readonly dilation: Triple;
  /** Before each axis; what lies after it follows from the sizes. */
  readonly padding: Triple;
  readonly groups: number;
  /** Shape of the result with its own rank. */
  readonly outShape: Shape;
}

const triple = (list: readonly number[], fill: number): Triple =>
  [...new Array<number>(3 - list.length).fill(fill), ...list] as unknown as Triple;

/** Both ends of each axis. Throws `ShapeError`. */
export function paddings(op: string, value: Padding, dims: number): [number, number][] {
  const pairs =
    typeof value === "number" || value.some((v) => typeof v === "number") ? undefined : (value as readonly (readonly number[])[]);
  if (!pairs) return spatial(op, "padding", value as Spatial, dims, 0).map((p) => [p, p]);
  if (pairs.some((pair) => pair.length !== 2)) throw new ShapeError(`${op}: padding must be [before, after] on each axis`);
  const [before, after] = [0, 1].map((end) =>
    spatial(
      op,
      "padding",
      pairs.map((pair) => pair[end]),
      dims,
      0,
    ),
  );
  return before.map((p, i) => [p, after[i]]);
}

/** As PyTorch splits it: an odd surplus goes to the end. */
function samePaddings(taps: readonly number[], dilation: readonly number[], stride: readonly number[]): [number, number][] {
  if (stride.some((s) => s !== 1)) throw new ShapeError(`conv: padding "same" needs stride 1, got ${showShape(stride)}`);
  return taps.map((k, i) => {
    const total = dilation[i] * (k - 1);
    const before = Math.floor(total / 2);
    return [before, total - before];
  });
}

function namedPaddings(
  op: string,
  padding: NonNullable<ConvOptions["padding"]>,
  taps: readonly number[],
  dilation: readonly number[],
  stride: readonly number[],
): [number, number][] {
  if (padding === "same") return samePaddings(taps, dilation, stride);
  if (typeof padding !== "string") return paddings(op, padding, taps.length);
  if (padding === "valid") return taps.map(() => [0, 0]);
  throw unknownPadding(op, padding);
}

/** Of a padding that is another word. */
const unknownPadding = (op: string, padding: unknown): ShapeError =>
  new ShapeError(`${op}: padding "${String(padding)}" must be numbers, "same" or "valid"`);

/** Throws `ShapeError` for a padding that is a word and none of those that there are. */
export function expectPaddingWord(op: string, padding: ConvOptions["padding"]): void {
  if (typeof padding === "string" && padding !== "same" && padding !== "valid") throw unknownPadding(op, padding);
}

function expectChannels(op: string, x: Shape, weight: Shape, bias: Shape | undefined, groups: number, outAxis: 0 | 1): number {
  if (!Number.isInteger(groups) || groups < 1 || x[1] % groups !== 0 || weight[0] % groups !== 0) {
    const sides = outAxis === 0 ? `${x[1]} input and ${weight[0]} output channels` : `${x[1]} input channels`;
    throw new ShapeError(`${op}: ${sides} do not split into ${groups} groups`);
  }
  const expected = outAxis === 0 ? weight[1] * groups : weight[0];
  if (expected !== x[1]) {
    const per = outAxis === 0 && groups > 1 ? ` for each of ${groups} groups` : "";
    throw new ShapeError(
      `${op}: the input ${showShape(x)} has ${x[1]} channels, the weight ${showShape(weight)} expects ${weight[1 - outAxis]} on axis ${1 - outAxis}${per}`,
    );
  }
  const outChannels = outAxis === 0 ? weight[0] : weight[1] * groups;
  if (bias && (bias.length !== 1 || bias[0] !== outChannels)) {
    throw new ShapeError(`${op}: bias ${showShape(bias)} must be [${outChannels}], one per output channel`);
  }
  return outChannels;
}

function common(op: string, x: Shape, weight: Shape, bias: Shape | undefined, options: ConvOptions, outAxis: 0 | 1) {
  const dims = x.length - 2;
  if (dims < 1 || dims > 3)
    throw new ShapeError(`${op}: input must be [N, C, spatial…] with 1 to 3 spatial axes, got ${showShape(x)}`);
  if (weight.length !== x.length) {
    throw new ShapeError(`${op}: weight ${showShape(weight)} must have rank ${x.length} like the input ${showShape(x)}`);
  }
  const groups = options.groups ?? 1;
  const outChannels = expectChannels(op, x, weight, bias, groups, outAxis);
  const taps = weight.slice(2);
  const stride = spatial(op, "stride", options.stride ?? 1, dims, 1);
  const dilation = spatial(op, "dilation", options.dilation ?? 1, dims, 1);
  const ends = namedPaddings(op, options.padding ?? 0, taps, dilation, stride);
  return {
    dims,
    size: x.slice(2),
    outChannels,
    groups,
    taps,
    stride,
    padding: ends,
    dilation,
    /** What the kernel covers beyond its first tap, less what is padded. */
    reach: taps.map((k, i) => dilation[i] * (k - 1) - ends[i][0] - ends[i][1]),
    geometry: {
      samples: x[0],
      taps: triple(taps, 1),
      stride: triple(stride, 1),
      dilation: triple(dilation, 1),
      padding: triple(
        ends.map(([before]) => before),
        0,
      ),
      groups,
    },
  };
}

const showPadding = (ends: readonly (readonly [number, number])[]): string =>
  ends.every(([before, after]) => before === after)
    ? showShape(ends.map(([before]) => before))
    : `[${ends.map((e) => showShape(e)).join(", ")}]`;

/** The ends of each axis that a convolution pads. Throws `ShapeError`. */
export function convPadding(x: Shape, weight: Shape, options: ConvOptions): [number, number][] {
  return common("conv", x, weight, undefined, options, 0).padding;
}

/** Shape rule of convolution: weight `[out, in / groups, taps…]`. Throws `ShapeError`. */
export function convShape(x: Shape, weight: Shape, bias?: Shape, options: ConvOptions = {}): ConvGeometry {
  const c = common("conv", x, weight, bias, options, 0);
  const out = c.size.map((n, i) => Math.floor((n - c.reach[i] - 1) / c.stride[i]) + 1);
  if (out.some((n) => n < 1)) {
    throw new ShapeError(
      `conv: input size ${showShape(c.size)} with padding ${showPadding(c.padding)} is smaller than the kernel ${showShape(c.taps)}`,
    );
  }
  return {
    ...c.geometry,
    largeChannels: x[1],
    large: triple(c.size, 1),
    smallChannels: c.outChannels,
    small: triple(out, 1),
    outShape: [x[0], c.outChannels, ...out],
  };
}

/** Shape rule of transposed convolution: weight `[in, out / groups, taps…]`. Throws `ShapeError`. */
export function convTransposeShape(x: Shape, weight: Shape, bias?: Shape, options: ConvTransposeOptions = {}): ConvGeometry {
  const op = "convTranspose";
  const c = common(op, x, weight, bias, options, 1);
  const extra = spatial(op, "outputPadding", options.outputPadding ?? 0, c.dims, 0);
  extra.forEach((e, i) => {
    if (e >= Math.max(c.stride[i], c.dilation[i])) {
      throw new ShapeError(
        `${op}: outputPadding ${showShape(extra)} must be smaller than stride ${showShape(c.stride)} or dilation`,
      );
    }
  });
  const out = c.size.map((n, i) => (n - 1) * c.stride[i] + c.reach[i] + extra[i] + 1);
  if (out.some((n) => n < 1)) {
    throw new ShapeError(
      `${op}: input size ${showShape(c.size)} with padding ${showPadding(c.padding)} gives the empty size ${showShape(out)}`,
    );
  }
  return {
    ...c.geometry,
    largeChannels: c.outChannels,
    large: triple(out, 1),
    smallChannels: x[1],
    small: triple(c.size, 1),
    outShape: [x[0], c.outChannels, ...out],
  };
}

/** Twice the multiply-adds of either kind. */
export const convFlops = (g: ConvGeometry): number =>
  2 * g.samples * sizeOf(g.small) * g.smallChannels * (g.largeChannels / g.groups) * sizeOf(g.taps);

/** Three sizes as a vector of four. */
export const four = ([d, h, w]: Triple) => [d, h, w, 0] as const;

/** What kernels of both directions and of weight gradients are told of the windows. */
export const windowWords = (g: ConvGeometry) => ({
  taps: four(g.taps),
  stride: four(g.stride),
  dilation: four(g.dilation),
  padding: four(g.padding),
});
