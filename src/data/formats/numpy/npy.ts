/** @file NumPy arrays, `.npy` and `.npz` (numpy.org/doc/stable/reference/generated/numpy.lib.format.html). An array has no geometry; pickles are refused. */

import { bytesOf, viewOf } from "../../../host/array.ts";
import { type Fail, failing } from "../../../host/bytes/budget.ts";
import { piecesOf } from "../../../host/bytes/gunzip.ts";
import { crc32 } from "../../../host/bytes/crc32.ts";
import { openZip, type ZipFileEntry } from "../../../host/bytes/zip.ts";
import { elements, elementsBy, type NativeName, nativeNames } from "../../../host/elements.ts";
import { ConfigError } from "../../../host/errors.ts";
import { stridesOf } from "../../../host/shape.ts";
import { identityAffine, makeVolume, type Volume } from "../../volume.ts";
import { behind, firstOf, reason } from "../byte_source.ts";
import { dataAs, typeOf } from "../cast.ts";
import type { ImageFile, ImageFormat, ReadImageOptions } from "../format.ts";
import { isPlanar } from "../written_place.ts";
import { blockBytes, readBlock, type StoredType } from "../voxel_block.ts";

const magic = "\x93NUMPY";
const isNpy = (head: Uint8Array): boolean => String.fromCharCode(...head.subarray(0, 6)) === magic;
const byShort = elementsBy("short");

/** What other types are, by their first letter. */
const kinds: Readonly<Record<string, string>> = {
  O: "Python objects, which only a pickle holds and which are not read",
  c: "complex numbers; save their real and imaginary parts, or their magnitude",
  f: "floats that are wider than 64 bits; save the array as float64",
  U: "texts",
  S: "texts",
  a: "texts",
  V: "records",
  M: "dates",
  m: "times",
};

interface NpyHeader {
  readonly dtype: StoredType;
  readonly littleEndian: boolean;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** First byte of the values. */
  readonly start: number;
}

