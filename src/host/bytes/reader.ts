/** @file A cursor over bytes that nobody vouches for: numbers of fixed width and parts, each checked against what is left. */

import { viewOf } from "../array.ts";
import type { FormatError } from "../errors.ts";
import type { Fail } from "./budget.ts";

/** Reads bytes one number after the other; every method throws FormatError at the end of the bytes. */
export class ByteReader {
  /** Next byte to read. */
  at: number;
  protected readonly bytes: Uint8Array;
  private readonly littleEndian: boolean;
  private readonly view: DataView;
  private readonly explain: Fail;

  /** @param fail makes the error for bytes that are not there */
  constructor(bytes: Uint8Array, fail: Fail, options: { readonly at?: number; readonly littleEndian?: boolean } = {}) {
    this.bytes = bytes;
    this.explain = fail;
    this.at = options.at ?? 0;
    this.littleEndian = options.littleEndian ?? true;
    this.view = viewOf(bytes);
  }

  /** The error for a problem of the bytes. */
  fail(problem: string): FormatError {
    return this.explain(problem);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** Moves on and gives where it was. @throws FormatError for more bytes than are left, and for less than none */
  skip(count: number): number {
    const from = this.at;
    if (!(count >= 0 && count <= this.left))
      throw this.fail(`${count} bytes are wanted, ${this.left} are left; the file is damaged or cut short`);
    this.at = from + count;
    return from;
  }

  /** The next bytes, as a view of the file. */
  part(count: number): Uint8Array {
    const from = this.skip(count);
    return this.bytes.subarray(from, this.at);
  }

  u8(): number {
    return this.bytes[this.skip(1)];
  }

  i8(): number {
    return this.view.getInt8(this.skip(1));
  }

  u16(): number {
    return this.view.getUint16(this.skip(2), this.littleEndian);
  }

  i16(): number {
    return this.view.getInt16(this.skip(2), this.littleEndian);
  }

  u32(): number {
    return this.view.getUint32(this.skip(4), this.littleEndian);
  }

  i32(): number {
    return this.view.getInt32(this.skip(4), this.littleEndian);
  }

  /** Rounded beyond 2⁵³. */
  u64(): number {
    return Number(this.view.getBigUint64(this.skip(8), this.littleEndian));
  }

  /** Rounded beyond ±2⁵³. */
  i64(): number {
    return Number(this.view.getBigInt64(this.skip(8), this.littleEndian));
  }

  f32(): number {
    return this.view.getFloat32(this.skip(4), this.littleEndian);
  }

  f64(littleEndian = this.littleEndian): number {
    return this.view.getFloat64(this.skip(8), littleEndian);
  }
}
