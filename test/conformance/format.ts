/**
 * @file The case files of the conformance suite: decoding their values and comparing results. A case is one call of an upstream
 * operation (MONAI, torch, numpy …) with its inputs, options and result; see the FORMAT.md that lies beside the cases.
 */
import { VoxgradError } from "../../src/host/errors.ts";
import { sizeOf, type HostArray, type TypedArray } from "../../src/host/array.ts";
import { namedFunction, parseFunction } from "./functions.ts";

/** One case with its values decoded. */
export interface Case {
  readonly id: string;
  readonly op: string;
  readonly args: Record<string, any>;
  readonly inputs: Record<string, any>;
  /** Decoded too: an adapter may look up what is asked for (which samples, which keys), never the numbers. */
  readonly expected: any;
  readonly tolerance: Tolerance;
}

export interface Tolerance {
  readonly exact?: boolean;
  readonly rtol?: number;
  readonly atol?: number;
  /** With `exact`: floats that are not integers may differ by this factor. */
  readonly float_rtol?: number;
  readonly [other: string]: unknown;
}

/** Where a run takes place. */
export interface CaseContext {
  /** Folder of the case file; paths in cases are relative to it. */
  readonly dir: string;
}

/** Runs one case and returns what is compared with `expected`: HostArray, number, string, null, list or record of those. */
export type Adapter = (test: Case, context: CaseContext) => unknown;
/** Adapters by upstream operation name; each file of adapters/ exports one as `adapters`. */
export type Adapters = Record<string, Adapter>;
/** Adapters of all operations whose names match, for those that have none by name; a file of adapters/ may export them as `families`. */
export type Families = readonly (readonly [RegExp, Adapter])[];

/** Thrown by an adapter for an operation that voxgrad does not have: the case counts as not covered, never as passed. */
export class NotCovered extends Error {}

/** Thrown by an adapter for an option that it does not know: a failure, since an answer without the option would answer another question. */
export class UnknownOption extends Error {
  constructor(option: string, op: string) {
    super(`unknown option ${option} of ${op}`);
  }
}

/** Runs what an option may be given to that voxgrad does not have: its refusal is a failure, never one that the case asked for. */
export function withKnownOptions<T>(op: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const [, option] = /there is no option "(\w+)"/.exec(error instanceof VoxgradError ? error.message : "") ?? [];
    throw option === undefined ? error : new UnknownOption(option, op);
  }
}

/** Throws `UnknownOption` for the first of `args` that is not among `known`. */
export function expectKnown(op: string, args: Readonly<Record<string, unknown>>, known: Iterable<string>): void {
  const names = new Set(known);
  for (const name of Object.keys(args)) if (!names.has(name)) throw new UnknownOption(name, op);
}

const ARRAYS: Record<string, (n: ArrayLike<number>) => TypedArray> = {
  float64: (v) => Float64Array.from(v),
  float32: (v) => Float32Array.from(v),
  float16: (v) => Float32Array.from(v),
  bfloat16: (v) => Float32Array.from(v),
  // JavaScript has no small int64: 32 bits unless a value does not fit.
  int64: (v) => (Array.from(v).every((x) => x === (x | 0)) ? Int32Array.from(v) : Float64Array.from(v)),
  uint64: (v) => Float64Array.from(v),
  int32: (v) => Int32Array.from(v),
  int16: (v) => Int16Array.from(v),
  int8: (v) => Int8Array.from(v),
  uint8: (v) => Uint8Array.from(v),
  uint16: (v) => Uint16Array.from(v),
  uint32: (v) => Uint32Array.from(v),
  bool: (v) => Uint8Array.from(v),
};

/** Replaces every `$…` form and the spelled-out non-finite floats. `weights` entries (name, shape, a, b, c, d) stay as they are. */
export function decode(value: unknown): any {
  if (value === "NaN") return NaN;
  if (value === "Infinity") return Infinity;
  if (value === "-Infinity") return -Infinity;
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object" || value === null) return value;
  const v = value as Record<string, any>;
  if ("$tensor" in v) return decodeTensor(v.$tensor);
  if ("$wave" in v) return wave(v.$wave);
  if ("$sphere" in v) return sphere(v.$sphere);
  if ("$zeros" in v) return { data: new Float32Array(sizeOf(v.$zeros.shape)), shape: [1, 1, ...v.$zeros.shape] };
  if ("$fn" in v) return decodeFunction(v.$fn);
  if ("$slice" in v) return { start: v.$slice[0], stop: v.$slice[1], step: v.$slice[2] ?? null };
  return Object.fromEntries(Object.entries(v).map(([k, w]) => [k, decode(w)]));
}

