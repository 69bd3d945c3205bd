/**
 * @file The safetensors weight format: a little-endian u64 header length, a JSON header padded with spaces, then the tensors' bytes
 * (https://github.com/huggingface/safetensors). Nothing in it is executed. The reader trusts no number of the header: offsets must lie in
 * the file, must not overlap and must leave no gap, so a crafted file can neither ask for memory it does not bring nor hide bytes.
 */
import { ConfigError, DataError, FormatError, ShapeError } from "../tensor/errors.ts";
import { sizeOf, type HostArray, type TypedArray } from "../tensor/host.ts";

/** Element types of the format that voxgrad reads and writes. */
export type SafeDType = keyof typeof CODECS;

/** A tensor of a safetensors file. `dtype` is the type in the file; `data` holds F16 and BF16 as float32 and I64 as exact float64. */
export interface SafeTensor extends HostArray {
  readonly dtype: SafeDType;
}

export interface SafetensorsFile {
  /** Tensors by name, in the order of their data. */
  readonly tensors: Map<string, SafeTensor>;
  readonly metadata: Map<string, string>;
}

/** A tensor to write; without `dtype` its typed array decides (Float32Array → F32 …). */
export type WritableTensor = HostArray & { readonly dtype?: SafeDType };

interface Codec {
  readonly bytes: number;
  /** Reads a copy that begins at an aligned address. */
  decode(buffer: ArrayBuffer): TypedArray;
  encode(data: TypedArray): ArrayBufferView;
}

// Typed arrays have the byte order of the host, which is little-endian wherever WebGPU runs.
const CODECS = {
  F64: plain(8, Float64Array),
  F32: plain(4, Float32Array),
  F16: half((bits) => f16ToNumber(bits), numberToF16),
  BF16: half((bits) => floatOfBits(bits << 16), numberToBf16),
  I64: {
    bytes: 8,
    decode: (buffer) => Float64Array.from(new BigInt64Array(buffer), exactInteger),
    encode: (data) => BigInt64Array.from(data as ArrayLike<number> as number[], BigInt),
  },
  I32: plain(4, Int32Array),
  U32: plain(4, Uint32Array),
  I16: plain(2, Int16Array),
  U16: plain(2, Uint16Array),
  I8: plain(1, Int8Array),
  U8: plain(1, Uint8Array),
  BOOL: plain(1, Uint8Array),
} satisfies Record<string, Codec>;

/** The format's own bound: a longer header is an attack or another kind of file. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Reads a safetensors file.
 * @param bytes the whole file
 * @param source what error messages call the file
 * @throws FormatError naming the field that is wrong
 */
export function readSafetensors(bytes: Uint8Array, source = "safetensors"): SafetensorsFile {
  const fail = (problem: string): FormatError => new FormatError(`${source}: ${problem}`);
  if (bytes.length < 8) throw fail(`the file has ${bytes.length} bytes; expected at least the 8 of the header length.`);
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  const dataStart = 8 + headerBytes;
  if (headerBytes > MAX_HEADER_BYTES || dataStart > bytes.length)
    throw fail(
      `header length is ${headerBytes} in a file of ${bytes.length} bytes; this is no safetensors file, or it is cut short.`,
    );
  const header = parseHeader(bytes.subarray(8, dataStart), fail);
  const dataBytes = bytes.length - dataStart;

  const entries: Entry[] = [];
  let metadata = new Map<string, string>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") {
      metadata = parseMetadata(entry, fail);
      continue;
    }
    entries.push(parseEntry(name, entry, dataBytes, fail));
  }
  // By offset rather than as JSON.parse gives them: objects move integer-like names to the front.
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(entries, dataBytes, fail);

  const tensors = new Map<string, SafeTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    // Not bytes.slice: that of a Node Buffer shares its memory.
    const copy = new Uint8Array(bytes.subarray(dataStart + begin, dataStart + end)).buffer;
    try {
      tensors.set(name, { dtype, shape, data: CODECS[dtype].decode(copy) });
    } catch (error) {
      throw fail(`tensor "${name}": ${(error as Error).message}`);
    }
  }
  return { tensors, metadata };
}

/**
 * Writes a safetensors file; the same input gives the same bytes. Tensors are laid out in the order of the map, the header is padded
 * with spaces so that the data begin at a multiple of 8. What `readSafetensors` returned is written back byte for byte if the file had
 * this layout.
 * @throws ShapeError when data and shape disagree, ConfigError for the reserved name "__metadata__", DataError for I64 of a fraction
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array<ArrayBuffer> {
  const entries: [string, unknown][] = [];
  if (metadata.size > 0) entries.push(["__metadata__", Object.fromEntries(metadata)]);
  const chunks: ArrayBufferView[] = [];
  let offset = 0;
  for (const [name, tensor] of tensors) {
    if (name === "__metadata__")
      throw new ConfigError(`writeSafetensors: "__metadata__" is reserved; give the tensor another name.`);
    if (tensor.data.length !== sizeOf(tensor.shape))
      throw new ShapeError(`writeSafetensors: "${name}" has shape [${tensor.shape}] but ${tensor.data.length} elements.`);
    const dtype = tensor.dtype ?? dtypeOf(tensor.data);
    if (dtype === "I64" && !tensor.data.every(Number.isSafeInteger))
      throw new DataError(`writeSafetensors: "${name}" is to be I64 but holds values that are no exact integers.`);
    const chunk = CODECS[dtype].encode(tensor.data);
    chunks.push(chunk);
    entries.push([name, { dtype, shape: [...tensor.shape], data_offsets: [offset, offset + chunk.byteLength] }]);
    offset += chunk.byteLength;
  }
  // Built by hand: an object would sort integer-like names first, and JSON.stringify would follow.
  const json = `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = new TextEncoder().encode(json);
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + headerBytes + offset).fill(0x20, 8, 8 + headerBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(text, 8);
  let at = 8 + headerBytes;
  for (const chunk of chunks) {
    file.set(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength), at);
    at += chunk.byteLength;
  }
  return file;
}

type Fail = (problem: string) => FormatError;

interface Entry {
  readonly name: string;
  readonly dtype: SafeDType;
  readonly shape: readonly number[];
  /** First and past-the-last byte, counted from the start of the data. */
  readonly begin: number;
  readonly end: number;
}

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw fail(`the header is no JSON (${(error as Error).message}).`);
  }
  if (!isRecord(header)) throw fail("the header is no JSON object.");
  return header;
}

