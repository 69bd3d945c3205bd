/**
 * @file The wire format of protocol buffers: numbers in base 128, fields of a number and a wire type, lengths before bytes. Reading trusts
 * nothing: lengths are checked against what is left, and what is made of the bytes against a budget.
 */

import { Budget, failing } from "../host/bytes/budget.ts";
import { ByteReader } from "../host/bytes/reader.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * How much a reader may allocate: four times the file, and 1 MiB for small ones. A file of one million empty messages would otherwise take a
 * hundred times its size.
 */
export const onnxBudget = (fileBytes: number, file: string): Budget => new Budget(4 * fileBytes + 2 ** 20, failing(file));

/** What a list entry or a small object costs, roughly. */
export const entryBytes = 16;
export const objectBytes = 96;

/** One field of a message. Of the values only that of the wire type is there: `bytes` for lengths, `number` else. */
export interface Field {
  readonly id: number;
  readonly bytes: Uint8Array | undefined;
  /** A varint as a signed 64-bit integer (rounded beyond 2⁵³), or the bits of a fixed value as `view` gives them. */
  readonly number: number;
}

class Cursor extends ByteReader {
  varint(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.left === 0) throw this.fail("it ends inside a number; the file is truncated or damaged");
      const byte = this.bytes[this.at++];
      const part = byte & 127;
      // 28 bits fit below bit 31 without a sign.
      if (shift < 28) low |= part << shift;
      else if (shift === 28) {
        low |= part << 28;
        high = part >> 4;
      } else if (shift < 63) high |= part << (shift - 32);
      else high |= (part & 1) << 31;
      if (byte < 128) return high * 2 ** 32 + (low >>> 0);
    }
    throw this.fail("a number is longer than ten bytes; the file is damaged");
  }
}

/** The fields of a message in their order. Throws `FormatError` for anything that is no message. */
export function* fields(bytes: Uint8Array, budget: Budget): Generator<Field> {
  const cursor = new Cursor(bytes, budget.fail);
  while (cursor.left > 0) {
    const tag = cursor.varint();
    const id = Math.floor(tag / 8);
    if (id < 1 || id > 2 ** 29 - 1) throw budget.fail(`a field has the number ${id}; this is no ONNX file, or a damaged one`);
    switch (((tag % 8) + 8) % 8) {
      case 0:
        yield { id, number: cursor.varint(), bytes: undefined };
        break;
      case 1:
        yield { id, number: cursor.f64(), bytes: undefined };
        break;
      case 2:
        yield { id, number: 0, bytes: cursor.part(cursor.varint()) };
        break;
      case 5:
        yield { id, number: cursor.f32(), bytes: undefined };
        break;
      default:
        throw budget.fail(`field ${id} has wire type ${tag % 8}; this is no ONNX file, or a damaged one`);
    }
  }
}

/** The bytes of a field that must have some. */
export function bytesOf(field: Field, budget: Budget): Uint8Array {
  if (!field.bytes) throw budget.fail(`field ${field.id} is a number where bytes are expected; the file is damaged`);
  return field.bytes;
}

export function textOf(field: Field, budget: Budget): string {
  const bytes = bytesOf(field, budget);
  budget.take(entryBytes + bytes.length, "unpacked it");
  try {
    return utf8.decode(bytes);
  } catch {
    throw budget.fail("a name is no UTF-8; the file is damaged");
  }
}

export type Scalar = "varint" | "float" | "double";

const width = { float: 4, double: 8 } as const;

/** Appends the numbers of a repeated field, packed or not. */
export function append(list: number[], field: Field, kind: Scalar, budget: Budget): void {
  if (!field.bytes) {
    budget.take(8, "unpacked it");
    list.push(field.number);
    return;
  }
  const cursor = new Cursor(field.bytes, budget.fail);
  if (kind !== "varint") budget.take((field.bytes.length / width[kind]) * 8, "unpacked it");
  while (cursor.left > 0) {
    if (kind === "varint") budget.take(8, "unpacked it");
    list.push(kind === "varint" ? cursor.varint() : kind === "float" ? cursor.f32() : cursor.f64());
  }
}

/** Builds a message. */
export class Writer {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  private push(part: Uint8Array): this {
    this.parts.push(part);
    this.length += part.length;
    return this;
  }

  private raw(value: number): this {
    const out: number[] = [];
    // Two's complement of 64 bits, as the format has it for negative numbers.
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
    out.push(Number(rest));
    return this.push(Uint8Array.from(out));
  }

  int(id: number, value: number): this {
    return this.raw(id * 8).raw(value);
  }

  float(id: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.raw(id * 8 + 5).push(bytes);
  }

  bytes(id: number, value: Uint8Array): this {
    return this.raw(id * 8 + 2)
      .raw(value.length)
      .push(value);
  }

  text(id: number, value: string): this {
    return this.bytes(id, new TextEncoder().encode(value));
  }

  message(id: number, value: Writer): this {
    return this.bytes(id, value.finish());
  }

  finish(): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}
