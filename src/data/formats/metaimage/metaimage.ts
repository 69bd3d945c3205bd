/** @file MetaImages, `.mha` and `.mhd` with their data in other files: raw, zlib and text, all element types, several channels. */

import { deflate } from "../../../host/bytes/inflate.ts";
import { joinedBytes } from "../../../host/bytes/words.ts";
import { type Fail, failing } from "../../../host/bytes/budget.ts";
import { nativeNames } from "../../../host/elements.ts";
import type { TypedArray } from "../../../host/array.ts";
import { inMillimeters, makeVolume, type Volume } from "../../volume.ts";
import { openBytes, reason } from "../byte_source.ts";
import { dataAs, typeOf } from "../cast.ts";
import { dataPieces, holds, type Packing, piecesOfFiles, textOf } from "../data_files.ts";
import type { ImageFile, ImageFormat, ImageGrid } from "../format.ts";
import { liesFlat } from "../written_place.ts";
import { headerText, readText } from "../text_header.ts";
import { blockBytes, channelsFirst, channelsLast, encodeBlock, readBlock, type VoxelBlock } from "../voxel_block.ts";
import { endOfHeader, inSeconds, type MetaHeader, parseMetaHeader } from "./header.ts";

async function headerOf(file: ImageFile, fail: Fail): Promise<{ header: MetaHeader; end: number }> {
  const found = await headerText(await openBytes(file), endOfHeader);
  if (!found) throw fail("the header does not end: ElementDataFile is missing");
  return { header: parseMetaHeader(found.text, fail), end: found.end };
}

/** `[C, nx, ny, nz]`: axes behind the third are channels. */
function shapeOf([channels, nx, ny = 1, nz = 1, ...more]: readonly number[]): number[] {
  return [channels * more.reduce((n, s) => n * s, 1), nx, ny, nz];
}

/** What the header says, and whether the voxels of an image that is not compressed are there. */
async function readGrid(file: ImageFile): Promise<ImageGrid> {
  const fail = failing(`readImage: ${file.name}`);
  const { header, end } = await headerOf(file, fail);
  const { dataFiles, compressed, binary, skip, sizes, dtype, affine, units } = header;
  const need = blockBytes({ dtype, sizes });
  const packing: Packing = { compression: compressed ? "zlib" : "none", byteSkip: skip };
  const enough = dataFiles ? await holds(file, dataFiles, need, packing) : file.blob.size - end >= need;
  if (binary && !compressed && !enough)
    throw fail(`the voxels take ${need} bytes, which ${dataFiles?.join(", ") ?? "the file"} has not; it is missing or cut short`);
  return { shape: shapeOf(sizes), affine, units };
}

/** Reads a MetaImage. @throws FormatError naming the file and the field */
async function readMetaImage(file: ImageFile): Promise<Volume> {
  const fail = failing(`readImage: ${file.name}`);
  const { header, end } = await headerOf(file, fail);
  const { dtype, littleEndian, affine, units, fields, spacing, timeStep, notes, sizes } = header;
  const shape = shapeOf(sizes);
  const [channels, nx, ny, nz] = [sizes[0], ...shape.slice(1)];
  const frames = shape[0] / channels;
  const step = nx * ny * nz;
  const block = {
    dtype,
    littleEndian,
    sizes: [channels, nx, ny, nz, frames],
    strides: [step, ny * nz, nz, 1, step * channels],
  };
  const data = await readData(file, header, block, end, fail);
  return makeVolume({ data, shape }, affine, {
    source: file.name,
    format: "metaimage",
    dtype,
    fields,
    units,
    spacing,
    ...(timeStep !== undefined && { timeStep }),
    ...(sizes.length < 4 && { planar: true }),
    ...(notes.length > 0 && { notes }),
  });
}

async function readData(file: ImageFile, header: MetaHeader, block: VoxelBlock, end: number, fail: Fail): Promise<TypedArray> {
  const { dataFiles, binary, compressed, skip, packedBytes } = header;
  const need = blockBytes(block);
  // Before packed data a header stands as it is.
  const packing: Packing = compressed
    ? { compression: "zlib", fileSkip: Math.max(0, skip) }
    : { compression: "none", byteSkip: skip };
  if (!binary) {
    if (compressed) throw fail("BinaryData is False and CompressedData True; expected one of them");
    const { pieces, size } = await textOf(file, dataFiles, end, { compression: "none" }, fail);
    return readText(pieces, block, size, fail);
  }
  if (dataFiles) {
    const sure = await holds(file, dataFiles, need, packing);
    return readBlock(explained(piecesOfFiles(file, dataFiles, need, packing, fail), fail), block, sure, fail);
  }
  // Of the whole file in this case, and the text of the header is a part of it.
  const start = Math.max(end, skip);
  const left = file.blob.size - start;
  if (!compressed && left < need)
    throw fail(
      `the voxels take ${need} bytes, but the file ends after ${left} of them; it is cut short or its header is damaged`,
    );
  // Behind the packed bytes there may be others, which the platform's decompressor takes for damage.
  const bounded =
    packedBytes !== undefined && packedBytes <= left ? { name: file.name, blob: file.blob.slice(0, start + packedBytes) } : file;
  return readBlock(
    explained(
      dataPieces(bounded, start, need, { ...packing, fileSkip: 0, byteSkip: Math.min(0, packing.byteSkip ?? 0) }, fail),
      fail,
    ),
    block,
    !compressed,
    fail,
  );
}

