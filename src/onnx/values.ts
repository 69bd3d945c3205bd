/** @file Values that are known on the host: shapes, axes, scales and other constants that a graph computes with. */

import { type HostArray, sizeOf } from "../host/array.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** An array on the host with the kind of numbers it holds; integers beyond 2⁵³ are rounded. */
export interface HostValue extends HostArray {
  readonly kind: "float" | "int" | "bool";
  /** The element type in the file by NumPy's name ("int8", "uint4"), as long as values are only moved; undefined for what was computed. */
  readonly type?: string | undefined;
}

export type Kind = HostValue["kind"];

/** What flows along the edges of a graph. */
export type Value = Tensor | HostValue;

export const isHost = (v: Value): v is HostValue => "kind" in v;

const tensorTypes = new WeakMap<Tensor, string>();

/** Notes the element type that a tensor of integers has in the file; all of them are i32 or f32 here. */
export function typed(t: Tensor, type: string | undefined): Tensor {
  if (type !== undefined) tensorTypes.set(t, type);
  return t;
}

/** The element type of a value in the file; undefined if it is not known any more. */
export const typeOf = (v: Value): string | undefined => (isHost(v) ? v.type : tensorTypes.get(v));

/** No more elements than this are computed on the host: shapes and tables are small, and graphs may claim anything. */
export const hostLimit = 2 ** 18;

export const hostInts = (data: readonly number[], shape: readonly number[] = [data.length]): HostValue => ({
  kind: "int",
  data: Float64Array.from(data),
  shape,
});

/** An array of a kind, with the type that holds its values. */
export function hostOf(kind: Kind, shape: readonly number[], value: (i: number) => number, type?: string): HostValue {
  const length = sizeOf(shape);
  const make = (i: number) => (kind === "int" ? Math.trunc(value(i)) : kind === "bool" ? Number(value(i) !== 0) : value(i));
  const data = new (kind === "float" ? Float32Array : kind === "bool" ? Uint8Array : Float64Array)(length);
  for (let i = 0; i < length; i++) data[i] = make(i);
  return type === undefined ? { kind, shape, data } : { kind, shape, data, type };
}