/** A range of an axis as the case writes ranges: a slice, or its two ends. */
export const rangeOf = ({ expected }: Case, start: number, stop: number): unknown =>
  expected?.[0]?.[0]?.start === undefined ? [start, stop] : { start, stop, step: null };

function decodeTensor({
  dtype,
  shape,
  data,
  rle,
}: {
  dtype: string;
  shape: number[];
  data?: unknown;
  rle?: [unknown, number][];
}): HostArray {
  const make = ARRAYS[dtype];
  if (!make) throw new Error(`unknown dtype "${dtype}" in the case file`);
  const flat: unknown[] = rle ? rle.flatMap(([v, n]) => new Array<unknown>(n).fill(v)) : ([data] as any[]).flat(Infinity);
  const array = make(flat.map((v) => Number(decode(v))));
  if (array.length !== sizeOf(shape)) throw new Error(`a tensor of shape [${shape}] has ${array.length} values in the case file`);
  return { data: array, shape };
}

/** Element i = 1, 2, 3 …: d + a·sin(b·i + c) in float64; `const` fills. */
export function wave(w: {
  shape: number[];
  a?: number;
  b?: number;
  c?: number;
  d?: number;
  const?: number;
  dtype?: string;
}): HostArray {
  const { shape, a = 0, b = 0, c = 0, d = 0, dtype = "float32" } = w;
  const values = Float64Array.from({ length: sizeOf(shape) }, (_, i) => w.const ?? d + a * Math.sin(b * (i + 1) + c));
  return { data: ARRAYS[dtype](values), shape };
}

function sphere({
  shape,
  spacing,
  centre,
  radius,
}: {
  shape: number[];
  spacing: number[];
  centre: number[];
  radius: number;
}): HostArray {
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) {
    let rest = i;
    let squares = 0;
    for (let a = shape.length - 1; a >= 0; a--) {
      squares += ((rest % shape[a]) * (spacing?.[a] ?? 1) - centre[a]) ** 2;
      rest = Math.floor(rest / shape[a]);
    }
    data[i] = Math.sqrt(squares) <= radius ? 1 : 0;
  }
  return { data, shape: [1, 1, ...shape] };
}

function decodeFunction(source: string): (x: number) => number | boolean {
  const known = namedFunction(source) ?? parseFunction(source);
  const unknown = () => {
    throw new NotCovered(`the function ${source}`);
  };
  // Its name tells an adapter what it is, for functions that are not of single numbers.
  return Object.defineProperty(known ? (x: number) => known(x) : unknown, "name", { value: source });
}

/** The first difference between a result and the expected value, or undefined when they agree. */
export function difference(actual: unknown, expected: unknown, tolerance: Tolerance, path = "result"): string | undefined {
  if (typeof expected === "number" || typeof expected === "boolean") {
    const value = isArray(actual) && actual.data.length === 1 ? actual.data[0] : actual;
    const ok = (typeof value === "number" || typeof value === "boolean") && close(Number(value), Number(expected), tolerance);
    return ok ? undefined : `${path}: got ${show(actual)}, expected ${expected}`;
  }
  if (expected === null)
    return actual === null || actual === undefined ? undefined : `${path}: got ${show(actual)}, expected null`;
  if (typeof expected === "string")
    return actual === expected ? undefined : `${path}: got ${show(actual)}, expected "${expected}"`;
  if (isArray(expected)) return arrayDifference(actual, expected, tolerance, path);
  if (Array.isArray(expected)) {
    const list = toList(actual);
    if (!list) return `${path}: got ${show(actual)}, expected a list of ${expected.length}`;
    if (list.length !== expected.length) return `${path}: got ${list.length} entries, expected ${expected.length}`;
    return first(expected, (e, i) => difference(list[i as number], e, tolerance, `${path}[${i}]`));
  }
  if (typeof actual !== "object" || actual === null) return `${path}: got ${show(actual)}, expected a record`;
  return first(Object.entries(expected as object), ([k, e]) =>
    k in actual
      ? difference((actual as Record<string, unknown>)[k], e, toleranceOf(k, tolerance), `${path}.${k}`)
      : `${path}.${k}: missing`,
  );
}

