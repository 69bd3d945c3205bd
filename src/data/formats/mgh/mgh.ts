/** @file MGH images of FreeSurfer, `.mgh` and `.mgz` (surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat): big-endian, x fastest. */

import { viewOf } from "../../../host/array.ts";
import { failing } from "../../../host/bytes/budget.ts";
import { deflate } from "../../../host/bytes/inflate.ts";
import type { NativeName } from "../../../host/elements.ts";
import { type Affine, affineProblem, inMillimeters, makeVolume, type Volume } from "../../volume.ts";
import { openBytes } from "../byte_source.ts";
import { dataAs, packedByName, typeOf } from "../cast.ts";
import type { ImageFile, ImageFormat } from "../format.ts";
import { blockBytes, channelsLast, encodeBlock, readBlock } from "../voxel_block.ts";

const headerBytes = 284;
const types: Readonly<Record<number, NativeName>> = { 0: "u8", 1: "i32", 3: "f32", 4: "i16", 10: "u16" };
/** Where FreeSurfer puts an image that does not say where it is: coronal slices of 1 mm. */
const unplaced = { spacing: [1, 1, 1], directions: [-1, 0, 0, 0, 0, -1, 0, 1, 0], center: [0, 0, 0] };

async function readMgh(file: ImageFile): Promise<Volume> {
  const fail = failing(`readImage: ${file.name}`);
  const source = await openBytes(file);
  const head = await source.head(headerBytes);
  if (head.length < 90)
    throw fail(`the header has ${head.length} bytes; an MGH header has ${headerBytes}; the file is cut short`);
  const view = viewOf(head);
  if (view.getInt32(0) !== 1) throw fail(`the version is ${view.getInt32(0)}; expected 1`);
  const [nx, ny, nz, frames] = [4, 8, 12, 16].map((at) => view.getInt32(at));
  const wrong = [nx, ny, nz, frames].find((n) => !(n >= 1));
  if (wrong !== undefined) throw fail(`the sizes are ${nx} × ${ny} × ${nz}, ${frames} frames; expected 1 or more each`);
  const dtype = types[view.getInt32(20)];
  if (!dtype)
    throw fail(
      `the type is ${view.getInt32(20)}; expected one of ${Object.entries(types)
        .map(([n, t]) => `${n} (${t})`)
        .join(", ")}`,
    );
  const floats = (at: number, count: number) => Array.from({ length: count }, (_, i) => view.getFloat32(at + 4 * i));
  const own = { spacing: floats(30, 3), directions: floats(42, 9), center: floats(78, 3) };
  const flag = view.getInt16(28);
  const problem = flag > 0 ? affineProblem(affineOf(own, [nx, ny, nz])) : `is not given (goodRASFlag ${flag})`;
  const affine = affineOf(problem ? unplaced : own, [nx, ny, nz]);
  const shape = [frames, nx, ny, nz];
  const block = { dtype, littleEndian: false, ...channelsLast(shape) };
  const need = headerBytes + blockBytes(block);
  if (!Number.isSafeInteger(need)) throw fail(`the sizes are ${nx} × ${ny} × ${nz}, ${frames} frames; no file holds so many`);
  if (need > source.limit)
    throw fail(
      `the header promises ${need} bytes, but the file can hold at most ${source.limit}; it is cut short or its header is damaged`,
    );
  // What follows the voxels is kept as it comes by.
  const tail: Uint8Array[] = [];
  const data = await readBlock(withTail(source.pieces(headerBytes), need - headerBytes, tail), block, source.has(need), fail);
  const scan = scanOf(tail);
  // Values of the points of a surface have no place, and their zeros say so.
  const notes = problem && [`the matrix from voxels to space ${problem}; FreeSurfer's default is taken`];
  return makeVolume({ data, shape }, affine, {
    source: file.name,
    format: "mgh",
    header: head.slice(),
    dtype,
    units: "mm",
    ...(problem && { unplaced: true }),
    ...(frames > 1 && scan.tr! > 0 && { timeStep: scan.tr! / 1000 }),
    ...(Object.keys(scan).length > 0 && { fields: scan }),
    ...(notes && { notes }),
  });
}

