/** @file NRRD images, `.nrrd` and `.nhdr` with detached data: raw, gzip, bzip2, text and hex; geometry in any patient space. */

import { deflate } from "../../../host/bytes/inflate.ts";
import { joinedBytes } from "../../../host/bytes/words.ts";
import { type Fail, failing } from "../../../host/bytes/budget.ts";
import { nativeNames } from "../../../host/elements.ts";
import type { TypedArray } from "../../../host/array.ts";
import { makeVolume, type Volume } from "../../volume.ts";
import { openBytes } from "../byte_source.ts";
import { dataAs, typeOf } from "../cast.ts";
import { dataPieces, holds, type Packing, piecesOfFiles, textOf } from "../data_files.ts";
import type { ImageFile, ImageFormat } from "../format.ts";
import { liesFlat } from "../written_place.ts";
import { headerText, readText } from "../text_header.ts";
import { blockBytes, channelsLast, encodeBlock, readBlock, type VoxelBlock } from "../voxel_block.ts";
import { type NrrdHeader, parseNrrdHeader } from "./header.ts";

/** Behind the first empty line. */
function endOfHeader(bytes: Uint8Array): number | undefined {
  for (let i = bytes.indexOf(10); i >= 0; i = bytes.indexOf(10, i + 1)) {
    if (bytes[i + 1] === 10) return i + 2;
    if (bytes[i + 1] === 13 && bytes[i + 2] === 10) return i + 3;
  }
  return undefined;
}

async function headerOf(file: ImageFile, fail: Fail): Promise<{ header: NrrdHeader; end: number }> {
  const found = await headerText(await openBytes(file), endOfHeader);
  if (!found) throw fail("the header does not end: there is no empty line behind it");
  const header = parseNrrdHeader(found.text, fail);
  if (!header.dataFiles && found.end >= file.blob.size) {
    throw fail(
      "the header does not end, or nothing follows it: there is no empty line with voxels behind it, and no data file is named",
    );
  }
  return { header, end: found.end };
}

/** Reads an NRRD image. @throws FormatError naming the file and the field */
async function readNrrd(file: ImageFile): Promise<Volume> {
  const fail = failing(`readImage: ${file.name}`);
  const { header, end } = await headerOf(file, fail);
  const { dtype, littleEndian, affine, units, timeStep, fields, unplaced, notes } = header;
  const shape = shapeOf(header);
  const block = { dtype, littleEndian, sizes: header.sizes, strides: stridesIn(header, shape) };
  const data = await readData(file, header, block, end, fail);
  return makeVolume({ data, shape }, affine, {
    source: file.name,
    format: "nrrd",
    dtype,
    fields,
    units,
    ...(timeStep !== undefined && { timeStep }),
    ...(header.spatial.length < 3 && { planar: true }),
    ...(unplaced && { unplaced }),
    ...(notes.length > 0 && { notes }),
  });
}

function shapeOf({ sizes, spatial }: NrrdHeader): number[] {
  const space = [0, 1, 2].map((i) => (i < spatial.length ? sizes[spatial[i]] : 1));
  return [sizes.reduce((n, s) => n * s, 1) / (space[0] * space[1] * space[2]), ...space];
}

/** Steps of the volume's array along each axis of the file: those that are not spatial are channels, the fastest first. */
function stridesIn({ sizes, spatial }: NrrdHeader, [, nx, ny, nz]: readonly number[]): number[] {
  const steps = [ny * nz, nz, 1];
  let channel = nx * ny * nz;
  return sizes.map((size, a) => {
    const at = spatial.indexOf(a);
    if (at >= 0) return steps[at];
    channel *= size;
    return channel / size;
  });
}

async function readData(file: ImageFile, header: NrrdHeader, block: VoxelBlock, end: number, fail: Fail): Promise<TypedArray> {
  const { encoding, dataFiles, lineSkip, byteSkip } = header;
  const packing: Packing = { compression: encoding === "gzip" || encoding === "bzip2" ? encoding : "none", lineSkip, byteSkip };
  const need = blockBytes(block);
  if (encoding === "text" || encoding === "hex") {
    const { pieces, size } = await textOf(file, dataFiles, end, { ...packing, byteSkip: Math.max(0, byteSkip) }, fail);
    if (encoding === "text") return readText(pieces, block, size, fail);
    if (2 * need > size) throw fail(`the voxels take ${2 * need} hex digits, but there are ${size} bytes; the file is cut short`);
    return readBlock(bytesOfHex(pieces, fail), block, true, fail);
  }
  if (dataFiles) {
    return readBlock(
      piecesOfFiles(file, dataFiles, need, packing, fail),
      block,
      await holds(file, dataFiles, need, packing),
      fail,
    );
  }
  const sure =
    encoding === "raw"
      ? file.blob.size - end >= need
      : (await openBytes({ name: file.name, blob: file.blob.slice(end) })).has(need);
  if (encoding === "raw" && !sure)
    throw fail(
      `the voxels take ${need} bytes, but the file ends after ${file.blob.size - end} of them; it is cut short or its header is damaged`,
    );
  return readBlock(dataPieces(file, end, need, packing, fail), block, sure, fail);
}