/** Parses the header at the beginning of these bytes. @throws FormatError (by `fail`) */
function parseHeader(bytes: Uint8Array, fail: Fail): NpyHeader {
  if (!isNpy(bytes) || bytes.length < 10) throw fail("does not begin as a .npy file; it is cut short or damaged");
  const view = viewOf(bytes);
  const long = bytes[6] >= 2;
  const length = long && bytes.length >= 12 ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (long ? 12 : 10) + length;
  if (!(bytes[6] >= 1 && bytes[6] <= 3)) throw fail(`the version is ${bytes[6]}.${bytes[7]}; expected 1, 2 or 3`);
  if (start > bytes.length) throw fail(`the header has ${start} bytes, of which ${bytes.length} are there or expected at most`);
  const text = new TextDecoder("latin1").decode(bytes.subarray(long ? 12 : 10, start));
  const descr = /["']descr["']\s*:\s*(?:["']([^"']*)["']|(\[))/.exec(text);
  const order = /["']fortran_order["']\s*:\s*(True|False)/.exec(text);
  const shape = /["']shape["']\s*:\s*\(([^)]*)\)/.exec(text);
  if (!descr || !order || !shape)
    throw fail(`the header is ${JSON.stringify(text.slice(0, 80))}; expected descr, fortran_order and shape`);
  if (descr[2] !== undefined) throw fail("holds records of several fields; save one field as an array of numbers");
  const type = /^([<>|=]?)([biuf?]\d*)$/.exec(descr[1]);
  const dtype = byShort.get(type?.[2] === "?" ? "b1" : type?.[2]);
  if (!type || !dtype) {
    const kind = kinds[descr[1].replace(/^[<>|=]/, "").charAt(0)];
    throw fail(`descr is ${JSON.stringify(descr[1])}${kind ? ` (${kind})` : ""}; expected integers or floats of 8 to 64 bits`);
  }
  const sizes = shape[1]
    .split(",")
    .map((w) => w.trim().replace(/L$/, ""))
    .filter((w) => w !== "")
    .map(Number);
  if (
    sizes.length > 32 ||
    !sizes.every((n) => Number.isSafeInteger(n) && n >= 0) ||
    !Number.isSafeInteger(sizes.reduce((n, s) => n * s, 16))
  ) {
    throw fail(`shape is (${shape[1].slice(0, 80)}); expected sizes`);
  }
  if (sizes.includes(0)) throw fail(`shape is (${shape[1].slice(0, 80)}): the array is empty`);
  return { dtype: dtype as StoredType, littleEndian: type[1] !== ">", fortran: order[1] === "True", shape: sizes, start };
}

/** `[C, nx, ny, nz]`: up to three axes are those of space, in their order; of more the last three are, and the others are channels. */
function volumeShape(shape: readonly number[]): number[] {
  const space = shape.slice(-3);
  while (space.length < 3) space.push(1);
  return [shape.slice(0, -3).reduce((n, s) => n * s, 1), ...space];
}

/** The bytes of an array's file, whose size is known though they may have to be unpacked. */
interface NpySource {
  readonly size: number;
  /** Whether so many bytes are there, and not only promised. */
  readonly sure: boolean;
  readonly head: (bytes: number) => Promise<Uint8Array>;
  readonly pieces: (from: number) => AsyncGenerator<Uint8Array>;
}

async function readNpy(source: NpySource, name: string, fail: Fail): Promise<Volume> {
  const header = parseHeader(await source.head(1 << 16), fail);
  const { dtype, littleEndian, fortran, shape, start } = header;
  const strides = stridesOf(shape);
  const axes = shape.map((size, a) => [size, strides[a]]);
  // Fortran's first axis is the fastest in the file, C's last.
  if (!fortran) axes.reverse();
  if (axes.length === 0) axes.push([1, 1]);
  const block = { dtype, littleEndian, sizes: axes.map(([n]) => n), strides: axes.map(([, s]) => s) };
  const need = blockBytes(block);
  if (start + need > source.size)
    throw fail(`shape (${shape}) takes ${need} bytes, but the file ends after ${source.size - start} of them; it is cut short`);
  const data = await readBlock(source.pieces(start), block, source.sure, fail);
  return makeVolume({ data, shape: volumeShape(shape) }, identityAffine, {
    source: name,
    format: "npy",
    dtype,
    units: "unknown",
    ...(shape.length === 2 && { planar: true }),
    fields: { shape, fortranOrder: fortran },
    unplaced: true,
    notes: ["an array has no geometry: voxels of 1 at the origin are assumed"],
  });
}

const plainSource = (blob: Blob): NpySource => ({
  size: blob.size,
  sure: true,
  head: async (bytes) => new Uint8Array(await blob.slice(0, bytes).arrayBuffer()),
  pieces: (from) => piecesOf(blob.slice(from).stream()),
});

/** An entry of an archive, unpacked as it is read: twice for what stands at its beginning. What it promises has to be what it has, by number and checksum. */
async function entrySource({ packed, size, method, name, crc }: ZipFileEntry, fail: Fail): Promise<NpySource> {
  const blob = await packed();
  async function* all(): AsyncGenerator<Uint8Array> {
    let [have, sum] = [0, 0];
    try {
      const stream = method === 0 ? blob.stream() : blob.stream().pipeThrough(new DecompressionStream("deflate-raw"));
      for await (const piece of piecesOf(stream as ReadableStream<Uint8Array>)) {
        have += piece.length;
        if (have > size) break;
        sum = crc32(piece, sum);
        yield piece;
      }
    } catch (cause) {
      throw Object.assign(fail(`zip entry "${name}" cannot be inflated${reason(cause)}`), { cause });
    }
    if (have !== size)
      throw fail(`zip entry "${name}" inflates to ${have > size ? "more than" : have} bytes instead of the ${size} it promises`);
    if (sum !== crc) throw fail(`zip entry "${name}" does not have the checksum that it says; it is damaged`);
  }
  return {
    size,
    sure: size <= 4 * blob.size,
    head: (bytes) => firstOf(all(), bytes),
    pieces: (from) => behind(all(), from),
  };
}

async function readNpz(file: ImageFile, { array }: ReadImageOptions): Promise<Volume> {
  const fail = failing(`readImage: ${file.name}`);
  const entries = await openZip(file.blob, fail);
  const names = [...entries.keys()].filter((n) => n.endsWith(".npy")).map((n) => n.slice(0, -4));
  if (names.length === 0) throw fail("holds no array; unpack it and use the images in it");
  if (array === undefined && names.length > 1)
    throw new ConfigError(`readImage: ${file.name} holds several arrays; choose one with array: ${names.join(", ")}`);
  const name = array ?? names[0];
  const entry = entries.get(`${name}.npy`);
  if (!entry)
    throw new ConfigError(`readImage: ${file.name} holds no array ${JSON.stringify(name)}; there are ${names.join(", ")}`);
  return readNpy(await entrySource(entry, fail), `${file.name}:${name}`, fail);
}

/** What stands before the elements of an array, of which the last axis is the fastest. */
export function npyHeader(dtype: NativeName, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const { short, array } = elements[dtype];
  const order = array.BYTES_PER_ELEMENT > 1 ? "<" : "|";
  const text = `{'descr': '${order}${short}', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const padded = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11) + "\n";
  const header = new Uint8Array(10 + padded.length);
  header.set([...magic].map((l) => l.charCodeAt(0)));
  header.set([1, 0, padded.length & 255, padded.length >> 8], 6);
  header.set(new TextEncoder().encode(padded), 10);
  return header;
}

export const npyFormat: ImageFormat = {
  title: "NumPy",
  endings: [".npy", ".npz"],
  placeless: true,
  chooses: ["array"],
  matches: (head, name) => isNpy(head) || (/\.npz$/i.test(name) && head[0] === 0x50 && head[1] === 0x4b),
  async read(file, options) {
    const zip = new Uint8Array(await file.blob.slice(0, 2).arrayBuffer())[0] === 0x50;
    if (zip) return readNpz(file, options);
    if (options.array !== undefined)
      throw new ConfigError(`readImage: ${file.name} is one array; array chooses among those of a .npz`);
    return readNpy(plainSource(file.blob), file.name, failing(`readImage: ${file.name}`));
  },
  async write(volume, name, { dtype }) {
    if (!/\.npy$/i.test(name)) throw new ConfigError(`writeImage: ${name}: .npz is read but not written; use .npy`);
    const data = dataAs("NumPy", volume, dtype, nativeNames);
    const [c, ...space] = volume.shape;
    const shape = c > 1 ? volume.shape : isPlanar(volume) ? space.slice(0, 2) : space;
    const header = npyHeader(typeOf("writeImage", data), shape);
    const file = new Uint8Array(header.length + data.byteLength);
    file.set(header);
    file.set(bytesOf(data), header.length);
    return [{ name, bytes: file }];
  },
};
