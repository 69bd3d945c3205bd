/**
 * @file Sums of what a predictor says of windows: one output or several, each at the scale of the image or at its own, as MONAI's `sliding_window_inference`
 * adds them up.
 */

import { type HostArray, sizeOf } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";
import { expectArguments } from "../../host/kinds.ts";
import { roundHalfEven } from "../../host/rounding.ts";
import { sameShape, stridesOf } from "../../host/shape.ts";
import { forEachRow } from "./padding.ts";

/** What a predictor may give for a batch: `[B, K, …]`, or several of them in a list or by name. */
export type WindowOutputs = HostArray | readonly HostArray[] | Readonly<Record<string, HostArray>>;

/** The same structure of whole images. */
export type ImageOutputs<O extends WindowOutputs> = O extends HostArray
  ? HostArray<Float32Array>
  : { readonly [K in keyof O]: HostArray<Float32Array> };

/** A window in the images. */
export interface WindowCoord {
  /** Which image of the batch. */
  readonly image: number;
  /** Its first voxel on each axis. */
  readonly start: readonly number[];
  /** One past its last voxel. */
  readonly end: readonly number[];
}

const isArray = (x: WindowOutputs): x is HostArray =>
  ArrayBuffer.isView((x as HostArray).data) && Array.isArray((x as HostArray).shape);

/** Throws `ConfigError` unless these are host arrays, at least one, and `ShapeError` unless they fill their shapes. */
export function expectOutputs(what: string, list: readonly HostArray[]): void {
  expectArguments("slidingWindowInference", "arrays", { [what]: list });
  if (list.length === 0) throw new ShapeError(`slidingWindowInference: ${what} is empty; expected at least one output`);
}

/**
 * Outputs in a list, those of a record by their sorted names, and how to bring others into the same form.
 * @throws ConfigError, ShapeError for what are no outputs
 */
export function flattened(given: WindowOutputs): {
  readonly list: readonly HostArray[];
  readonly pack: (list: readonly HostArray<Float32Array>[]) => WindowOutputs;
} {
  const what = "what the predictor gives";
  if (Array.isArray(given)) {
    expectOutputs(what, given as readonly HostArray[]);
    return { list: given as readonly HostArray[], pack: (list) => list };
  }
  // Plain JavaScript may give anything.
  const one: unknown = given;
  expectArguments("slidingWindowInference", "object", { [what]: one });
  const record = isArray(given) ? undefined : (given as Readonly<Record<string, HostArray>>);
  const names = Object.keys(record ?? {}).sort();
  const list = record ? names.map((n) => record[n]) : [given as HostArray];
  expectOutputs(what, list);
  return {
    list,
    pack: (found) => (record ? Object.fromEntries(found.slice(0, names.length).map((array, i) => [names[i], array])) : found[0]),
  };
}

interface Sum {
  readonly channels: number;
  /** Of a window's output. */
  readonly window: readonly number[];
  /** Output voxels per voxel of the image, if they are not one each. */
  readonly zoom: readonly number[] | undefined;
  readonly size: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
  readonly count: Float32Array;
}

export interface OutputSumsOptions {
  readonly images: number;
  /** Size of images with their padding. */
  readonly size: readonly number[];
  readonly roi: readonly number[];
  readonly starts: readonly (readonly number[])[];
}

export class OutputSums {
  private readonly options: OutputSumsOptions;
  private readonly sums: Sum[] = [];

  constructor(options: OutputSumsOptions) {
    this.options = options;
  }

  /**
   * Adds the outputs of a batch, weighted. The weights of the first batch are those that the sums are divided by, as upstream.
   * @param weights `[…roi]`, or with two axes of size 1 before
   * @throws ShapeError for outputs that do not go with the windows or with those before
   */
  add(outputs: readonly HostArray[], windows: readonly WindowCoord[], weights: HostArray): void {
    const { roi } = this.options;
    let w = spatialOf(weights, roi);
    for (const [s, out] of outputs.entries()) {
      const [n, channels, ...window] = out.shape;
      const known = this.sums[s];
      const wrong = known && (known.channels !== channels || !sameShape(known.window, window));
      if (n !== windows.length || window.length !== roi.length || wrong || (!known && this.sums.length !== s))
        throw new ShapeError(
          `slidingWindowInference: the predictor returned [${out.shape}] for windows [${[windows.length, "C", ...roi]}]; expected the same batch, and equal ` +
            "channels and sizes in every batch",
        );
      // As upstream, weights of a further output are made of those of the one before.
      if (!sameShape(w.shape, window)) w = sameShape(window, roi) ? spatialOf(weights, roi) : nearest(w, window);
      this.addTo((this.sums[s] ??= this.begun(channels, window, w)), out, windows, w);
    }
  }

