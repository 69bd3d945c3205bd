/** @file Transforms of the channel axis: `RepeatChannel`, `RemoveRepeatedChannel`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ShapeError } from "../../../host/errors.ts";
import { expectIntegers } from "../../../host/integers.ts";
import type { HostArray } from "../../../host/array.ts";
import { unfilledLike } from "../../../host/unfilled.ts";
import type { Transform } from "../transform.ts";
import { checkedOptions } from "../options.ts";

/** Checks the one option of both. */
function repeatsOf(op: string, options: { readonly repeats: number }): number {
  const { repeats } = checkedOptions(op, options, "repeats:number");
  expectIntegers(op, { repeats }, 1);
  return repeats;
}

/**
 * Repeats each channel `repeats` times, next to each other. MONAI's `RepeatChannel`.
 *
 * Shapes: `[C, …]` → `[C · repeats, …]`.
 * Geometry: kept.
 * @throws ConfigError for `repeats` below 1
 */
export class RepeatChannel implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "repeats:number";
  private readonly repeats: number;

  constructor(options: { readonly repeats: number }) {
    this.repeats = repeatsOf("RepeatChannel", options);
  }

  apply(x: HostArray): HostArray {
    expectArguments("RepeatChannel", "array", { x });
    const [channels, ...rest] = x.shape;
    const size = x.data.length / Math.max(1, channels);
    const data = unfilledLike(x.data, x.data.length * this.repeats);
    for (let c = 0; c < channels * this.repeats; c++) {
      const from = Math.floor(c / this.repeats) * size;
      data.set(x.data.subarray(from, from + size), c * size);
    }
    return { ...x, data, shape: [channels * this.repeats, ...rest] };
  }
}

/**
 * Keeps every `repeats`-th channel: the inverse of `RepeatChannel`. MONAI's `RemoveRepeatedChannel`.
 *
 * Shapes: `[C, …]` → `[⌈C / repeats⌉, …]`.
 * Geometry: kept.
 * @throws ConfigError for `repeats` below 1, ShapeError for an image of one channel
 */
export class RemoveRepeatedChannel implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "repeats:number";
  private readonly repeats: number;

  constructor(options: { readonly repeats: number }) {
    this.repeats = repeatsOf("RemoveRepeatedChannel", options);
  }

  apply(x: HostArray): HostArray {
    expectArguments("RemoveRepeatedChannel", "array", { x });
    const [channels, ...rest] = x.shape;
    if (!(channels >= 2))
      throw new ShapeError(`RemoveRepeatedChannel: expected two channels or more, got shape [${x.shape.join(", ")}]`);
    const size = x.data.length / channels;
    const count = Math.ceil(channels / this.repeats);
    const data = unfilledLike(x.data, count * size);
    for (let c = 0; c < count; c++) data.set(x.data.subarray(c * this.repeats * size, (c * this.repeats + 1) * size), c * size);
    return { ...x, data, shape: [count, ...rest] };
  }
}
