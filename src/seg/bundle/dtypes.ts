/** @file Element types that bundles name, those too that no array here has: their values stand in a wider one. */

import type { HostArray } from "../../host/array.ts";
import { DataError } from "../../host/errors.ts";
import { roundToHalf } from "../../host/rounding.ts";
import type { Component } from "./config.ts";
import { expectKnown, type Value } from "./expression.ts";

/** PyTorch's other names. */
const names = new Map<Value, Value>([["half", "float16"], ["float", "float32"], ["double", "float64"], ["short", "int16"], ["int", "int32"], ["long", "int64"]]); // oxfmt-ignore

/** The type that a component names, as NumPy calls it. */
export function dtypeOf({ target, options: { dtype } }: Component): Value {
  if (dtype === undefined) return null;
  expectKnown(`${target}.dtype`, dtype);
  return names.get(dtype) ?? dtype;
}

type Carried = "float16" | "int64" | "bool";

/** Whether no array here has the type and one holds its values. */
export const carries = (dtype: Value | undefined): dtype is Carried => ["float16", "int64", "bool"].includes(dtype as string);

/** The values of an array of such a type: half-precision floats in float32, integers of 64 bits in int32, truth as 0 and 1. @throws DataError for an integer that int32 does not hold */
export function carried(target: string, x: HostArray, dtype: Carried): HostArray {
  if (dtype === "bool") return { ...x, data: Uint8Array.from(x.data, (v: number) => Number(v !== 0)) };
  if (dtype === "float16") {
    const data = new Float32Array(x.data);
    roundToHalf(data);
    return { ...x, data };
  }
  const data = new Int32Array(x.data);
  const bad = data.findIndex((v, i) => v !== Math.trunc(x.data[i]));
  if (bad < 0) return { ...x, data };
  throw new DataError(`${target}: int64 is kept in 32 bits, which do not hold ${x.data[bad]}`);
}
