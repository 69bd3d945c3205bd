/** @file The bytes of a pickle: beside numbers of fixed width its lines, texts and long integers, checked against what is left of the file. */

import type { FormatError } from "../../host/errors.ts";
import type { Budget, Fail } from "../../host/bytes/budget.ts";
import { ByteReader } from "../../host/bytes/reader.ts";

const maxIntegerBytes = 256;
const decoders = {
  "utf-8": new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }),
  latin1: new TextDecoder("latin1"),
};
const exact = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

export class PickleBytes extends ByteReader {
  private readonly budget: Budget;

  constructor(bytes: Uint8Array, start: number, budget: Budget, fail: Fail) {
    super(bytes, fail, { at: start });
    this.budget = budget;
  }

  override fail(problem: string): FormatError {
    return super.fail(`pickle, byte ${this.at}: ${problem}`);
  }

  /** Takes memory from the budget of the file. */
  take(bytes: number): void {
    this.budget.take(bytes, "the pickle");
  }

  /** The only number that pickles store with its high byte first. */
  override f64(): number {
    return super.f64(false);
  }

  /** The next frame must lie in the file; its content is read as if there were no frame. */
  frame(): void {
    const length = this.u64();
    if (length > this.left) throw this.fail("a frame is longer than the file; it is cut short");
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.fail("a line has no end; the file is damaged or cut short");
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
      throw this.fail("a text is not UTF-8");
    }
  }

  /** An integer in decimal. */
  integer(digits: string): number | bigint {
    if (!/^-?\d{1,600}$/.test(digits)) throw this.fail(`"${digits.slice(0, 40)}" is no integer`);
    return exact(BigInt(digits));
  }

  /** An integer in little-endian two's complement. */
  long(length: number): number | bigint {
    if (length > maxIntegerBytes) throw this.fail(`an integer of ${length} bytes is not allowed`);
    const part = this.part(length);
    this.take(64 + length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(part[i]);
    return exact(length > 0 && part[length - 1] >= 0x80 ? value - (1n << BigInt(8 * length)) : value);
  }

  float(text: string): number {
    const value = text === "nan" ? NaN : Number(text.replace(/inf$/, "Infinity"));
    if (Number.isNaN(value) && text !== "nan") throw this.fail(`"${text.slice(0, 40)}" is no number`);
    return value;
  }
}