/** Numbers that may follow the voxels: ms, radians, ms, ms, and mm. */
const scanNames = ["tr", "flip_angle", "te", "ti", "fov"] as const;
type Scan = { readonly [K in (typeof scanNames)[number]]?: number };
const tailBytes = 4 * scanNames.length;

/** The voxels, and what of the bytes behind them `scanOf` wants. */
async function* withTail(pieces: AsyncIterable<Uint8Array>, voxels: number, tail: Uint8Array[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const piece of pieces) {
    const behind = piece.subarray(Math.max(0, voxels - at), Math.max(0, voxels + tailBytes - at));
    if (behind.length > 0) tail.push(behind.slice());
    at += piece.length;
    yield piece;
  }
}

function scanOf(tail: readonly Uint8Array[]): Scan {
  const bytes = Uint8Array.from(tail.flatMap((part) => [...part]));
  const view = new DataView(bytes.buffer);
  const found = scanNames.flatMap((name, i) => (4 * i + 4 <= bytes.length ? [[name, view.getFloat32(4 * i)] as const] : []));
  return Object.fromEntries(found.filter(([, value]) => Number.isFinite(value) && value !== 0));
}

/** The directions are those of x, y, z one after the other; the center is that of voxel (nx, ny, nz) / 2. */
function affineOf({ spacing, directions, center }: typeof unplaced, size: readonly number[]): Affine {
  const rows = [0, 1, 2].map((r) => [0, 1, 2].map((c) => directions[3 * c + r] * spacing[c]));
  const placed = rows.map((row, r) => [...row, center[r] - row.reduce((sum, v, c) => sum + (v * size[c]) / 2, 0)]);
  return [...placed, [0, 0, 0, 1]];
}

/** The first bytes of MGH have no magic: version, four sizes and a type that make sense have to do. */
function isMgh(head: Uint8Array): boolean {
  if (head.length < 90) return false;
  const view = viewOf(head);
  const sizes = [4, 8, 12, 16].map((at) => view.getInt32(at));
  return view.getInt32(0) === 1 && sizes.every((n) => n > 0 && n < 1 << 24) && view.getInt32(20) >= 0 && view.getInt32(20) <= 10;
}

async function writeMgh(volume: Volume, dtype: string | undefined, compress: boolean): Promise<Uint8Array<ArrayBuffer>> {
  const data = dataAs("MGH", volume, dtype, Object.values(types));
  const { shape } = volume;
  const { affine, spacing } = inMillimeters(volume);
  const [frames, ...size] = shape;
  const file = new Uint8Array(headerBytes + data.byteLength + tailBytes);
  const view = new DataView(file.buffer);
  const type = Object.entries(types).find(([, t]) => t === typeOf("writeImage", data))![0];
  [1, ...size, frames, Number(type), 0].forEach((v, i) => view.setInt32(4 * i, v));
  view.setInt16(28, 1);
  spacing.forEach((v, i) => view.setFloat32(30 + 4 * i, v));
  for (let c = 0; c < 3; c++) for (let r = 0; r < 3; r++) view.setFloat32(42 + 4 * (3 * c + r), affine[r][c] / spacing[c]);
  for (let r = 0; r < 3; r++)
    view.setFloat32(78 + 4 * r, affine[r][3] + affine[r].slice(0, 3).reduce((sum, v, c) => sum + (v * size[c]) / 2, 0));
  const block = encodeBlock(data, channelsLast(shape), undefined, false);
  file.set(block, headerBytes);
  const { format, fields = {}, timeStep = 0 } = volume.meta;
  const scan: Scan = { ...(format === "mgh" && (fields as Scan)), ...(timeStep > 0 && { tr: 1000 * timeStep }) };
  scanNames.forEach((name, i) => view.setFloat32(headerBytes + block.length + 4 * i, scan[name] ?? 0));
  return compress ? deflate(file, "gzip") : file;
}

export const mghFormat: ImageFormat = {
  title: "MGH",
  endings: [".mgz", ".mgh.gz", ".mgh"],
  timed: true,
  readsGzip: true,
  matches: isMgh,
  read: readMgh,
  async write(volume, name, { dtype, compress }) {
    return [{ name, bytes: await writeMgh(volume, dtype, packedByName(name, compress, /z$/i)) }];
  },
};
