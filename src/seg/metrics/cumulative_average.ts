/** @file Averages over batches of different sizes, with MONAI's rules. */

import { ShapeError } from "../../host/errors.ts";
import { expectArguments } from "../../host/kinds.ts";

function listOf(name: string, values: number | ArrayLike<number>): Float64Array {
  if (typeof values === "number") return Float64Array.of(values);
  expectArguments("CumulativeAverage", "weights", { [name]: values });
  return Float64Array.from(values);
}

/**
 * Keeps track of an average, such as of a metric over batches (MONAI `CumulativeAverage`). What is not finite counts for nothing. Values have one shape,
 * that of the first.
 */
export class CumulativeAverage {
  #last: Float64Array | undefined;
  #sum: Float64Array | undefined;
  #count: Float64Array | undefined;

  /** Adds a value, which stands for `count` of them. @throws ShapeError if `count` or the value do not have the length of earlier ones, ConfigError for what is no list of numbers */
  append(value: number | ArrayLike<number>, count: number | ArrayLike<number> = 1): void {
    const list = listOf("value", value);
    const counts = listOf("count", count);
    const several = typeof count !== "number";
    if (several && counts.length !== list.length)
      throw new ShapeError(
        `CumulativeAverage: count has ${counts.length} entries for ${list.length} values; give one number or as many`,
      );
    this.#sum ??= new Float64Array(list.length);
    this.#count ??= new Float64Array(list.length);
    if (this.#sum.length !== list.length)
      throw new ShapeError(
        `CumulativeAverage: got ${list.length} values, earlier ones were ${this.#sum.length}; call reset() first`,
      );
    this.#last = list;
    for (let i = 0; i < list.length; i++) {
      const of = several ? counts[i] : counts[0];
      if (!Number.isFinite(of * list[i])) continue;
      this.#sum[i] += of * list[i];
      this.#count[i] += of;
    }
  }

  /** The averages; `[0]` before anything was appended, and 0 where every count was 0. */
  aggregate(): Float64Array {
    const count = this.#count;
    return this.#sum && count ? this.#sum.map((s, i) => (count[i] > 0 ? s / count[i] : s)) : Float64Array.of(0);
  }

  /** What was appended last, 0 where it was not finite; `[0]` before. */
  getCurrent(): Float64Array {
    return this.#last?.map((v) => (Number.isFinite(v) ? v : 0)) ?? Float64Array.of(0);
  }

  /** Forgets everything. */
  reset(): void {
    this.#last = this.#sum = this.#count = undefined;
  }
}
