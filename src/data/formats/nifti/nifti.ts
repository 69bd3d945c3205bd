/**
 * @file NIfTI-1/2 images, `.nii`, `.nii.gz` and pairs of `.hdr` and `.img`: the header is checked against what the source can hold before anything is
 * asked for, and reading stops where it says that the voxels end.
 */

import { isBlob } from "../../../host/class_name.ts";
import { expectArguments } from "../../../host/kinds.ts";
import { expectOptions } from "../../../host/options.ts";
import { deflate } from "../../../host/bytes/inflate.ts";
import { failing } from "../../../host/bytes/budget.ts";
import { FormatError } from "../../../host/errors.ts";
import type { Blob as BlobLike } from "../../../host/platform.ts";
import { makeVolume, type Volume } from "../../volume.ts";
import { type ByteSource, openBytes, whileReading } from "../byte_source.ts";
import { besideHeader } from "../beside.ts";
import { castTo, expectVolume, packedByName, typeOf } from "../cast.ts";
import type { ImageFile, ImageFormat } from "../format.ts";
import { channelsLast, encodeBlock, readBlock } from "../voxel_block.ts";
import { buildNiftiHeader, headerBytes, type NiftiHeader, parseNiftiHeader } from "./header.ts";
import type { NiftiDtype } from "./voxels.ts";

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
 * more), and 64-bit integers are float64. Axes 4 … 7 of the file become channels, and so do colors.
 * @param name what errors and `meta.source` call the image
 * @throws FormatError naming the file and the field
 * @param input the file's bytes, compressed or not
 */
export async function readNifti(input: Uint8Array | ArrayBuffer | BlobLike, name = "image"): Promise<Volume> {
  const blob = isBlob(input) ? input : new Blob([new Uint8Array(input as ArrayBuffer) as Uint8Array<ArrayBuffer>]);
  return readNiftiOf({ name, blob });
}

/** The header, and the bytes that hold the voxels, which are long enough as far as that can be known. */
async function opened(file: ImageFile): Promise<{ header: NiftiHeader; voxels: ByteSource; need: number }> {
  const source = await openBytes(file, "readNifti");
  const header = parseNiftiHeader(await source.head(headerBytes), file.name, file.beside !== undefined);
  const pair = header.bytes[header.version === 1 ? 345 : 5] === 0x69;
  const voxels = pair ? await openBytes(await besideHeader(file, ".img"), "readNifti") : source;
  const need = header.voxOffset + header.byteLength;
  // Of a packed file the limit is an estimate.
  if (need > voxels.limit)
    throw tooShort(header, file.name, voxels.has(voxels.limit) ? "ends after" : "can hold at most", voxels.limit);
  return { header, voxels, need };
}

/** As readNifti, of a file that may have its voxels in another beside it. */
export const readNiftiOf = (file: ImageFile): Promise<Volume> => whileReading(file.name, voxelsOf(file), "readNifti");

async function voxelsOf(file: ImageFile): Promise<Volume> {
  const { header, voxels, need } = await opened(file);
  const { shape, dtype, littleEndian, slope, inter, colors } = header;
  const [, nx, ny, nz] = shape;
  const step = nx * ny * nz;
  // The colors of a voxel are side by side; several of them in a row are axes 4 … 7.
  const sizes = [colors, nx, ny, nz, shape[0] / colors];
  const strides = [step, ny * nz, nz, 1, step * colors];
  const data = await readBlock(
    voxels.pieces(header.voxOffset),
    { dtype, littleEndian, slope, inter, sizes, strides },
    voxels.has(need),
    failing(`readNifti: ${file.name}`),
  );
  return makeVolume({ data, shape }, header.affine, {
    source: file.name,
    format: header.version === 1 ? "nifti1" : "nifti2",
    header: header.bytes,
    dtype,
    units: header.units,
    spacing: header.spacing,
    ...(header.planar && { planar: true }),
    ...(header.unplaced && { unplaced: true }),
    ...(header.timeStep !== undefined && { timeStep: header.timeStep }),
    ...(Object.keys(header.fields).length > 0 && { fields: header.fields }),
    ...(header.notes.length > 0 && { notes: header.notes }),
  });
}

function tooShort(header: NiftiHeader, name: string, verb: string, limit: number): FormatError {
  const [c, nx, ny, nz] = header.shape;
  const voxels = c === 1 ? `${nx}×${ny}×${nz}` : `${nx}×${ny}×${nz}×${c}`;
  return new FormatError(
    `readNifti: ${name}: dim, datatype and vox_offset promise ${voxels} voxels of ${header.dtype} from byte ${header.voxOffset} (${header.voxOffset + header.byteLength} bytes), ` +
      `but the file ${verb} ${limit} bytes; it is cut short or its header is damaged`,
  );
}

/**
 * The bytes of a NIfTI file holding `volume`: the geometry of its source where that still holds, see buildNiftiHeader.
 * @throws DataError if `dtype` cannot hold a value; ShapeError if the data do not fill the shape
 */
export async function writeNifti(volume: Volume, options: WriteNiftiOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  expectOptions("writeNifti", options, "dtype gzip:boolean");
  expectArguments("writeNifti", "volume", { volume });
  const bytes = encodeNifti(volume, options.dtype);
  if (!options.gzip) return bytes;
  return deflate(bytes, "gzip");
}

/** As writeNifti of a volume `[C, x, y, z]`, uncompressed and at once. */
export function encodeNifti(volume: Volume, dtype?: NiftiDtype): Uint8Array<ArrayBuffer> {
  expectArguments("encodeNifti", "volume", { volume });
  expectVolume("writeNifti", volume);
  const type = dtype ?? typeOf("writeNifti", volume.data);
  const data = castTo("writeNifti", volume.data, type);
  const header = buildNiftiHeader(volume, type);
  const file = new Uint8Array(header.length + data.byteLength);
  file.set(header);
  encodeBlock(data, channelsLast(volume.shape), file.subarray(header.length));
  return file;
}

/**
 * The pieces of an uncompressed NIfTI file with several channels of one geometry, for who has or makes one at a time.
 * @param source whose geometry and spatial size it is
 * @param channels how many there are
 * @param channel gives each `[x, y, z]`, once and in order
 */
export function* encodeNiftiChannels(
  source: Volume,
  channels: number,
  channel: (index: number) => Float32Array,
): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  const size = source.shape.slice(1);
  yield buildNiftiHeader({ ...source, shape: [channels, ...size] }, "f32");
  const order = channelsLast([1, ...size]);
  for (let c = 0; c < channels; c++) yield encodeBlock(channel(c), order);
}

/** Whether bytes begin as a NIfTI header does. */
function isNifti(head: Uint8Array): boolean {
  const magic = (at: number) => String.fromCharCode(...head.subarray(at, at + 4));
  return /^n[i+]1\0$/.test(magic(344)) || /^n[i+]2\0$/.test(magic(4));
}

export const niftiFormat: ImageFormat = {
  title: "NIfTI",
  endings: [".nii.gz", ".nii", ".hdr", ".img", ".hdr.gz", ".img.gz"],
  timed: true,
  readsGzip: true,
  matches: isNifti,
  read: readNiftiOf,
  async readGrid(file) {
    const { shape, affine, units } = (await opened(file)).header;
    return { shape, affine, units };
  },
  async write(volume, name, { dtype, compress }) {
    const gzip = packedByName(name, compress);
    return [{ name, bytes: await writeNifti(volume, { dtype: dtype as NiftiDtype, gzip }) }];
  },
};
