/** @file `NormalizeIntensity`: zero mean and unit variance. */
import { expectArguments } from "../../../host/kinds.ts";
import { ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { unfilledFloats } from "../../../host/unfilled.ts";
import type { Transform } from "../transform.ts";
import { finish, linear, parts } from "./arithmetic.ts";
import { meanAndStd } from "./moments.ts";
import type { OutputType } from "./scale.ts";
import { allOptions } from "../options.ts";

/** What `NormalizeIntensity` subtracts and divides by, and where. */
export interface NormalizeIntensityOptions extends OutputType {
  /** In place of the mean. A number, or one per channel with `channelWise`, or one per element. */
  readonly subtrahend?: number | readonly number[] | null;
  /** In place of the standard deviation; 0 counts as 1. As `subtrahend`. */
  readonly divisor?: number | readonly number[] | null;
  /** Count and change only voxels that are not 0. Default false. */
  readonly nonzero?: boolean;
  /** Each channel by its own statistics. Default false. */
  readonly channelWise?: boolean;
}

/**
 * (x − mean) / std with the standard deviation of the population; a std of 0 counts as 1. MONAI's `NormalizeIntensity`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * @throws ShapeError for a list of subtrahends or divisors of another length, ConfigError for an unknown option or `dtype`
 */
export class NormalizeIntensity implements Transform {
  private readonly options: Required<NormalizeIntensityOptions>;

  constructor(options: NormalizeIntensityOptions = {}) {
    const defaults = { subtrahend: null, divisor: null, nonzero: false, channelWise: false, dtype: "float32" } as const;
    this.options = allOptions(
      "NormalizeIntensity",
      options,
      "subtrahend:sizes divisor:sizes nonzero:boolean channelWise:boolean dtype:text",
      defaults,
    );
  }

  apply(x: HostArray): HostArray {
    expectArguments("NormalizeIntensity", "array", { x });
    const { subtrahend, divisor, nonzero, channelWise, dtype } = this.options;
    const source = x.data instanceof Float32Array ? x.data : new Float32Array(x.data as ArrayLike<number>);
    const data = source === x.data ? unfilledFloats(source.length) : source;
    const pieces = parts(source, x, channelWise);
    const targets = parts(data, x, channelWise);
    for (const [name, list] of Object.entries({ subtrahend, divisor })) {
      const expected = channelWise ? pieces.length : data.length;
      if (list !== null && typeof list === "object" && list.length !== expected && list.length !== data.length) {
        throw new ShapeError(
          `NormalizeIntensity: ${name} has ${list.length} values, expected ${expected} (one per ${channelWise ? "channel" : "element"}) for shape [${x.shape.join(", ")}]`,
        );
      }
    }
    pieces.forEach((part, c) => {
      const pick = (v: Given): Given => {
        if (!channelWise || v === null || typeof v === "number") return v;
        return v.length === pieces.length ? v[c] : v.slice(c * part.length, (c + 1) * part.length);
      };
      normalize(part, targets[c], nonzero, pick(subtrahend), pick(divisor));
    });
    return finish("NormalizeIntensity", data, x, dtype);
  }
}

type Given = number | readonly number[] | null;

function normalize(data: Float32Array, to: Float32Array, nonzero: boolean, sub: Given, div: Given): void {
  const known = sub !== null && div !== null && !nonzero;
  const { mean, std, count } = known ? { mean: 0, std: 1, count: 1 } : meanAndStd(data, 0, nonzero);
  if (count === 0) return void to.set(data);
  const [s, d] = [sub ?? mean, div ?? std];
  if (typeof s === "number" && typeof d === "number") {
    const divisor = Math.fround(d) === 0 ? 1 : d;
    if (nonzero) normalizeNonzero(data, to, Math.fround(s), Math.fround(divisor));
    else linear(data, -s, divisor, 1, 0, to);
    return;
  }
  for (let i = 0; i < data.length; i++) {
    to[i] = data[i];
    if (nonzero && data[i] === 0) continue;
    const by = Math.fround(typeof d === "number" ? d : d[i]);
    to[i] = Math.fround(data[i] - Math.fround(typeof s === "number" ? s : s[i])) / (by === 0 ? 1 : by);
  }
}

function normalizeNonzero(data: Float32Array, to: Float32Array, s: number, d: number): void {
  for (let i = 0; i < data.length; i++) to[i] = data[i] === 0 ? 0 : Math.fround(data[i] - s) / d;
}