/** Training runs give one relative tolerance for what is measured per step and a looser one for the weights in the end. */
function toleranceOf(key: string, tolerance: Tolerance): Tolerance {
  if (key === "per_step" && typeof tolerance.rtol_loss === "number") return { ...tolerance, rtol: tolerance.rtol_loss };
  // Weights near zero have no digits to compare: 1e-3 is a fifth of one Adam step.
  if (key === "final_params" && typeof tolerance.rtol_param === "number")
    return { ...tolerance, rtol: tolerance.rtol_param, atol: 1e-3 };
  return tolerance;
}

/** Whether a thrown value is a refusal that voxgrad made on purpose, as cases with an expected error demand. */
export function isRefusal(error: unknown): boolean {
  return error instanceof VoxgradError;
}

function arrayDifference(actual: unknown, expected: HostArray, tolerance: Tolerance, path: string): string | undefined {
  const value = asArray(actual);
  if (!isArray(value)) return `${path}: got ${show(actual)}, expected an array of shape [${expected.shape}]`;
  if (value.shape.join() !== expected.shape.join()) return `${path}: got shape [${value.shape}], expected [${expected.shape}]`;
  let worst = -1;
  let count = 0;
  for (let i = 0; i < expected.data.length; i++) {
    if (close(value.data[i], expected.data[i], tolerance)) continue;
    count++;
    if (worst < 0 || Math.abs(value.data[i] - expected.data[i]) > Math.abs(value.data[worst] - expected.data[worst])) worst = i;
  }
  return count === 0
    ? undefined
    : `${path}: ${count} of ${expected.data.length} elements differ; at ${worst} got ${value.data[worst]}, expected ${expected.data[worst]}`;
}

/** Numbers, nested as they may be, as the array that they are. */
function asArray(value: unknown): unknown {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return { data: value, shape: [(value as unknown as TypedArray).length] };
  if (typeof value !== "number" && !Array.isArray(value)) return value;
  const shape: number[] = [];
  for (let at: unknown = value; Array.isArray(at); at = at[0]) shape.push(at.length);
  const flat = [value].flat(Infinity) as unknown[];
  return flat.every((v) => typeof v === "number") && flat.length === sizeOf(shape)
    ? { data: Float64Array.from(flat as number[]), shape }
    : value;
}

function close(a: number, e: number, { exact, rtol = 0, atol = 0, float_rtol = 0 }: Tolerance): boolean {
  if (Object.is(a, e) || a === e) return true;
  if (exact || float_rtol) return !Number.isInteger(e) && Math.abs(a - e) <= float_rtol * Math.abs(e);
  return Math.abs(a - e) <= atol + rtol * Math.abs(e);
}

function isArray(v: unknown): v is HostArray {
  return typeof v === "object" && v !== null && "data" in v && "shape" in v && ArrayBuffer.isView((v as HostArray).data);
}

function toList(v: unknown): ArrayLike<unknown> | undefined {
  if (Array.isArray(v)) return v;
  if (ArrayBuffer.isView(v) && !(v instanceof DataView)) return v as unknown as ArrayLike<unknown>;
  if (!isArray(v) || v.shape.length === 0) return undefined;
  return v.shape.length === 1 ? v.data : rowsOf(v);
}

/** An array as the list of its rows. */
function rowsOf({ data, shape: [n, ...shape] }: HostArray): HostArray[] {
  const size = data.length / n;
  return Array.from({ length: n }, (_, i) => ({ data: data.subarray(i * size, (i + 1) * size), shape }));
}

function first<T>(entries: readonly T[], check: (entry: T, i: number) => string | undefined): string | undefined {
  for (let i = 0; i < entries.length; i++) {
    const found = check(entries[i], i);
    if (found) return found;
  }
  return undefined;
}

function show(v: unknown): string {
  return isArray(v) ? `an array of shape [${v.shape}]` : (JSON.stringify(v) ?? String(v)).slice(0, 80);
}
