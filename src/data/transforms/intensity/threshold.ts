/** @file What is kept of an image: `ThresholdIntensity`, `MaskIntensity`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { holdsIntegers, type HostArray, sizeOf, type TypedArray } from "../../../host/array.ts";
import { inBlocks } from "../../../host/blocks.ts";
import { required } from "../../../host/defaults.ts";
import { changed, lanesOf } from "../../../host/simd/chunks.ts";
import * as maps from "../../../host/simd/maps.ts";
import { chunkSize, places } from "../../../host/simd/places.ts";
import { asWords } from "../../../host/strided.ts";
import { unfilledLike } from "../../../host/unfilled.ts";
import type { Transform } from "../transform.ts";
import { intoType } from "./arithmetic.ts";
import { allOptions } from "../options.ts";

/** Which values `ThresholdIntensity` keeps. */
export interface ThresholdIntensityOptions {
  /** What voxels are compared with; one that equals it is not kept. */
  readonly threshold: number;
  /** Keep what is above the threshold; else what is below it. Default true. */
  readonly above?: boolean;
  /** What the others become. Default 0. */
  readonly cval?: number;
}

/**
 * Keeps values above (or, with `above: false`, below) `threshold`; the others become `cval` (default 0). MONAI's `ThresholdIntensity`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError for a threshold that is not a number, and an unknown option
 */
export class ThresholdIntensity implements Transform {
  private readonly options: Required<ThresholdIntensityOptions>;

  constructor(options: ThresholdIntensityOptions) {
    this.options = allOptions("ThresholdIntensity", options, "threshold:voxel above:boolean cval:voxel", {
      threshold: required,
      above: true,
      cval: 0,
    });
    if (typeof options.threshold !== "number")
      throw new ConfigError(`ThresholdIntensity: threshold must be a number, got ${String(options.threshold)}`);
  }

  apply(x: HostArray): HostArray {
    expectArguments("ThresholdIntensity", "array", { x });
    const { threshold, above, cval } = this.options;
    const { data } = x;
    const out = unfilledLike(data, data.length);
    if (data instanceof Float32Array && out instanceof Float32Array) selectFloats(data, threshold, above, cval, out);
    else if (above) for (let i = 0; i < data.length; i++) out[i] = data[i] > threshold ? data[i] : cval;
    else for (let i = 0; i < data.length; i++) out[i] = data[i] < threshold ? data[i] : cval;
    return { ...x, data: out };
  }
}

const lanesBeyond = /* @__PURE__ */ lanesOf({ above: maps.above, below: maps.below });

/** Values beyond the threshold, in bits: of noise, a branch is guessed wrong half of the time, which takes four times as long. */
function selectFloats(data: Float32Array, threshold: number, above: boolean, cval: number, out: Float32Array): void {
  const lanes = lanesBeyond(data.length);
  if (lanes) {
    const select = above ? lanes.kernels.above : lanes.kernels.below;
    const limit = floatBeside(threshold, above);
    return changed(lanes, data, out, (end) => select(places.first, end, limit, cval));
  }
  const [words, target, other] = [asWords(data), asWords(out), asWords(Float32Array.of(cval))[0]];
  inBlocks(data.length, (start, end) => {
    if (above) selectAbove(data, words, target, start, end, threshold, other);
    else selectBelow(data, words, target, start, end, threshold, other);
  });
}

/** The float32 at or next below (else above) a number: float32 values are beyond the one if they are beyond the other. */
function floatBeside(v: number, below: boolean): number {
  const near = Math.fround(v);
  if (below ? !(near > v) : !(near < v)) return near;
  if (near === 0) return below ? -(2 ** -149) : 2 ** -149;
  const words = new Int32Array(Float32Array.of(near).buffer);
  // Away from zero the words of floats go up.
  words[0] += near > 0 === below ? -1 : 1;
  return new Float32Array(words.buffer)[0];
}

type Select = (
  data: Float32Array,
  words: TypedArray,
  target: TypedArray,
  start: number,
  end: number,
  threshold: number,
  other: number,
) => void;

const selectAbove: Select = (data, words, target, start, end, threshold, other) => {
  for (let i = start; i < end; i++) {
    const kept = -Number(data[i] > threshold);
    target[i] = (words[i] & kept) | (other & ~kept);
  }
};

const selectBelow: Select = (data, words, target, start, end, threshold, other) => {
  for (let i = start; i < end; i++) {
    const kept = -Number(data[i] < threshold);
    target[i] = (words[i] & kept) | (other & ~kept);
  }
};

