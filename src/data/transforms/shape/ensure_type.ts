/** @file `EnsureType`: numbers, lists and arrays of any kind as host arrays. */
import { type HostArray, sizeOf, type TypedArray } from "../../../host/array.ts";
import { ShapeError } from "../../../host/errors.ts";
import { expectArguments, expectFull, isHostArray } from "../../../host/kinds.ts";
import { castTo, type DTypeName } from "./cast.ts";
import type { Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/** Options of `EnsureType`. */
export interface EnsureTypeOptions {
  /** Element type. Default null: that of arrays; of other numbers int32 if all are integers of 32 bits, uint8 of booleans, else float32. */
  readonly dtype?: DTypeName | null;
  /** A list of numbers, or of such lists, becomes one array; else each number one of no axis. Default true. */
  readonly wrapSequence?: boolean;
}

/** A number, or lists of them of any depth. */
type Numbers = number | boolean | readonly Numbers[];

const isArray = (v: unknown): v is HostArray => typeof v === "object" && v !== null && "data" in v && "shape" in v;

/**
 * Numbers, booleans, typed arrays and nested lists as host arrays, in records and lists too; texts, null and other things stay as they are. MONAI's
 * `EnsureType`, `ToTensor` and `ToNumpy`.
 *
 * Shapes: as the value: a number has none.
 * Geometry: kept.
 * @throws ShapeError for a list of lists of different lengths, ConfigError for an unknown `dtype` or option, DTypeError for 64-bit integers
 */
export class EnsureType implements Transform<unknown> {
  private readonly options: Required<EnsureTypeOptions>;

  constructor(options: EnsureTypeOptions = {}) {
    this.options = allOptions("EnsureType", options, "dtype:text wrapSequence:boolean", { dtype: null, wrapSequence: true });
  }

  apply(x: HostArray): HostArray;
  apply(x: unknown): unknown;
  apply(x: unknown): unknown {
    const { dtype, wrapSequence } = this.options;
    const cast = (array: HostArray): HostArray => (dtype === null ? array : castTo("EnsureType", array, dtype));
    if (isHostArray(x)) expectFull("EnsureType", "x", x);
    if (isArray(x)) return cast(x);
    if (typeof x === "number" || typeof x === "boolean") return cast(arrayOf([x], []));
    if (ArrayBuffer.isView(x)) expectArguments("EnsureType", "values", { x });
    if (ArrayBuffer.isView(x)) return cast({ data: x as TypedArray, shape: [(x as TypedArray).length] });
    if (Array.isArray(x)) {
      if (wrapSequence && isNumbers(x) && x.length > 0) return cast(wrapped(x));
      return x.map((v) => this.apply(v));
    }
    if (typeof x !== "object" || x === null || Object.getPrototypeOf(x) !== Object.prototype) return x;
    return Object.fromEntries(Object.entries(x).map(([key, v]) => [key, this.apply(v)]));
  }
}

const isNumbers = (v: unknown): v is Numbers =>
  typeof v === "number" || typeof v === "boolean" || (Array.isArray(v) && v.every(isNumbers));

function wrapped(list: readonly Numbers[]): HostArray {
  const shape: number[] = [];
  for (let v: Numbers = list; Array.isArray(v); v = v[0] as Numbers) shape.push(v.length);
  const even = (v: Numbers, depth: number): boolean =>
    Array.isArray(v) ? v.length === shape[depth] && v.every((w: Numbers) => even(w, depth + 1)) : depth === shape.length;
  if (!even(list, 0)) throw new ShapeError("EnsureType: the lists differ in length; pad them, or set wrapSequence to false");
  return arrayOf((list as readonly unknown[]).flat(Infinity) as (number | boolean)[], shape);
}

function arrayOf(values: readonly (number | boolean)[], shape: readonly number[]): HostArray {
  const numbers = values.map(Number);
  const logical = values.length > 0 && values.every((v) => typeof v === "boolean");
  const whole = numbers.every((v) => v === (v | 0));
  const type = logical ? Uint8Array : whole ? Int32Array : Float32Array;
  return { data: type.from(numbers).subarray(0, sizeOf(shape)), shape };
}
