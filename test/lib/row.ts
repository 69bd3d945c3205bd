/**
 * @file The op test table: one `Row` per op with samples, a float64 reference and error inputs, in the `rows` export of a file of test/ops/rows, which
 * is a test file for that (runner.ts). Other tests take the whole table (table.ts), `bench/` times it.
 */

import { sizeOf } from "../../src/index.ts";
import type { OpRow, Sample as OpSample, Shapes } from "../../src/testing/row.ts";
import type { Shape } from "../../src/host/shape.ts";

export type { Shape };
export * from "../../src/testing/row.ts";

export interface Sample<A> extends OpSample<A> {
  /** `false` where f16 cannot hold the values. */
  readonly half?: boolean;
}

export interface Row<A> extends OpRow<A> {
  readonly samples: readonly Sample<A>[];
  /** Whether tensors over the binding limit are always computed in pieces; if not, a `TensorTooLargeError` is an answer too. */
  readonly splits: boolean;
  /** Bytes that a binding must take for that: weights, a plane. Default 2304. */
  readonly leastBinding?: number;
  /** Inputs that may be f16, with results that differ from those of f32 by rounding only; or why f16 cannot be compared with f32 here. */
  readonly half: readonly string[] | string;
  readonly flops: (shapes: Shapes, args: A) => number;
  /** Bytes that the forward pass has to read and write at least. */
  readonly bytes: (shapes: Shapes, args: A) => number;
}

/** Whether an input of an op may be f16. */
export const takesHalf = ({ half }: Pick<Row<any>, "half">, input: string): boolean =>
  typeof half !== "string" && half.includes(input);

/** Bytes of f32 tensors of these shapes. */
export const bytesOf = (...shapes: Shape[]): number => shapes.reduce((sum, s) => sum + 4 * sizeOf(s), 0);
