/** @file Writing PyTorch checkpoints: the zip archive of `torch.save`, a pickle of plain data and of tensors whose storages lie beside it. */

import { bytesOf, type TypedArray } from "../../host/array.ts";
import { elements, nativeOf } from "../../host/elements.ts";
import { DTypeError } from "../../host/errors.ts";
import { described, expectFull } from "../../host/kinds.ts";
import { crc32 } from "../../host/bytes/crc32.ts";
import { writeZip } from "../../host/bytes/zip_write.ts";
import { stridesOf } from "../../host/shape.ts";

/** A tensor of a checkpoint. */
export interface TorchTensor {
  /** The elements, as many as `shape` says. */
  readonly data: TypedArray;
  /** Length of each axis, the slowest first. */
  readonly shape: readonly number[];
}

/** What a checkpoint may hold: Python's None, bool, int or float, str, list, dict (of strings), tuple of floats (a Float64Array), and tensors, which are told by data and shape. */
export type TorchValue =
  | null
  | boolean
  | number
  | string
  | TorchTensor
  | Float64Array
  | readonly TorchValue[]
  | ReadonlyMap<string, TorchValue>
  | { readonly [name: string]: TorchValue | undefined };

/**
 * The bytes of a `.pt` or `.pth` file that `torch.load` reads, with `weights_only` too. Numbers without a fraction become integers, up to 2^53. Tensors of equal
 * content share one storage, as the same parameter under several names does.
 * @throws DTypeError for arrays that PyTorch has no type for and for values that are no `TorchValue`, ShapeError for data that do not fill their shape; FormatError beyond 4 GiB
 * @param name of the folder inside of the archive
 */
export function writeTorch(value: TorchValue, name = "archive"): Uint8Array<ArrayBuffer> {
  const pickle = new Pickle();
  pickle.write(value);
  const entries = new Map<string, Uint8Array>([
    [`${name}/data.pkl`, pickle.finish()],
    [`${name}/byteorder`, new TextEncoder().encode("little")],
    ...pickle.storages.map((data, i) => [`${name}/data/${i}`, bytesOf(data)] as const),
    [`${name}/version`, new TextEncoder().encode("3\n")],
  ]);
  return writeZip(entries);
}

/** The bytes of a `.pkl` file that Python's `pickle.load` reads. @throws DTypeError for tensors, which only `writeTorch` has room for */
export function writePickle(value: TorchValue): Uint8Array<ArrayBuffer> {
  const pickle = new Pickle();
  pickle.write(value);
  if (pickle.storages.length > 0) throw new DTypeError("writePickle: a pickle alone has no tensors; use writeTorch");
  return pickle.finish();
}

const isTensor = (v: object): v is TorchTensor =>
  ArrayBuffer.isView((v as Partial<TorchTensor>).data) && Array.isArray((v as Partial<TorchTensor>).shape);

const isRecord = (v: unknown): boolean =>
  typeof v === "object" && v !== null && [Object.prototype, null].includes(Object.getPrototypeOf(v) as object | null);

const code = (text: string): number => text.charCodeAt(0);

/** Protocol 2, without a memo: nothing is written by reference but storages. */
class Pickle {
  readonly storages: TypedArray[] = [];
  private readonly known = new Map<string, number[]>();
  private bytes = new Uint8Array(1 << 12);
  private length = 0;

  constructor() {
    this.raw(0x80, 2);
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.raw(code("."));
    return this.bytes.slice(0, this.length);
  }

  write(value: TorchValue | undefined): void {
    if (value === null || value === undefined) this.raw(code("N"));
    else if (typeof value === "boolean") this.raw(value ? 0x88 : 0x89);
    else if (typeof value === "number") this.number(value);
    else if (typeof value === "string") this.text(value);
    else if (value instanceof Float64Array) this.floats(value);
    else if (Array.isArray(value)) this.list(value as readonly TorchValue[]);
    else if (value instanceof Map) this.dict(value as ReadonlyMap<string, TorchValue>);
    else if (typeof value === "object" && isTensor(value)) this.tensor(value);
    else if (!isRecord(value))
      throw new DTypeError(`writeTorch: ${described(value)} has no place in a checkpoint; convert it first`);
    else this.dict(Object.entries(value as Readonly<Record<string, TorchValue>>));
  }

