/**
 * @file The safetensors weight format: a little-endian u64 header length, a JSON header padded with spaces, then the tensors' bytes
 * (https://github.com/huggingface/safetensors). Nothing in it is executed. The reader trusts no number of the header: offsets must lie in
 * the file, must not overlap and must leave no gap, so a crafted file can neither ask for memory it does not bring nor hide bytes.
 */
import { expectKinds, expectArguments } from "../host/kinds.ts";
import { ConfigError, DataError, DTypeError } from "../host/errors.ts";
import { bytesOf, type HostArray, sizeOf } from "../host/array.ts";
import {
  decodeElements,
  ELEMENTS,
  type ElementType,
  elementTypeOf,
  InexactIntegerError,
  isElementType,
  type WeightTensor,
} from "./elements.ts";
import { expectSomeRead, type SkippedEntry } from "./file.ts";
import { type Fail, failing } from "../host/bytes/budget.ts";
import { isRecord, isSizes, type JsonRecord, parseJson } from "../host/bytes/json.ts";

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** Tensors by name, in the order of their data. */
  readonly tensors: Map<string, WeightTensor>;
  /** Texts of the file's `__metadata__` by key. */
  readonly metadata: Map<string, string>;
  /** Tensors whose type is not supported: they were not read. */
  readonly skipped: readonly SkippedEntry[];
}

/** A tensor to write; without `dtype` its typed array decides (Float32Array → F32 …). */
export type WritableTensor = HostArray & { readonly dtype?: ElementType };

/** The format's own bound: a longer header is an attack or another kind of file. */
const maxHeaderBytes = 100_000_000;

/**
 * Reads a safetensors file.
 * @param bytes the whole file
 * @param source what error messages call the file
 * @throws FormatError naming the field that is wrong
 */
export function readSafetensors(bytes: Uint8Array, source = "safetensors"): SafetensorsFile {
  expectKinds("readSafetensors", { bytes: { bytes }, text: { source } });
  const fail = failing(source);
  if (bytes.length < 8) throw fail(`the file has ${bytes.length} bytes; expected at least the 8 of the header length`);
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  const dataStart = 8 + headerBytes;
  if (headerBytes > maxHeaderBytes || dataStart > bytes.length)
    throw fail(
      `header length is ${headerBytes} in a file of ${bytes.length} bytes; this is no safetensors file, or it is cut short`,
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

  const tensors = new Map<string, WeightTensor>();
  const skipped: SkippedEntry[] = [];
  for (const { name, dtype, shape, begin, end } of entries) {
    const pass = (reason: string) => skipped.push({ name, dtype, shape, reason });
    if (!isElementType(dtype)) {
      pass(`its dtype is "${dtype}"; supported are ${Object.keys(ELEMENTS).join(", ")}`);
      continue;
    }
    try {
      tensors.set(name, { dtype, shape, data: decodeElements(dtype, bytes.subarray(dataStart + begin, dataStart + end)) });
    } catch (error) {
      if (!(error instanceof InexactIntegerError)) throw error;
      pass(error.message);
    }
  }
  expectSomeRead(tensors, skipped, fail);
  return { tensors, metadata, skipped };
}

/**
 * Writes a safetensors file; the same input gives the same bytes. Tensors are laid out in the order of the map, the header is padded
 * with spaces so that the data begin at a multiple of 8. What `readSafetensors` returned is written back byte for byte if the file had
 * this layout.
 * @throws ShapeError when data and shape disagree, ConfigError for the reserved name "__metadata__", DTypeError for arrays of no element type, DataError for I64 or U64 of a fraction
 * @param metadata texts by key, kept in the header
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array<ArrayBuffer> {
  expectArguments("writeSafetensors", "map", { tensors, metadata });
  const entries: [string, unknown][] = [];
  if (metadata.size > 0) entries.push(["__metadata__", Object.fromEntries(metadata)]);
  const chunks: ArrayBufferView[] = [];
  let offset = 0;
  for (const [name, tensor] of tensors) {
    if (name === "__metadata__")
      throw new ConfigError(`writeSafetensors: "__metadata__" is reserved; give the tensor another name`);
    expectArguments("writeSafetensors", "array", { [`"${name}"`]: tensor });
    const dtype = tensor.dtype ?? elementTypeOf(tensor.data);
    if (!isElementType(dtype)) throw new DTypeError(`writeSafetensors: there is no dtype "${String(dtype)}", of "${name}"`);
    if ((dtype === "I64" || dtype === "U64") && !tensor.data.every(Number.isSafeInteger))
      throw new DataError(`writeSafetensors: "${name}" is to be ${dtype} but holds values that are no exact integers`);
    const chunk = ELEMENTS[dtype].encode(tensor.data);
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
    file.set(bytesOf(chunk), at);
    at += chunk.byteLength;
  }
  return file;
}

interface Entry {
  readonly name: string;
  /** An `ElementType`, or the name of a type that is not supported. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First and past-the-last byte, counted from the start of the data. */
  readonly begin: number;
  readonly end: number;
}

function parseHeader(bytes: Uint8Array, fail: Fail): JsonRecord {
  // An object of objects with two lists each.
  const header = parseJson(bytes, "the header", 3, fail);
  if (!isRecord(header)) throw fail("the header is no JSON object");
  return header;
}

function parseMetadata(entry: unknown, fail: Fail): Map<string, string> {
  if (!isRecord(entry)) throw fail("__metadata__ is no object of strings");
  const metadata = new Map<string, string>();
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== "string") throw fail(`__metadata__.${key} is ${typeof value}; expected a string`);
    metadata.set(key, value);
  }
  return metadata;
}

function parseEntry(name: string, entry: unknown, dataBytes: number, fail: Fail): Entry {
  if (!isRecord(entry)) throw fail(`tensor "${name}": the entry is no object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string")
    throw fail(`tensor "${name}": dtype is ${JSON.stringify(dtype)}; supported are ${Object.keys(ELEMENTS).join(", ")}`);
  if (!isSizes(shape)) throw fail(`tensor "${name}": shape is ${JSON.stringify(shape)}; expected a list of sizes`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1])
    throw fail(`tensor "${name}": data_offsets is ${JSON.stringify(offsets)}; expected [begin, end]`);
  const [begin, end] = offsets;
  if (end > dataBytes) throw fail(`tensor "${name}": data_offsets end at ${end}, but the file has ${dataBytes} bytes of data`);
  // How long the elements of a foreign type are is not known: of it only the place in the file is checked.
  const wanted = isElementType(dtype) ? sizeOf(shape) * ELEMENTS[dtype].bytes : end - begin;
  if (wanted !== end - begin)
    throw fail(`tensor "${name}": ${dtype} of shape [${shape}] needs ${wanted} bytes, data_offsets give ${end - begin}`);
  return { name, dtype, shape, begin, end };
}

/** Every byte of data belongs to exactly one tensor; `entries` are sorted by offset. */
function checkCoverage(entries: readonly Entry[], dataBytes: number, fail: Fail): void {
  let at = 0;
  for (const { name, begin, end } of entries) {
    if (begin < at) throw fail(`tensor "${name}": data_offsets begin at ${begin}, inside the tensor that ends at ${at}`);
    if (begin > at) throw fail(`tensor "${name}": ${begin - at} bytes before its data_offsets belong to no tensor`);
    at = end;
  }
  if (at !== dataBytes) throw fail(`the last ${dataBytes - at} bytes belong to no tensor`);
}
