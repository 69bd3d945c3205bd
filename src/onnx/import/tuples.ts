/** @file Tuples of indices into the leading axes of a tensor, as rows of a table. */

import { cast } from "../../autograd/cast.ts";
import * as f from "../../autograd/pointwise.ts";
import { sum } from "../../autograd/reduce.ts";
import { reshape } from "../../autograd/view.ts";
import { sizeOf } from "../../host/array.ts";
import { stridesOf } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { HostValue } from "../values.ts";
import type { Call } from "./call.ts";

/** Where tuples point to: a table of `rows` rows of `inner` elements. */
export interface Table {
  readonly rows: number;
  readonly inner: number;
  /** Sizes and strides, in rows, of the axes that a tuple names. */
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  /** Rows of one batch, and tuples per batch. */
  readonly batchRows: number;
  readonly perBatch: number;
  /** The shape of the tuples, and of what each picks. */
  readonly lead: readonly number[];
  readonly rest: readonly number[];
}

/** Throws `FormatError` for indices that do not fit the data. */
export function table(c: Call): Table {
  const [data, index] = [c.shape(0), c.shape(1)];
  const batch = c.int("batch_dims", 0);
  const length = index.at(-1) ?? 0;
  if (index.length === 0 || batch < 0 || batch >= index.length || batch + length > data.length || length < 1)
    throw c.wrong(`indices [${index.join(", ")}] for [${data.join(", ")}] after ${batch} axes`);
  if (data.slice(0, batch).some((d, i) => d !== index[i])) throw c.wrong("the batch axes of both inputs differ");
  const sizes = data.slice(batch, batch + length);
  const [batches, batchRows, lead] = [sizeOf(data.slice(0, batch)), sizeOf(sizes), index.slice(0, -1)];
  const rest = data.slice(batch + length);
  return {
    rows: batches * batchRows,
    inner: sizeOf(rest),
    sizes,
    strides: stridesOf(sizes),
    batchRows,
    perBatch: sizeOf(lead) / batches,
    lead,
    rest,
  };
}

/** The row of each tuple, where all are known. Throws `FormatError` for one outside. */
export function hostRows(c: Call, { data }: HostValue, t: Table): Int32Array {
  const length = t.sizes.length;
  return Int32Array.from({ length: data.length / length }, (_, k) => {
    let row = Math.floor(k / t.perBatch) * t.batchRows;
    t.sizes.forEach((size, i) => {
      const v = data[k * length + i];
      const at = v < 0 ? v + size : v;
      if (!(at >= 0 && at < size)) throw c.wrong(`index ${v} is outside of an axis of ${size}`);
      row += at * t.strides[i];
    });
    return row;
  });
}

/** The same for tuples on the device; those outside pick something else or 0. */
export function deviceRows(c: Call, index: Tensor, t: Table): Tensor {
  if (t.rows > 2 ** 24) throw c.unsupported(`indices that depend on the data into more than ${2 ** 24} rows`);
  const length = t.sizes.length;
  const constants = (data: readonly number[]) => c.device.tensor({ data, shape: [1, length] });
  const at = reshape(cast(index, "f32"), [index.size / length, length]);
  const wrapped = f.where(f.lt(at, 0), f.add(at, constants(t.sizes)), at);
  const inside = sum(f.mul(wrapped, constants(t.strides)), 1);
  if (t.batchRows === t.rows) return cast(inside, "i32");
  const starts = Array.from({ length: inside.size }, (_, k) => Math.floor(k / t.perBatch) * t.batchRows);
  return cast(f.add(inside, c.device.tensor({ data: starts, shape: [starts.length] })), "i32");
}
