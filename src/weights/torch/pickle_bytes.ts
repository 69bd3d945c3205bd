/** @file The bytes of a pickle: fixed-width numbers, lines, texts and long integers, each checked against what is left of the file. */

import type { FormatError } from "../../host/errors.ts";
import type { Budget, Fail } from "../../host/bytes/budget.ts";

const MAX_INTEGER_BYTES = 256;
const decoders = {
  "utf-8": new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }),
  latin1: new TextDecoder("latin1"),
};
const exact = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

export class PickleBytes {
  /** Next byte to read. */
  at: number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly budget: Budget;
  private readonly explain: Fail;

  constructor(bytes: Uint8Array, start: number, budget: Budget, fail: Fail) {
    this.at = start;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.budget = budget;
    this.explain = fail;
  }

  fail(problem: string): FormatError {
    return this.explain(`pickle, byte ${this.at}: ${problem}`);
  }

  /** Takes memory from the budget of the file. */
  take(bytes: number): void {
    this.budget.take(bytes, "the pickle");
  }

  u8(): number {
    return this.bytes[this.skip(1)];
  }

  u16(): number {
    return this.view.getUint16(this.skip(2), true);
  }

  i32(): number {
    return this.view.getInt32(this.skip(4), true);
  }

  u32(): number {
    return this.view.getUint32(this.skip(4), true);
  }

  u64(): number {
    return Number(this.view.getBigUint64(this.skip(8), true));
  }

  /** The only number that pickles store with its high byte first. */
  f64(): number {
    return this.view.getFloat64(this.skip(8));
  }

  /** A view of the next `length` bytes. */
  part(length: number): Uint8Array {
    const from = this.skip(length);
    return this.bytes.subarray(from, this.at);
  }

  /** The next frame must lie in the file; its content is read as if there were no frame. */
  frame(): void {
    const length = this.u64();
    if (length > this.bytes.length - this.at) throw this.fail("a frame is longer than the file; it is cut short.");
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.fail("a line has no end; the file is damaged or cut short.");
    const line = this.text(end - this.at, "latin1");
    this.at++;
    return line;
  }

  text(length: number, encoding: "utf-8" | "latin1" = "utf-8"): string {
    const part = this.part(length);
    this.take(48 + 2 * length);
    try {
      return decoders[encoding].decode(part);
    } catch {
      throw this.fail("a text is not UTF-8.");
    }
  }

  /** An integer in decimal. */
  integer(digits: string): number | bigint {
    if (!/^-?\d{1,600}$/.test(digits)) throw this.fail(`"${digits.slice(0, 40)}" is no integer.`);
    return exact(BigInt(digits));
  }

  /** An integer in little-endian two's complement. */
  long(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES) throw this.fail(`an integer of ${length} bytes is not allowed.`);
    const part = this.part(length);
    this.take(64 + length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(part[i]);
    return exact(length > 0 && part[length - 1] >= 0x80 ? value - (1n << BigInt(8 * length)) : value);
  }

  float(text: string): number {
    const value = text === "nan" ? NaN : Number(text.replace(/inf$/, "Infinity"));
    if (Number.isNaN(value) && text !== "nan") throw this.fail(`"${text.slice(0, 40)}" is no number.`);
    return value;
  }

  private skip(count: number): number {
    const from = this.at;
    const left = this.bytes.length - from;
    if (!(count <= left)) throw this.fail(`${count} bytes are wanted, ${left} are left; the file is damaged or cut short.`);
    this.at = from + count;
    return from;
  }
}
