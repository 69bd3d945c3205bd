/**
 * @file The block of voxels of a file of any format, decoded while it arrives: element types, byte order, scaling, and the turn from the
 * file's order of axes to the row-major `[C, nx, ny, nz]` of a Volume. What is asked for is the volume and a slab of the file, once the size is vouched for,
 * at the latest by the quarter of it that has arrived.
 */

import { DTypeError } from "../../host/errors.ts";
import type { Fail } from "../../host/bytes/budget.ts";
import { bytesOf, type TypedArray } from "../../host/array.ts";
import { elements, type NativeName } from "../../host/elements.ts";
import { stridesOf } from "../../host/shape.ts";
import { type Bits, bitsOf, moveElements } from "./strided_move.ts";

/** Element types that files have; 64-bit integers become float64 where that is exact, half floats float32. */
export type StoredType = NativeName | "i64" | "u64" | "f16" | "bool";

/** The axes of a file's voxels, the fastest first, and how far neighbors along each are apart in the volume's array. */
export interface FileOrder {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
}

/** A block of voxels. */
export interface VoxelBlock extends FileOrder {
  readonly dtype: StoredType;
  readonly littleEndian: boolean;
  /** value = slope · stored + inter; default 1 and 0. */
  readonly slope?: number;
  readonly inter?: number;
}

/** x fastest, then y, z, channel: NIfTI, Analyze, MGH. */
export function channelsLast([c, nx, ny, nz]: readonly number[]): FileOrder {
  return { sizes: [nx, ny, nz, c], strides: [ny * nz, nz, 1, nx * ny * nz] };
}

/** The channels of a voxel side by side, then x, y, z: MetaImage, colors. */
export function channelsFirst([c, nx, ny, nz]: readonly number[]): FileOrder {
  return { sizes: [c, nx, ny, nz], strides: [nx * ny * nz, ny * nz, nz, 1] };
}

const elementsOf = ({ sizes }: Pick<FileOrder, "sizes">): number => sizes.reduce((n, s) => n * s, 1);

/** Bytes of a block in the file. */
export const blockBytes = (block: Pick<VoxelBlock, "sizes" | "dtype">): number => elementsOf(block) * elements[block.dtype].bytes;

/** Where nothing else vouches for a size, a byte that has arrived does for so many. */
const vouched = 4;
/** Bytes behind the voxels that are read only to reach the checksum of a packed file. */
const trailingLimit = 1 << 20;

/**
 * The array of a block, from the pieces of its bytes. What comes behind it is passed over, as far as a checksum might be.
 * @param sure whether the source is known to have the bytes, so that the array may be asked for before they are there
 * @throws FormatError (by `fail`) if there are too few bytes, or 64-bit integers beyond ±2⁵³
 */
export async function readBlock(
  pieces: AsyncIterable<Uint8Array>,
  block: VoxelBlock,
  sure: boolean,
  fail: Fail,
): Promise<TypedArray> {
  const need = blockBytes(block);
  let sink = sure ? new VoxelSink(block, fail) : undefined;
  let held: Uint8Array[] = [];
  let have = 0;
  for await (const piece of pieces) {
    const taken = piece.subarray(0, Math.max(0, need - have));
    have += piece.length;
    if (have > need + trailingLimit) break;
    if (!sink && have * vouched >= need) {
      sink = new VoxelSink(block, fail);
      for (const early of held) sink.push(early);
      held = [];
    }
    if (sink) sink.push(taken);
    else held.push(taken);
  }
  if (!sink || have < need) {
    throw fail(
      `the voxels take ${need} bytes, but the file ends after ${have} of them; it is cut short or its header is damaged`,
    );
  }
  return sink.out;
}

const slabBytes = 1 << 23;

/** Takes the bytes of a block in pieces of any size, and fills the volume's array slab by slab. */
class VoxelSink {
  readonly out: TypedArray;
  private readonly block: VoxelBlock;
  private readonly fail: Fail;
  private readonly width: number;
  private readonly outBits: Bits;
  /** Axis of which a slab holds a part; slower axes have one index in a slab, faster ones all. */
  private readonly axis: number;
  private readonly unit: number;
  private readonly slab: Uint8Array;
  private filled = 0;
  private wanted = 0;
  /** Elements that are done. */
  private done = 0;

  constructor(block: VoxelBlock, fail: Fail) {
    this.block = block;
    this.fail = fail;
    this.width = elements[block.dtype].bytes;
    const { sizes, strides } = block;
    const long = sizes.map((_, a) => a).filter((a) => sizes[a] > 1);
    this.axis = long.reduce((best, a) => (strides[a] < strides[best] ? a : best), long[0] ?? 0);
    this.unit = sizes.slice(0, this.axis).reduce((n, s) => n * s, 1);
    this.out = new (arrayOf(block))(elementsOf(block));
    this.outBits = bitsOf(new Uint8Array(this.out.buffer), this.out.BYTES_PER_ELEMENT);
    const most = Math.min(sizes[this.axis], Math.max(1, Math.floor(slabBytes / (this.unit * this.width))));
    this.slab = new Uint8Array(Math.ceil((most * this.unit * this.width) / 8) * 8);
    this.next();
  }