  private raw(...bytes: readonly number[]): void {
    this.append(Uint8Array.from(bytes));
  }

  private append(bytes: Uint8Array): void {
    const needed = this.length + bytes.length;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(bytes, this.length);
    this.length = needed;
  }

  private number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) return this.float(value);
    if (value !== (value | 0)) return this.long(value);
    const bytes = new DataView(new ArrayBuffer(5));
    bytes.setUint8(0, code("J"));
    bytes.setInt32(1, value, true);
    this.append(new Uint8Array(bytes.buffer));
  }

  /** An integer of 8 bytes. */
  private long(value: number): void {
    const bytes = new DataView(new ArrayBuffer(10));
    bytes.setUint8(0, 0x8a);
    bytes.setUint8(1, 8);
    bytes.setBigInt64(2, BigInt(value), true);
    this.append(new Uint8Array(bytes.buffer));
  }

  private float(value: number): void {
    const bytes = new DataView(new ArrayBuffer(9));
    bytes.setUint8(0, code("G"));
    bytes.setFloat64(1, value);
    this.append(new Uint8Array(bytes.buffer));
  }

  private text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    const head = new DataView(new ArrayBuffer(5));
    head.setUint8(0, code("X"));
    head.setUint32(1, bytes.length, true);
    this.append(new Uint8Array(head.buffer));
    this.append(bytes);
  }

  private list(values: readonly TorchValue[]): void {
    this.raw(code("]"), code("("));
    for (const value of values) this.write(value);
    this.raw(code("e"));
  }

  private tuple(values: readonly number[]): void {
    this.raw(code("("));
    for (const value of values) this.number(value);
    this.raw(code("t"));
  }

  private floats(values: Float64Array): void {
    this.raw(code("("));
    for (const value of values) this.float(value);
    this.raw(code("t"));
  }

  private dict(entries: Iterable<readonly [string, TorchValue]>): void {
    this.raw(code("}"), code("("));
    for (const [key, value] of entries) {
      if (typeof key !== "string") throw new DTypeError(`writeTorch: names are texts, got ${described(key)}`);
      this.text(key);
      this.write(value);
    }
    this.raw(code("u"));
  }

  private global(module: string, name: string): void {
    this.append(new TextEncoder().encode(`c${module}\n${name}\n`));
  }

  private tensor({ data, shape }: TorchTensor): void {
    expectFull("writeTorch", "a tensor", { data, shape });
    const type = nativeOf(data);
    const info: { readonly storage?: string; readonly numpy: string } | undefined = type && elements[type];
    if (info?.storage === undefined)
      throw new DTypeError(`writeTorch: PyTorch has no tensors of ${info?.numpy ?? data.constructor.name}; convert them first`);
    this.global("torch._utils", "_rebuild_tensor_v2");
    this.raw(code("("), code("("));
    this.text("storage");
    this.global("torch", info.storage);
    this.text(String(this.storageOf(data)));
    this.text("cpu");
    this.number(data.length);
    this.raw(code("t"), code("Q"));
    this.number(0);
    this.tuple(shape);
    this.tuple(stridesOf(shape));
    this.raw(0x89); // requires no gradient
    this.global("collections", "OrderedDict");
    this.raw(code(")"), code("R"), code("t"), code("R"));
  }

  private storageOf(data: TypedArray): number {
    const bytes = bytesOf(data);
    const key = `${nativeOf(data)} ${data.length} ${crc32(bytes)}`;
    const same = this.known.get(key) ?? [];
    const found = same.find((i) => equal(bytesOf(this.storages[i]), bytes));
    if (found !== undefined) return found;
    this.storages.push(data);
    this.known.set(key, [...same, this.storages.length - 1]);
    return this.storages.length - 1;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