async function* bytesOfHex(pieces: AsyncIterable<Uint8Array>, fail: Fail): AsyncGenerator<Uint8Array> {
  let high = -1;
  for await (const piece of pieces) {
    const out = new Uint8Array((piece.length + 1) >> 1);
    let n = 0;
    for (const c of piece) {
      if (c <= 32) continue;
      const digit = c >= 48 && c <= 57 ? c - 48 : (c | 32) >= 97 && (c | 32) <= 102 ? (c | 32) - 87 : -1;
      if (digit < 0) throw fail(`the hex data have the character ${JSON.stringify(String.fromCharCode(c))}`);
      if (high < 0) high = digit;
      else {
        out[n++] = high * 16 + digit;
        high = -1;
      }
    }
    yield out.subarray(0, n);
  }
}

const typeNames = {
  i8: "int8",
  u8: "uint8",
  i16: "int16",
  u16: "uint16",
  i32: "int32",
  u32: "uint32",
  f32: "float",
  f64: "double",
} as const;

export const nrrdFormat: ImageFormat = {
  title: "NRRD",
  endings: [".nrrd", ".nhdr"],
  timed: true,
  matches: (head) => String.fromCharCode(...head.subarray(0, 7)).startsWith("NRRD00"),
  read: readNrrd,
  async readGrid(file) {
    const fail = failing(`readImage: ${file.name}`);
    const { header, end } = await headerOf(file, fail);
    const need = blockBytes(header);
    if (header.encoding === "raw" && !header.dataFiles && file.blob.size - end < need)
      throw fail(`the voxels take ${need} bytes, but the file ends after ${file.blob.size - end} of them; it is cut short`);
    return { shape: shapeOf(header), affine: header.affine, units: header.units };
  },
  async write(volume, name, { dtype, compress = true }) {
    const data = dataAs("NRRD", volume, dtype, nativeNames);
    const [c, ...size] = volume.shape;
    const axes = liesFlat(volume) ? [0, 1] : [0, 1, 2];
    const column = (k: number) => `(${axes.map((r) => (r < 2 ? -volume.affine[r][k] : volume.affine[r][k]) + 0).join(",")})`;
    const unit = volume.units ?? "mm";
    const { timeStep } = volume.meta;
    // What an axis has a direction for stands with the space.
    const times =
      c > 1 && timeStep !== undefined
        ? [`spacings: ${axes.map(() => "nan").join(" ")} ${timeStep}`, `units: ${axes.map(() => '""').join(" ")} "s"`]
        : [];
    // Of two axes the names of spaces know nothing.
    const space = axes.length === 3 ? "space: left-posterior-superior" : "space dimension: 2";
    const detached = name.toLowerCase().endsWith(".nhdr");
    const stem = name.slice(0, -5);
    const dataName = stem.slice(Math.max(stem.lastIndexOf("/"), stem.lastIndexOf("\\")) + 1) + (compress ? ".raw.gz" : ".raw");
    const lines = [
      "NRRD0005",
      `type: ${typeNames[typeOf("writeImage", data)]}`,
      `dimension: ${axes.length + (c > 1 ? 1 : 0)}`,
      space,
      `sizes: ${axes.map((a) => size[a]).join(" ")}${c > 1 ? ` ${c}` : ""}`,
      `space directions: ${axes.map(column).join(" ")}${c > 1 ? " none" : ""}`,
      `kinds: ${axes.map(() => "domain").join(" ")}${c > 1 ? " list" : ""}`,
      ...times,
      "endian: little",
      `encoding: ${compress ? "gzip" : "raw"}`,
      `space origin: ${column(3)}`,
      ...(unit === "unknown" ? [] : [`space units: ${axes.map(() => `"${unit}"`).join(" ")}`]),
      ...(detached ? [`data file: ${dataName}`] : []),
    ];
    const head = new TextEncoder().encode(`${lines.join("\n")}\n${detached ? "" : "\n"}`);
    const raw = encodeBlock(data, channelsLast(volume.shape));
    const voxels = compress ? await deflate(raw, "gzip") : raw;
    if (detached)
      return [
        { name, bytes: head },
        { name: name.slice(0, name.length - 5) + (compress ? ".raw.gz" : ".raw"), bytes: voxels },
      ];
    return [{ name, bytes: joinedBytes([head, voxels]) }];
  },
};