/** Where `MaskIntensity` keeps the image. */
export interface MaskIntensityOptions {
  /** `[1, …]` or `[C, …]`; null (default) when each call brings its own. */
  readonly maskData?: HostArray | null;
  /** Whether a value of the mask keeps the voxel. Default: above 0. */
  readonly selectFn?: ((value: number) => boolean) | null;
  /** Under `onKeys`: the entry of the item that is the mask. Default null: `maskData`. */
  readonly maskKey?: string | null;
}

/**
 * x where the mask is set, 0 elsewhere. The mask is converted to the element type of x first. MONAI's `MaskIntensity`.
 *
 * Shapes: `[C, …]` → `[C, …]`, the mask `[1, …]` or `[C, …]`.
 * Geometry: kept.
 * @throws ConfigError without a mask and for an unknown option, ShapeError for a mask of another shape
 */
export class MaskIntensity implements Transform {
  private readonly options: Required<MaskIntensityOptions>;
  /** Entry of the item that holds the mask: `maskKey`. */
  readonly sourceKey: string | undefined;
  /** With `maskKey`: the transform with the mask of an item. */
  readonly forItem: ((maskData: HostArray) => Transform) | undefined;

  constructor(options: MaskIntensityOptions = {}) {
    this.options = allOptions("MaskIntensity", options, "maskData:array selectFn:function maskKey:text", {
      maskData: null,
      selectFn: null,
      maskKey: null,
    });
    const { maskKey, selectFn } = this.options;
    this.sourceKey = maskKey ?? undefined;
    this.forItem = maskKey === null ? undefined : (maskData) => new MaskIntensity({ maskData, selectFn });
  }

  apply(x: HostArray, maskData: HostArray | null = this.options.maskData): HostArray {
    expectArguments("MaskIntensity", "array", { x });
    if (!maskData) throw new ConfigError("MaskIntensity: there is no mask; give maskData as an option or to apply");
    const { shape } = maskData;
    const fits = (shape[0] === 1 || shape[0] === x.shape[0]) && shape.slice(1).join() === x.shape.slice(1).join();
    if (!fits) {
      throw new ShapeError(
        `MaskIntensity: a mask of shape [${shape.join(", ")}] does not fit an image of shape [${x.shape.join(", ")}]; it needs one channel or as many as the image`,
      );
    }
    // What an integer is, it is as a float too.
    const same = !holdsIntegers(x.data) && holdsIntegers(maskData.data);
    const mask = same ? maskData.data : intoType(maskData.data, x.data);
    const { selectFn } = this.options;
    const keep = selectFn ? Uint8Array.from(mask, (v) => (selectFn(v) ? 1 : 0)) : mask;
    const { data } = x;
    const out = unfilledLike(data, data.length);
    const size = sizeOf(shape);
    for (let from = 0; from < data.length; from += size) {
      const inLanes = data instanceof Float32Array && out instanceof Float32Array;
      if (inLanes && maskInLanes(data.subarray(from, from + size), keep, out.subarray(from, from + size))) continue;
      inBlocks(size, (start, end) => maskBlock(data, keep, out, start, end, from));
    }
    return { ...x, data: out };
  }
}

const lanesToMask = /* @__PURE__ */ lanesOf({ byteMask: maps.byteMask, mask: maps.mask });

/** `maskBlock` of a long image by masks of bytes or floats; false for others. */
function maskInLanes(data: Float32Array, keep: TypedArray, out: Float32Array): boolean {
  const bytes = keep instanceof Uint8Array;
  const lanes = bytes || keep instanceof Float32Array ? lanesToMask(data.length) : undefined;
  if (!lanes) return false;
  const { kernels, memory } = lanes;
  const chunk = bytes ? new Uint8Array(memory.buffer, places.second, chunkSize) : lanes.second;
  changed(lanes, data, out, (end, at, count) => {
    chunk.set(keep.subarray(at, at + count));
    (bytes ? kernels.byteMask : kernels.mask)(places.first, end);
  });
  return true;
}

/** Multiplied, so that NaN and infinity are seen and not hidden, as in MONAI. */
function maskBlock(data: TypedArray, keep: TypedArray, out: TypedArray, start: number, end: number, from: number): void {
  for (let i = start; i < end; i++) out[from + i] = data[from + i] * Number(keep[i] > 0);
}