/** A decompressor's complaint as a FormatError. */
async function* explained(pieces: AsyncIterable<Uint8Array>, fail: Fail): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (cause) {
    if ((cause as Error).name === "FormatError") throw cause;
    throw Object.assign(fail(`the voxels cannot be unpacked${reason(cause)}; the file is cut short or damaged`), { cause });
  }
}

const typeNames = {
  i8: "MET_CHAR",
  u8: "MET_UCHAR",
  i16: "MET_SHORT",
  u16: "MET_USHORT",
  i32: "MET_INT",
  u32: "MET_UINT",
  f32: "MET_FLOAT",
  f64: "MET_DOUBLE",
} as const;

export const metaImageFormat: ImageFormat = {
  title: "MetaImage",
  endings: [".mha", ".mhd"],
  timed: true,
  // The fields are in any order, and one that begins otherwise is known by its name.
  matches(head, name) {
    const first = /^\s*([A-Za-z]\w*)\s*[=:]/.exec(new TextDecoder("latin1").decode(head.subarray(0, 200)))?.[1];
    return first !== undefined && (/^(ObjectType|NDims|Comment)$/.test(first) || /\.mh[ad]$/i.test(name));
  },
  read: readMetaImage,
  readGrid,
  async write(volume, name, { dtype, compress = false }) {
    const data = dataAs("MetaImage", volume, dtype, nativeNames);
    const [channels, ...size] = volume.shape;
    const { affine, spacing } = inMillimeters(volume);
    const { timeStep } = volume.meta;
    // Times are a fourth axis, which has a spacing; other channels lie side by side.
    const timed = channels > 1 && timeStep !== undefined;
    const axes = liesFlat({ ...volume, affine }) && !timed ? [0, 1] : [0, 1, 2];
    const detached = name.toLowerCase().endsWith(".mhd");
    const ending = compress ? ".zraw" : ".raw";
    const dataName = detached ? name.slice(0, -4) + ending : name;
    const raw = encodeBlock(data, timed ? channelsLast(volume.shape) : channelsFirst(volume.shape));
    const voxels = compress ? await deflate(raw, "deflate") : raw;
    const signed = (r: number, v: number) => (r < 2 ? -v : v) + 0;
    const all = timed ? [...axes, 3] : axes;
    const direction = (a: number, r: number) => (a < 3 && r < 3 ? signed(r, affine[r][a]) / spacing[a] : Number(a === r));
    const matrix = all.flatMap((a) => all.map((r) => direction(a, r)));
    const each = (value: (axis: number) => number, fourth: number) => all.map((a) => (a < 3 ? value(a) : fourth)).join(" ");
    const lines = [
      "ObjectType = Image",
      ...(timed ? [`Comment = ${inSeconds}`] : []),
      `NDims = ${all.length}`,
      "BinaryData = True",
      "BinaryDataByteOrderMSB = False",
      `CompressedData = ${compress ? "True" : "False"}`,
      ...(compress ? [`CompressedDataSize = ${voxels.length}`] : []),
      `TransformMatrix = ${matrix.join(" ")}`,
      `Offset = ${each((r) => signed(r, affine[r][3]), 0)}`,
      `CenterOfRotation = ${each(() => 0, 0)}`,
      `ElementSpacing = ${each((a) => spacing[a], timeStep ?? 1)}`,
      `DimSize = ${each((a) => size[a], channels)}`,
      ...(channels > 1 && !timed ? [`ElementNumberOfChannels = ${channels}`] : []),
      `ElementType = ${typeNames[typeOf("writeImage", data)]}`,
      `ElementDataFile = ${detached ? dataName.slice(Math.max(dataName.lastIndexOf("/"), dataName.lastIndexOf("\\")) + 1) : "LOCAL"}`,
    ];
    const head = new TextEncoder().encode(`${lines.join("\n")}\n`);
    if (detached)
      return [
        { name, bytes: head },
        { name: dataName, bytes: voxels },
      ];
    return [{ name, bytes: joinedBytes([head, voxels]) }];
  },
};
