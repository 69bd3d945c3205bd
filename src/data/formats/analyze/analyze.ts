/**
 * @file Analyze 7.5 images, pairs of `.hdr` and `.img` (Mayo Clinic). The header has no orientation: axes are taken as nibabel takes them, x to the left,
 * placed by the origin that SPM writes where it makes sense and in the middle otherwise; SPM's scale factor is applied.
 */

import { viewOf } from "../../../host/array.ts";
import { failing } from "../../../host/bytes/budget.ts";
import { elements, type NativeName } from "../../../host/elements.ts";
import { DataError } from "../../../host/errors.ts";
import { deflate } from "../../../host/bytes/inflate.ts";
import { type Affine, inMillimeters, makeVolume, type Volume } from "../../volume.ts";
import { besideHeader } from "../beside.ts";
import { openBytes } from "../byte_source.ts";
import { dataAs, packedByName, typeOf } from "../cast.ts";
import type { ImageFile, ImageFormat } from "../format.ts";
import { isPlanar } from "../written_place.ts";
import { blockBytes, channelsFirst, channelsLast, encodeBlock, readBlock } from "../voxel_block.ts";

const headerBytes = 348;
/** `datatype`; 128 is RGB. */
const types: Readonly<Record<number, NativeName>> = { 2: "u8", 4: "i16", 8: "i32", 16: "f32", 64: "f64", 128: "u8" };
const writable: readonly NativeName[] = ["u8", "i16", "i32", "f32", "f64"];

async function readAnalyze(file: ImageFile): Promise<Volume> {
  const fail = failing(`readImage: ${file.name}`);
  const head = await (await openBytes(file)).head(headerBytes);
  if (head.length < headerBytes)
    throw fail(`the header has ${head.length} bytes; an Analyze header has ${headerBytes}; the file is cut short`);
  const view = viewOf(head);
  const little = view.getInt32(0, true) === headerBytes;
  if (!little && view.getInt32(0) !== headerBytes) throw fail(`sizeof_hdr is ${view.getInt32(0, true)}; expected ${headerBytes}`);
  const dims = Array.from({ length: 8 }, (_, i) => view.getInt16(40 + 2 * i, little));
  if (!(dims[0] >= 1 && dims[0] <= 7)) throw fail(`dim[0] is ${dims[0]}; expected 1 to 7 dimensions`);
  const wrong = dims.findIndex((n, i) => i >= 1 && i <= dims[0] && n < 1);
  if (wrong >= 0) throw fail(`dim[${wrong}] is ${dims[wrong]}; expected a size of 1 or more`);
  const size = [1, 2, 3].map((i) => (i <= dims[0] ? dims[i] : 1));
  const frames = dims.slice(4, dims[0] + 1).reduce((n, s) => n * s, 1);
  const code = view.getInt16(70, little);
  const dtype = types[code];
  if (!dtype)
    throw fail(
      `datatype is ${code}; expected ${Object.entries(types)
        .map(([n, t]) => `${n} (${t})`)
        .join(", ")}`,
    );
  const colors = code === 128 ? 3 : 1;
  const spacing = [1, 2, 3]
    .map((i) => Math.abs(view.getFloat32(76 + 4 * i, little)))
    .map((v) => (Number.isFinite(v) && v > 0 ? v : 1));
  const scale = view.getFloat32(112, little);
  const shape = [frames * colors, ...size];
  const block = {
    dtype,
    littleEndian: little,
    slope: Number.isFinite(scale) && scale !== 0 ? scale : 1,
    ...(colors === 3 ? channelsFirst(shape) : channelsLast(shape)),
  };
  if (colors === 3 && frames > 1) throw fail("has several frames of colors; convert it to NIfTI");
  const need = blockBytes(block);
  if (!Number.isSafeInteger(need)) throw fail(`dim is [${dims}]; no file holds so many voxels`);
  const offset = view.getFloat32(108, little);
  const start = Number.isFinite(offset) && offset !== 0 ? Math.abs(offset) : 0;
  if (!Number.isSafeInteger(start)) throw fail(`vox_offset is ${offset}; expected an integer of 0 or more`);
  const voxels = await openBytes(await besideHeader(file, ".img"));
  if (start + need > voxels.limit) {
    throw fail(
      `dim and datatype promise ${start + need} bytes, but the .img file can hold at most ${voxels.limit}; it is cut short or the header is damaged`,
    );
  }
  const data = await readBlock(voxels.pieces(start), block, voxels.has(start + need), fail);
  const origin = [0, 1, 2].map((i) => view.getInt16(253 + 2 * i, little));
  return makeVolume({ data, shape }, affineOf(spacing, size, origin), {
    source: file.name,
    format: "analyze",
    header: head.slice(),
    dtype,
    units: "unknown",
    ...(dims[0] < 3 && { planar: true }),
    unplaced: true,
    notes: [
      "Analyze has no orientation: x to the left is assumed, as nibabel does",
      "the unit of lengths is missing; mm is assumed",
    ],
  });
}