  /** Means over the weights, without the padding `before` images of this size. */
  finish(before: readonly number[], size: readonly number[]): HostArray<Float32Array<ArrayBuffer>>[] {
    const { images, roi, size: padded } = this.options;
    return this.sums.map((sum) => {
      const voxels = sizeOf(sum.size);
      for (let i = 0; i < sum.data.length; i++) sum.data[i] /= sum.count[i % voxels];
      const whole = { data: sum.data, shape: [images, sum.channels, ...sum.size] };
      if (sameShape(padded, size)) return whole;
      const zoom = sum.size.map((n, a) => n / roi[a]);
      const from = before.map((b, a) => roundHalfEven(b * zoom[a]));
      const to = before.map((b, a) => Math.min(sum.size[a], roundHalfEven((b + size[a]) * zoom[a])));
      return cropped(whole, from, to);
    });
  }

  private begun(channels: number, window: readonly number[], weights: HostArray): Sum {
    const { images, size, roi, starts } = this.options;
    const zoom = sameShape(window, roi) ? undefined : window.map((n, a) => n / roi[a]);
    const scaled = zoom ? size.map((n, a) => Math.trunc(n * zoom[a])) : size;
    const voxels = sizeOf(scaled);
    const sum = {
      channels,
      window,
      zoom,
      size: scaled,
      data: new Float32Array(images * channels * voxels),
      count: new Float32Array(voxels),
    };
    for (const start of starts) {
      forEachRow(scaled, this.placeOf(sum, start), window, (at, row, length) => {
        for (let i = 0; i < length; i++) sum.count[at + i] += weights.data[row + i];
      });
    }
    return sum;
  }

  /** Where a window's output begins. Throws `ShapeError` if it is not as long there as elsewhere. */
  private placeOf({ zoom, window }: Pick<Sum, "zoom" | "window">, start: readonly number[]): readonly number[] {
    if (!zoom) return start;
    const { roi } = this.options;
    const place = start.map((s, a) => Math.trunc(s * zoom[a]));
    if (window.some((n, a) => Math.trunc((start[a] + roi[a]) * zoom[a]) - place[a] !== n))
      throw new ShapeError(
        `slidingWindowInference: an output [${window}] of a window [${roi}] at [${start}] does not begin and end at whole voxels; choose roiSize and overlap ` +
          "so that starts are multiples of the scale",
      );
    return place;
  }

  private addTo(sum: Sum, out: HostArray, windows: readonly WindowCoord[], weights: HostArray): void {
    const [voxels, inWindow] = [sizeOf(sum.size), sizeOf(sum.window)];
    for (const [b, { image, start }] of windows.entries()) {
      const place = this.placeOf(sum, start);
      for (let k = 0; k < sum.channels; k++) {
        const [from, to] = [(b * sum.channels + k) * inWindow, (image * sum.channels + k) * voxels];
        forEachRow(sum.size, place, sum.window, (at, row, length) => {
          for (let i = 0; i < length; i++) sum.data[to + at + i] += out.data[from + row + i] * weights.data[row + i];
        });
      }
    }
  }
}

/** Weights without leading axes of size 1. */
function spatialOf({ data, shape }: HostArray, roi: readonly number[]): HostArray {
  const spatial = shape.slice(shape.length - roi.length);
  if (sizeOf(shape) !== sizeOf(spatial) || spatial.length !== roi.length || !sameShape(spatial, roi))
    throw new ShapeError(`slidingWindowInference: weights are [${shape}]; expected the window's shape [${roi}]`);
  return { data, shape: spatial };
}

/** PyTorch's `interpolate` of mode "nearest-exact". */
function nearest({ data, shape }: HostArray, size: readonly number[]): HostArray<Float32Array> {
  const strides = stridesOf(shape);
  const sources = size.map((n, a) =>
    Uint32Array.from({ length: n }, (_, i) => Math.min(shape[a] - 1, Math.floor((i + 0.5) * (shape[a] / n))) * strides[a]),
  );
  const out = new Float32Array(sizeOf(size));
  for (let i = 0; i < out.length; i++) {
    let [rest, at] = [i, 0];
    for (let a = size.length - 1; a >= 0; a--) {
      at += sources[a][rest % size[a]];
      rest = Math.floor(rest / size[a]);
    }
    out[i] = data[at];
  }
  return { data: out, shape: size };
}

function cropped(
  { data, shape: [n, c, ...size] }: HostArray<Float32Array<ArrayBuffer>>,
  from: readonly number[],
  to: readonly number[],
): HostArray<Float32Array<ArrayBuffer>> {
  const extent = to.map((t, a) => t - from[a]);
  const [all, voxels] = [sizeOf(size), sizeOf(extent)];
  const out = new Float32Array(n * c * voxels);
  for (let p = 0; p < n * c; p++)
    forEachRow(size, from, extent, (at, row, length) =>
      out.set(data.subarray(p * all + at, p * all + at + length), p * voxels + row),
    );
  return { data: out, shape: [n, c, ...extent] };
}