function parseMetadata(entry: unknown, fail: Fail): Map<string, string> {
  if (!isRecord(entry)) throw fail("__metadata__ is no object of strings.");
  const metadata = new Map<string, string>();
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== "string") throw fail(`__metadata__.${key} is ${typeof value}; expected a string.`);
    metadata.set(key, value);
  }
  return metadata;
}

function parseEntry(name: string, entry: unknown, dataBytes: number, fail: Fail): Entry {
  if (!isRecord(entry)) throw fail(`tensor "${name}": the entry is no object.`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(CODECS, dtype))
    throw fail(`tensor "${name}": dtype is ${JSON.stringify(dtype)}; supported are ${Object.keys(CODECS).join(", ")}.`);
  if (!isSizes(shape)) throw fail(`tensor "${name}": shape is ${JSON.stringify(shape)}; expected a list of sizes.`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1])
    throw fail(`tensor "${name}": data_offsets is ${JSON.stringify(offsets)}; expected [begin, end].`);
  const [begin, end] = offsets;
  if (end > dataBytes) throw fail(`tensor "${name}": data_offsets end at ${end}, but the file has ${dataBytes} bytes of data.`);
  const wanted = sizeOf(shape) * CODECS[dtype as SafeDType].bytes;
  if (wanted !== end - begin)
    throw fail(`tensor "${name}": ${dtype} of shape [${shape}] needs ${wanted} bytes, data_offsets give ${end - begin}.`);
  return { name, dtype: dtype as SafeDType, shape, begin, end };
}

/** Every byte of data belongs to exactly one tensor; `entries` are sorted by offset. */
function checkCoverage(entries: readonly Entry[], dataBytes: number, fail: Fail): void {
  let at = 0;
  for (const { name, begin, end } of entries) {
    if (begin < at) throw fail(`tensor "${name}": data_offsets begin at ${begin}, inside the tensor that ends at ${at}.`);
    if (begin > at) throw fail(`tensor "${name}": ${begin - at} bytes before its data_offsets belong to no tensor.`);
    at = end;
  }
  if (at !== dataBytes) throw fail(`the last ${dataBytes - at} bytes belong to no tensor.`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && v >= 0);
}

function dtypeOf(data: TypedArray): SafeDType {
  if (data instanceof Float32Array) return "F32";
  if (data instanceof Float64Array) return "F64";
  if (data instanceof Int32Array) return "I32";
  if (data instanceof Uint32Array) return "U32";
  if (data instanceof Int16Array) return "I16";
  if (data instanceof Uint16Array) return "U16";
  return data instanceof Int8Array ? "I8" : "U8";
}

interface ArrayType<A extends TypedArray> {
  new (buffer: ArrayBuffer): A;
  from(data: ArrayLike<number>): A;
}

function plain<A extends TypedArray>(bytes: number, type: ArrayType<A>): Codec {
  return {
    bytes,
    decode: (buffer) => new type(buffer),
    encode: (data) => (data instanceof (type as unknown as new () => A) ? data : type.from(data)),
  };
}

function half(decode: (bits: number) => number, encode: (value: number) => number): Codec {
  return {
    bytes: 2,
    decode: (buffer) => Float32Array.from(new Uint16Array(buffer), decode),
    encode: (data) => Uint16Array.from(data, encode),
  };
}

function exactInteger(value: bigint): number {
  const n = Number(value);
  if (!Number.isSafeInteger(n)) throw new RangeError(`the I64 value ${value} is beyond the exact integers of float64.`);
  return n;
}

const scratch = new DataView(new ArrayBuffer(4));

function floatOfBits(bits: number): number {
  scratch.setUint32(0, bits >>> 0);
  return scratch.getFloat32(0);
}

function bitsOfFloat(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

function f16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Nearest float16, ties to even; beyond its range infinity. */
function numberToF16(value: number): number {
  const x = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  if (Number.isNaN(value)) return 0x7e00;
  if (x >= 65520) return sign | 0x7c00;
  // Scaled so that one unit is the last place of the result; below 2^-14 that place is fixed (subnormals).
  const exponent = Math.max(Math.floor(Math.log2(x || 2 ** -24)), -14);
  const units = roundHalfEven(x / 2 ** (exponent - 10));
  // Field e + 15 and fraction units − 1024; a carry moves into the field by itself, and subnormals (units < 1024) come out with field 0.
  return sign | (((exponent + 14) << 10) + units);
}

function numberToBf16(value: number): number {
  const bits = bitsOfFloat(value);
  if (Number.isNaN(value)) return 0x7fc0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