  push(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;) {
      const taken = piece.subarray(at, at + this.wanted - this.filled);
      this.slab.set(taken, this.filled);
      at += taken.length;
      this.filled += taken.length;
      if (this.filled === this.wanted) this.flush();
    }
  }

  private next(): void {
    const size = this.block.sizes[this.axis];
    const left = size - (Math.floor(this.done / this.unit) % size);
    const steps = Math.min(left, Math.floor(this.slab.length / (this.unit * this.width)));
    this.wanted = steps * this.unit * this.width;
    this.filled = 0;
  }

  private flush(): void {
    const { sizes, strides, littleEndian } = this.block;
    const bytes = this.slab.subarray(0, this.wanted);
    if (!littleEndian) swapBytes(bytes, this.width);
    const from = converted(bytes, this.block, this.done, this.fail);
    const inFile = stridesOf([...sizes].reverse()).reverse();
    const first = sizes.reduce((sum, size, a) => sum + (Math.floor(this.done / inFile[a]) % size) * strides[a], 0);
    const axes = sizes.slice(0, this.axis).map((size, a) => ({ size, from: inFile[a], to: strides[a] }));
    const count = this.wanted / this.width;
    axes.push({ size: count / this.unit, from: this.unit, to: strides[this.axis] });
    moveElements(from, this.outBits, axes, { from: 0, to: first });
    this.done += count;
    this.next();
  }
}

const isScaled = ({ slope = 1, inter = 0 }: VoxelBlock): boolean => slope !== 1 || inter !== 0;

/** The class of the array: scaled values are float32 where the stored type has at most 16 bits or is float32, else float64. */
function arrayOf(block: VoxelBlock): { new (length: number): TypedArray } {
  const { array, bytes } = elements[block.dtype];
  if (!isScaled(block)) return array;
  return bytes < 4 || block.dtype === "f32" ? Float32Array : Float64Array;
}

/** The little-endian elements of a slab, of which `first` is the number of the first, as those of the volume. */
function converted(bytes: Uint8Array, block: VoxelBlock, first: number, fail: Fail): Bits {
  const stored = valuesOf(bytes, block.dtype, first, fail);
  if (!isScaled(block)) return stored instanceof Float64Array ? stored : bitsOf(bytesOf(stored), stored.BYTES_PER_ELEMENT);
  const { slope = 1, inter = 0 } = block;
  const out = new (arrayOf(block))(stored.length);
  for (let i = 0; i < out.length; i++) out[i] = slope * stored[i] + inter;
  return bitsOf(new Uint8Array(out.buffer), out.BYTES_PER_ELEMENT);
}

function valuesOf(bytes: Uint8Array, dtype: StoredType, first: number, fail: Fail): TypedArray {
  if (dtype === "i64" || dtype === "u64") return integers64(bytes, dtype === "i64", first, fail);
  if (dtype === "f16") return halves(bytes);
  // A byte that is neither 0 nor 1 is true.
  if (dtype === "bool") for (let i = 0; i < bytes.length; i++) bytes[i] = Math.min(bytes[i], 1);
  const { array } = elements[dtype];
  return new array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / elements[dtype].bytes);
}

/** Reverses the bytes of every element in place. */
function swapBytes(bytes: Uint8Array, width: number): void {
  if (width === 1) return;
  for (let at = 0; at < bytes.length; at += width) {
    for (let lo = at, hi = at + width - 1; lo < hi; lo++, hi--) {
      const held = bytes[lo];
      bytes[lo] = bytes[hi];
      bytes[hi] = held;
    }
  }
}

function integers64(bytes: Uint8Array, signed: boolean, first: number, fail: Fail): Float64Array {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const out = new Float64Array(words.length / 2);
  for (let i = 0; i < out.length; i++) {
    const high = signed ? words[2 * i + 1] | 0 : words[2 * i + 1];
    const v = high * 2 ** 32 + words[2 * i];
    if (v > Number.MAX_SAFE_INTEGER || v < -Number.MAX_SAFE_INTEGER) {
      throw fail(
        `voxel ${first + i} is about ${v}; 64-bit integers beyond 2^53 cannot be kept exactly; store the image as float64`,
      );
    }
    out[i] = v;
  }
  return out;
}

/** Half floats (IEEE 754 binary16). */
function halves(bytes: Uint8Array): Float32Array {
  const words = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const out = new Float32Array(words.length);
  for (let i = 0; i < out.length; i++) {
    const [sign, exponent, fraction] = [words[i] & 0x8000 ? -1 : 1, (words[i] >> 10) & 31, words[i] & 1023];
    if (exponent === 0) out[i] = sign * fraction * 2 ** -24;
    else if (exponent === 31) out[i] = fraction === 0 ? sign * Infinity : NaN;
    else out[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return out;
}

/**
 * The bytes of an array in a file's order, little-endian unless asked otherwise.
 * @throws DTypeError for an array of a kind that no format has
 */
export function encodeBlock(
  data: TypedArray,
  order: FileOrder,
  into?: Uint8Array<ArrayBuffer>,
  littleEndian = true,
): Uint8Array<ArrayBuffer> {
  const width = data.BYTES_PER_ELEMENT;
  if (!(width >= 1 && width <= 8)) throw new DTypeError(`writeImage: cannot write a ${Object.prototype.toString.call(data)}`);
  const aligned = data.byteOffset % width === 0 ? data : data.slice();
  const from = bitsOf(bytesOf(aligned), width);
  const block = into && into.byteOffset % width === 0 ? into : new Uint8Array(data.byteLength);
  const inFile = stridesOf([...order.sizes].reverse()).reverse();
  const axes = order.sizes.map((size, a) => ({ size, from: order.strides[a], to: inFile[a] }));
  moveElements(from, bitsOf(block, width), axes, { from: 0, to: 0 });
  if (!littleEndian) swapBytes(block, width);
  if (into && block !== into) into.set(block);
  return block;
}