function affineOf(spacing: readonly number[], size: readonly number[], origin: readonly number[]): Affine {
  const given = origin.some((v) => v !== 0) && origin.every((v, i) => v > -size[i] && v < 2 * size[i]);
  const center = given ? origin.map((v) => v - 1) : size.map((n) => (n - 1) / 2);
  const steps = [-spacing[0], spacing[1], spacing[2]];
  const row = (r: number) => [0, 1, 2, 3].map((c) => (c === r ? steps[r] : c === 3 ? 0 - center[r] * steps[r] : 0));
  return [row(0), row(1), row(2), [0, 0, 0, 1]];
}

async function headerOf(volume: Volume, dtype: NativeName): Promise<Uint8Array<ArrayBuffer>> {
  const head = new Uint8Array(headerBytes);
  const view = new DataView(head.buffer);
  const [frames, ...size] = volume.shape;
  view.setInt32(0, headerBytes, true);
  view.setInt32(32, 16384, true);
  view.setUint8(38, 0x72); // "r": all images have one size
  [frames > 1 ? 4 : isPlanar(volume) ? 2 : 3, ...size, frames].forEach((n, i) => view.setInt16(40 + 2 * i, n, true));
  view.setInt16(70, elements[dtype].nifti, true);
  view.setInt16(72, 8 * elements[dtype].bytes, true);
  inMillimeters(volume).spacing.forEach((v, i) => view.setFloat32(80 + 4 * i, v, true));
  return head;
}

export const analyzeFormat: ImageFormat = {
  title: "Analyze 7.5",
  endings: [".hdr", ".hdr.gz"],
  placeless: true,
  readsGzip: true,
  matches(head) {
    if (head.length < headerBytes) return false;
    const view = viewOf(head);
    return (view.getInt32(0, true) === headerBytes || view.getInt32(0) === headerBytes) && view.getUint8(344) !== 0x6e;
  },
  read: readAnalyze,
  async write(volume, name, { dtype, compress: asked }) {
    const compress = packedByName(name, asked);
    const data = dataAs("Analyze", volume, dtype, writable);
    if (Math.max(...volume.shape) > 32767)
      throw new DataError(`writeImage: Analyze has axes of at most 32767, the volume is [${volume.shape}]; write NIfTI`);
    const head = await headerOf(volume, typeOf("writeImage", data));
    const voxels = encodeBlock(data, channelsLast(volume.shape));
    const image = name.replace(/\.hdr(\.gz)?$/i, compress ? ".img.gz" : ".img");
    const packed = (bytes: Uint8Array<ArrayBuffer>) => (compress ? deflate(bytes, "gzip") : bytes);
    return [
      { name, bytes: await packed(head) },
      { name: image, bytes: await packed(voxels) },
    ];
  },
};
