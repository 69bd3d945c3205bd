/** @file A few random numbers grown into a smooth field over the image: what the transforms of smooth fields share. */
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import type { RandomSource } from "../../../host/random/numpy.ts";
import { showShape } from "../../../host/shape.ts";
import { extent } from "../../../host/stats.ts";
import { spatialShape } from "../../../host/strided.ts";
import { checkResizeMode, Resize, type ResizeMode } from "./resize.ts";
import { checkedOptions } from "../options.ts";

/** How a smooth field is made. */
export interface SmoothFieldOptions {
  /** Size of the images, per spatial axis. Default null: that of the random field. */
  readonly spatialSize?: readonly number[] | null;
  /** Size of the random field, per spatial axis. */
  readonly randSize: readonly number[];
  /** Width of a border around the random field that changes nothing. Default 0. */
  readonly pad?: number;
  /** Linear and cubic modes: corner values onto each other. Default null: false. */
  readonly alignCorners?: boolean | null;
  /** Default 0.1. */
  readonly prob?: number;
}

/** Names of `SmoothFieldOptions`. */
export const smoothFieldNames = "spatialSize:numbers randSize:numbers pad:number alignCorners:boolean prob:number";

/** The ends of a range: a number is the one beside `other`. @throws ConfigError for what is no number or pair of different numbers */
export function fieldRange(
  op: string,
  name: string,
  v: number | readonly [number, number],
  other: number,
): readonly [number, number] {
  const pair = typeof v === "number" ? [other, v] : v;
  if (pair.length !== 2 || !pair.every(Number.isFinite))
    throw new ConfigError(`${op}: ${name} must be a number or a pair of numbers, got ${JSON.stringify(v)}`);
  const [low, high] = typeof v === "number" ? pair : [Math.min(...pair), Math.max(...pair)];
  if (!(low < high)) throw new ConfigError(`${op}: ${name} must be two different numbers in order, got ${low} and ${high}`);
  return [low, high];
}

/** Random numbers between `low` and `high`, a border of `padValue` around them, resized to the image and scaled to the range that they had. */
export class SmoothField {
  /** The numbers of the last draw, `[channels, …randSize + 2 · pad]`. */
  private readonly field: HostArray<Float32Array>;
  private readonly op: string;
  private readonly range: readonly [number, number];
  private readonly options: Omit<SmoothFieldOptions, "prob">;
  private readonly resize: Resize | undefined;
  private readonly inside: Int32Array;

  constructor(
    op: string,
    options: Omit<SmoothFieldOptions, "prob">,
    mode: ResizeMode,
    { range, channels, padValue }: { range: readonly [number, number]; channels: number; padValue: number },
  ) {
    const { spatialSize, randSize, pad = 0, alignCorners = null } = options;
    checkedOptions(op, options, smoothFieldNames);
    checkResizeMode(op, mode);
    const whole = Array.isArray(randSize) && randSize.length > 0 && randSize.every((s) => Number.isInteger(s) && s > 0);
    if (!whole || !(Number.isInteger(pad) && pad >= 0))
      throw new ConfigError(`${op}: randSize must be sizes from 1 up and pad an integer from 0 up, got ${randSize} and ${pad}`);
    if (spatialSize && spatialSize.length !== randSize.length)
      throw new ShapeError(`${op}: spatialSize has ${spatialSize.length} axes, randSize ${randSize.length}; give both alike`);
    this.op = op;
    this.options = options;
    this.range = range;
    this.resize = spatialSize ? new Resize({ spatialSize, mode, alignCorners }) : undefined;
    const shape = [channels, ...randSize.map((s) => s + 2 * pad)];
    this.field = { data: new Float32Array(sizeOf(shape)).fill(padValue), shape };
    this.inside = innerIndices(shape, pad);
  }

  /** Draws `uniform(low, high, channels · ∏ randSize)`. */
  draw(random: RandomSource): void {
    const drawn = random.uniform(...this.range, this.inside.length);
    for (let i = 0; i < drawn.length; i++) this.field.data[this.inside[i]] = drawn[i];
  }

  /** The smooth field `[channels, …spatialSize]`, float32. @throws ShapeError for an image of another size */
  over(x: HostArray): HostArray<Float32Array> {
    const size = spatialShape(this.op, x);
    const expected = this.options.spatialSize ?? this.field.shape.slice(1);
    if (size.join() !== expected.join())
      throw new ShapeError(`${this.op}: the field is for images of size ${showShape(expected)}, got shape ${showShape(x.shape)}`);
    if (!this.resize) return this.field;
    const out = this.resize.apply(this.field) as HostArray<Float32Array>;
    const data = out.data === this.field.data ? out.data.slice() : out.data;
    const [from, to] = [extent(data), extent(this.field.data)];
    const [span, target] = [Math.fround(from.max - from.min), Math.fround(to.max - to.min)];
    // A flat field has no range to scale.
    if (span > 0)
      for (let i = 0; i < data.length; i++) {
        const share = Math.fround(Math.fround(data[i] - from.min) / span);
        data[i] = Math.fround(share * target) + to.min;
      }
    return { data, shape: out.shape };
  }
}

/** Where the elements are that the border leaves, in their order. */
function innerIndices(shape: readonly number[], pad: number): Int32Array {
  const [channels, ...sizes] = shape;
  let indices = Array.from({ length: channels }, (_, c) => c);
  for (const size of sizes) {
    indices = indices.flatMap((at) => Array.from({ length: size - 2 * pad }, (_, i) => at * size + pad + i));
  }
  return Int32Array.from(indices);
}
