/** @file PyTorch files put together by hand, so that they can lie: zip archives with false headers, pickles opcode by opcode. */
import { deflateRawSync } from "node:zlib";
import { expect } from "vitest";
import { FormatError } from "../../../src/host/errors.ts";
import { readTorch } from "../../../src/weights/torch/file.ts";

export const latin = (text: string) => Buffer.from(text, "latin1");
export const u16 = (n: number) => latin(String.fromCharCode(n & 255, n >> 8));
export const u32 = (n: number) => Buffer.from(Uint32Array.of(n).buffer);

export interface Entry {
  readonly name: string;
  readonly data: Buffer;
  readonly deflate?: boolean;
  /** What the headers say instead of the truth. */
  readonly lie?: {
    readonly size?: number;
    readonly packed?: number;
    readonly offset?: number;
    readonly localName?: string;
    readonly flags?: number;
  };
}

export function zip(entries: readonly Entry[], more: { count?: number; start?: number } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, data, deflate = false, lie = {} } of entries) {
    const packed = deflate ? deflateRawSync(data) : data;
    const shared = Buffer.concat([
      u16(lie.flags ?? 0),
      u16(deflate ? 8 : 0),
      u32(0),
      u32(0),
      u32(lie.packed ?? packed.length),
      u32(lie.size ?? data.length),
    ]);
    const local = latin(lie.localName ?? name);
    const part = Buffer.concat([latin("PK\x03\x04"), u16(20), shared, u16(local.length), u16(0), local, packed]);
    const rest = Buffer.concat([u16(name.length), u16(0), u16(0), u16(0), u16(0), u32(0), u32(lie.offset ?? at), latin(name)]);
    directory.push(Buffer.concat([latin("PK\x01\x02"), u16(20), u16(20), shared, rest]));
    parts.push(part);
    at += part.length;
  }
  const central = Buffer.concat(directory);
  const count = more.count ?? entries.length;
  const end = Buffer.concat([
    latin("PK\x05\x06"),
    u32(0),
    u16(count),
    u16(count),
    u32(central.length),
    u32(more.start ?? at),
    u16(0),
  ]);
  return Buffer.concat([...parts, central, end]);
}

// Pickle opcodes
export const text = (s: string) => Buffer.concat([latin("X"), u32(s.length), latin(s)]);
export const global = (module: string, name: string) => latin(`c${module}\n${name}\n`);
export const int = (n: number) => Buffer.concat([latin("J"), u32(n)]);
export const tuple = (...items: Buffer[]) => Buffer.concat([latin("("), ...items, latin("t")]);
export const call = (f: Buffer, ...args: Buffer[]) => Buffer.concat([f, tuple(...args), latin("R")]);
export const dict = (...items: Buffer[]) => Buffer.concat([latin("}("), ...items, latin("u")]);
export const pickle = (...ops: Buffer[]) => Buffer.concat([latin("\x80\x02"), ...ops, latin(".")]);
export const storage = (key = "0", length = 4, type = "FloatStorage") =>
  Buffer.concat([tuple(text("storage"), global("torch", type), text(key), text("cpu"), int(length)), latin("Q")]);
export const tensor = ({ from = storage() as Buffer, offset = 0, shape = [4], stride = [1] } = {}) =>
  call(
    global("torch._utils", "_rebuild_tensor_v2"),
    from,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...stride.map(int)),
    latin("\x89"),
    latin("N"),
  );

export const four = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
export const torch = (root: Buffer, data: Buffer = four, more: readonly Entry[] = []) =>
  zip([{ name: "a/data.pkl", data: root }, { name: "a/data/0", data }, ...more]);
export const one = (w: Buffer) => torch(pickle(dict(text("w"), w)));
export const reads = (ops: Buffer) => torch(pickle(dict(text("w"), tensor(), text("x"), ops)));

export async function refuses(bytes: Uint8Array, message: RegExp): Promise<void> {
  const reading = readTorch(bytes, { source: "evil.pt" });
  await expect(reading).rejects.toThrow(FormatError);
  await expect(reading).rejects.toThrow(message);
  await expect(reading).rejects.toThrow(/^evil\.pt: /);
}
