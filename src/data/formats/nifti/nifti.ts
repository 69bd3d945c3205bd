/**
 * @file NIfTI-1/2 images in memory, `.nii` and `.nii.gz`, in Node and in browsers. One reader takes the bytes as a stream of pieces,
 * whether they come from memory, a Blob, a file or a decompressor: the header is checked against what the source can hold as soon as
 * it is there, memory grows with the bytes that really arrive, and reading stops where the header says the voxels end.
 */

import { gunzip, piecesOf } from "../../../host/bytes/gunzip.ts";
import { deflate, inflatedLimit, isGzip } from "../../../host/bytes/inflate.ts";
import { FormatError, ShapeError } from "../../../host/errors.ts";
import { sizeOf, type TypedArray } from "../../../host/array.ts";
import { buildNiftiHeader, headerBytes, type NiftiHeader, parseNiftiHeader } from "./header.ts";
import { castTo, decodeVoxels, dtypeOf, encodeVoxels, type NiftiDtype } from "./voxels.ts";
import { makeVolume, type Volume } from "../../volume.ts";
import type { Blob as BlobLike } from "../../../host/platform.ts";

/** Bytes after the voxels that are read only to reach the gzip checksum. */
const trailingLimit = 1 << 20;

/** How a volume is written. */
export interface WriteNiftiOptions {
  /** Element type in the file; default the type of the data. */
  readonly dtype?: NiftiDtype;
  /** Compress (`.nii.gz`); default false. */
  readonly gzip?: boolean;
}

/**
 * Reads a NIfTI image from memory or a Blob (a `File` in a browser).
 *
 * The data keep the file's element type, except: with scl_slope/scl_inter they are float32 (float64 for types of 32 bits and
 * more), and 64-bit integers are float64. Axes 4 … 7 of the file become channels.
 * @param name what errors and `meta.source` call the image
 * @throws FormatError naming the file and the field
 */
export async function readNifti(input: Uint8Array | ArrayBuffer | BlobLike, name = "image"): Promise<Volume> {
  const blob = input instanceof Blob ? input : new Blob([new Uint8Array(input as ArrayBuffer) as Uint8Array<ArrayBuffer>]);
  const head = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  if (!isGzip(head)) return decodeNifti(piecesOf(blob.stream()), { name, maxBytes: blob.size });
  return decodeNifti(gunzip(blob), { name, maxBytes: inflatedLimit(blob.size) });
}

/**
 * The bytes of a NIfTI file holding `volume`: the geometry of its source where that still holds, see buildNiftiHeader.
 * @throws DataError if `dtype` cannot hold a value; ShapeError if the data do not fill the shape
 */
export async function writeNifti(volume: Volume, options: WriteNiftiOptions = {}): Promise<Uint8Array> {
  const bytes = encodeNifti(volume, options.dtype);
  if (!options.gzip) return bytes;
  return deflate(bytes, "gzip");
}

/** As writeNifti, uncompressed and at once. */
export function encodeNifti(volume: Volume, dtype: NiftiDtype = dtypeOf(volume.data)): Uint8Array {
  if (volume.shape.length !== 4 || sizeOf(volume.shape) !== volume.data.length) {
    throw new ShapeError(
      `writeNifti: the volume has shape [${volume.shape}] and ${volume.data.length} elements; expected [C, nx, ny, nz] and as many`,
    );
  }
  const data = castTo(volume.data, dtype);
  const header = buildNiftiHeader(volume, dtype);
  const file = new Uint8Array(header.length + data.byteLength);
  file.set(header);
  encodeVoxels(data, volume.shape, file.subarray(header.length));
  return file;
}

/**
 * Reads a NIfTI image from the pieces of its uncompressed bytes.
 * @param maxBytes the most bytes the source can deliver; a header that needs more is refused before memory is asked for
 */
export async function decodeNifti(
  pieces: AsyncIterable<Uint8Array>,
  { name, maxBytes }: { readonly name: string; readonly maxBytes: number },
): Promise<Volume> {
  let bytes = new Uint8Array(1 << 16);
  let have = 0;
  let trailing = 0;
  let header: NiftiHeader | undefined;
  let need = Infinity;
  for await (const piece of withFormatErrors(pieces, name)) {
    if (have >= need) {
      trailing += piece.length;
      if (trailing > trailingLimit) break;
      continue;
    }
    const taken = piece.subarray(0, need - have);
    if (have + taken.length > bytes.length) bytes = grown(bytes, have + taken.length, need);
    bytes.set(taken, have);
    have += taken.length;
    if (!header && have >= headerBytes) {
      header = parseNiftiHeader(bytes.subarray(0, headerBytes), name);
      need = header.voxOffset + header.byteLength;
      checkSize(header, need, maxBytes, name, "can hold at most");
    }
  }
  header ??= parseNiftiHeader(bytes.subarray(0, have), name);
  need = header.voxOffset + header.byteLength;
  checkSize(header, need, have, name, "ends after");
  const raw = bytes.subarray(header.voxOffset, need);
  const stored = decodeVoxels(raw, header.dtype, header.littleEndian, header.shape, name);
  const data = scaled(stored, header);
  const format = header.version === 1 ? "nifti1" : "nifti2";
  return makeVolume({ data, shape: header.shape }, header.affine, {
    source: name,
    format,
    header: header.bytes,
    dtype: header.dtype,
  });
}

function checkSize(header: NiftiHeader, need: number, limit: number, name: string, verb: string): void {
  if (need <= limit) return;
  const [c, nx, ny, nz] = header.shape;
  const voxels = c === 1 ? `${nx}×${ny}×${nz}` : `${nx}×${ny}×${nz}×${c}`;
  throw new FormatError(
    `readNifti: ${name}: dim, datatype and vox_offset promise ${voxels} voxels of ${header.dtype} from byte ${header.voxOffset} (${need} bytes), ` +
      `but the file ${verb} ${limit} bytes; it is cut short or its header is damaged`,
  );
}

/** Doubles, so that what is asked for stays within twice what has arrived. */
function grown(bytes: Uint8Array<ArrayBuffer>, least: number, most: number): Uint8Array<ArrayBuffer> {
  const size = Math.max(least, Math.min(2 * bytes.length, most));
  const next = new Uint8Array(size);
  next.set(bytes);
  return next;
}

/** slope · stored + inter, in float64, kept as float32 where the stored type has at most 16 bits or is float32. */
function scaled(stored: TypedArray, { slope, inter, dtype }: NiftiHeader): TypedArray {
  if (slope === 1 && inter === 0) return stored;
  const narrow = stored.BYTES_PER_ELEMENT < 4 || dtype === "f32";
  const out = narrow ? new Float32Array(stored.length) : new Float64Array(stored.length);
  for (let i = 0; i < out.length; i++) out[i] = slope * stored[i] + inter;
  return out;
}

/** A decompressor's complaint, as a FormatError with the file's name. */
async function* withFormatErrors(pieces: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (cause) {
    throw new FormatError(
      `readNifti: ${name}: the file cannot be read to its end (${(cause as Error).message}); it is cut short or damaged`,
      { cause },
    );
  }
}
