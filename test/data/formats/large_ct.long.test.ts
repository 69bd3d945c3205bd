/** @file A CT of 512 × 512 × 600 voxels is read in no more than twice its memory from each format that holds it, packed or not. */

import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createDeflate, createDeflateRaw, createGzip, deflateSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeNifti } from "../../../src/data/formats/nifti/nifti.ts";
import { writeImage } from "../../../src/data/formats/read_image.ts";
import { makeVolume } from "../../../src/data/volume.ts";
import { zipOfPieces } from "../../../src/host/bytes/zip_pieces.ts";
import { runChild } from "../../lib/child.ts";
import { dicomFile, dicomSlice, encodings, rleFrame } from "../../lib/dicom_file.ts";

const [nx, ny, nz] = [512, 512, 600];
const volumeBytes = 2 * nx * ny * nz;
let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "voxgrad-ct-"))));
afterAll(() => rm(dir, { recursive: true }));

const small = makeVolume({ data: new Int16Array(1), shape: [1, 1, 1, 1] });

function niftiHeader(): Uint8Array {
  const header = encodeNifti(small).slice(0, 352);
  [nx, ny, nz].forEach((n, i) => new DataView(header.buffer).setInt16(42 + 2 * i, n, true));
  return header;
}

async function mghHeader(): Promise<Uint8Array> {
  const header = (await writeImage("a.mgh", small))[0].bytes.slice(0, 284);
  [nx, ny, nz].forEach((n, i) => new DataView(header.buffer).setInt32(4 + 4 * i, n));
  return header;
}

const lines = (list: readonly string[]) => new TextEncoder().encode(list.join("\n"));
const nrrd = (encoding: string) =>
  lines([
    "NRRD0004",
    "type: short",
    "dimension: 3",
    `sizes: ${nx} ${ny} ${nz}`,
    "endian: little",
    `encoding: ${encoding}`,
    "",
    "",
  ]);
const meta = lines([
  "NDims = 3",
  `DimSize = ${nx} ${ny} ${nz}`,
  "ElementType = MET_SHORT",
  "CompressedData = True",
  "ElementDataFile = LOCAL",
  "",
]);

/** Fortran's order: x fastest. */
function npyHeader(): Uint8Array<ArrayBuffer> {
  const text = `{'descr': '<i2', 'fortran_order': True, 'shape': (${nx}, ${ny}, ${nz}), }`.padEnd(117) + "\n";
  return Uint8Array.from([0x93, ...Buffer.from("NUMPY"), 1, 0, text.length, 0, ...Buffer.from(text)]);
}

/** Slices, the value of a voxel being x + 3y + 5z with noise, modulo 4096. */
function* slices() {
  const slice = new Int16Array(nx * ny);
  for (let z = 0; z < nz; z++) {
    for (let i = 0; i < slice.length; i++)
      slice[i] = ((i % nx) + 3 * Math.floor(i / nx) + 5 * z + ((i * 2654435761) >>> 29)) & 4095;
    yield Buffer.from(slice.slice().buffer);
  }
}

const fast = { level: constants.Z_BEST_SPEED };
type Write = (path: string) => Promise<void>;

/** A header as it is, and one that is packed with the slices. */
const streamed =
  (plain: Uint8Array, packer?: () => Transform, head: Uint8Array = new Uint8Array(0)): Write =>
  async (path) => {
    const out = createWriteStream(path);
    out.write(plain);
    const source = Readable.from(
      (function* () {
        if (head.length > 0) yield Buffer.from(head);
        // MGH is big-endian.
        for (const slice of slices()) yield path.endsWith(".mgz") ? slice.swap16() : slice;
      })(),
    );
    if (packer) await pipeline(source, packer(), out);
    else await pipeline(source, out);
  };
const gzip = () => createGzip(fast);

const npz: Write = async (path) => {
  function* pieces() {
    yield npyHeader();
    for (const slice of slices()) yield new Uint8Array(slice);
  }
  await pipeline(Readable.from(zipOfPieces("ct.npy", pieces())), createWriteStream(path));
};

/** Pages of one strip each; the directories stand behind them. */
const tiff =
  (packed: boolean): Write =>
  async (path) => {
    const out = createWriteStream(path);
    const places: [from: number, count: number][] = [];
    let at = 8;
    const strips = Readable.from(
      (function* () {
        for (const slice of slices()) {
          const strip = packed ? deflateSync(slice, fast) : slice;
          places.push([at, strip.length]);
          at += strip.length;
          yield strip;
        }
      })(),
    );
    out.write(new Uint8Array(8));
    await pipeline(strips, out, { end: false });
    const entries = (from: number, count: number): number[][] => {
      const compression = packed ? 8 : 1;
      return [
        [256, 4, nx],
        [257, 4, ny],
        [258, 3, 16],
        [259, 3, compression],
        [262, 3, 1],
        [273, 4, from],
        [277, 3, 1],
        [278, 4, ny],
        [279, 4, count],
        [339, 3, 2],
      ];
    };
    const first = at;
    places.forEach(([from, count], i) => {
      const rows = entries(from, count);
      const bytes = Buffer.alloc(2 + 12 * rows.length + 4);
      bytes.writeUInt16LE(rows.length);
      rows.forEach(([id, type, value], k) => {
        bytes.writeUInt16LE(id, 2 + 12 * k);
        bytes.writeUInt16LE(type, 4 + 12 * k);
        bytes.writeUInt32LE(1, 6 + 12 * k);
        bytes.writeUInt32LE(value, 10 + 12 * k);
      });
      at += bytes.length;
      bytes.writeUInt32LE(i === nz - 1 ? 0 : at, bytes.length - 4);
      out.write(bytes);
    });
    await new Promise((done) => out.end(done));
    const head = Buffer.alloc(8);
    head.write("II*\0", "latin1");
    head.writeUInt32LE(first, 4);
    const file = await open(path, "r+");
    await file.write(head, 0, 8, 0);
    await file.close();
  };

/** A folder of slices of DICOM. */
const series =
  (packed: boolean): Write =>
  async (path) => {
    await mkdir(path);
    let z = 0;
    for (const slice of slices()) {
      const pixels = packed
        ? (["OB", { fragments: [new Uint8Array(0), rleFrame(slice)] }] as const)
        : (["OW", new Uint8Array(slice)] as const);
      const options = { size: [nx, ny] as const, pixels: [], instance: ++z, more: { 0x7fe00010: pixels } };
      await writeFile(join(path, `IM${z}`), dicomSlice({ ...options, encoding: packed ? encodings.rle : encodings.explicit }));
    }
  };

/** One object with all slices as its frames. Written in pieces: the memory of a process counts for what it starts, too. */
const frames: Write = async (path) => {
  const pixels = ["OB", { fragments: [new Uint8Array(0)] }] as const;
  const more = { 0x00280008: ["IS", String(nz)], 0x7fe00010: pixels } as const;
  const file = dicomSlice({ size: [nx, ny], pixels: [], more, encoding: encodings.rle });
  const item = (length: number) => Uint8Array.of(0xfe, 0xff, 0, 0xe0, ...new Uint8Array(Uint32Array.of(length).buffer));
  function* parts() {
    yield file.subarray(0, file.length - 8);
    for (const slice of slices()) {
      const frame = rleFrame(slice);
      yield item(frame.length);
      yield frame;
    }
    yield file.subarray(file.length - 8);
  }
  await pipeline(Readable.from(parts()), createWriteStream(path));
};

/** The same with plain frames in a deflated data set. */
const deflatedFrames: Write = async (path) => {
  const body = dicomSlice({ size: [nx, ny], pixels: [], more: { 0x00280008: ["IS", String(nz)] } }).slice(132 + 28);
  new DataView(body.buffer).setUint32(body.length - 4, volumeBytes, true);
  const head = dicomFile(new Map(), encodings.deflated);
  function* parts() {
    yield body;
    yield* slices();
  }
  const out = createWriteStream(path);
  // What deflates nothing has two bytes.
  out.write(head.subarray(0, head.length - 2));
  await pipeline(Readable.from(parts()), createDeflateRaw(fast), out);
};
test.each([
  ["ct.nii", streamed(niftiHeader())],
  ["ct.nii.gz", streamed(new Uint8Array(0), gzip, niftiHeader())],
  ["ct.nrrd", streamed(nrrd("gzip"), gzip)],
  ["ct_raw.nrrd", streamed(nrrd("raw"))],
  ["ct.mha", streamed(meta, () => createDeflate(fast))],
  ["ct.mgz", async (path: string) => streamed(new Uint8Array(0), gzip, await mghHeader())(path)],
  ["ct.npy", streamed(npyHeader())],
  ["ct.npz", npz],
  ["ct.tif", tiff(false)],
  ["ct_packed.tif", tiff(true)],
  ["ct_series", series(false)],
  ["ct_rle_series", series(true)],
  ["ct_rle.dcm", frames],
  ["ct_deflated.dcm", deflatedFrames],
] as const)("%s", { timeout: 600_000 }, async (name, write) => {
  const path = join(dir, name);
  await write(path);
  const { stdout, stderr } = runChild(
    `import { readImageFile } from "./src/data/formats/images.node.ts";
     const before = process.resourceUsage().maxRSS * 1024;
     const { data, shape } = await readImageFile(${JSON.stringify(path)});
     const at = (x, y, z) => data[(x * ${ny} + y) * ${nz} + z];
     console.log(JSON.stringify({ shape, before, peak: process.resourceUsage().maxRSS * 1024, values: [at(0, 0, 0), at(100, 200, 300), at(511, 511, 599)] }));`,
  );
  expect(stderr).toBe("");
  const { shape, before, peak, values } = JSON.parse(stdout);
  expect(shape).toEqual([1, nx, ny, nz]);
  const value = (x: number, y: number, z: number) => (x + 3 * y + 5 * z + (((y * nx + x) * 2654435761) >>> 29)) & 4095;
  expect(values).toEqual([value(0, 0, 0), value(100, 200, 300), value(511, 511, 599)]);
  console.log(`${name}: peak ${((peak - before) / volumeBytes).toFixed(2)} volumes beside what Node takes`);
  expect((peak - before) / volumeBytes).toBeLessThan(2);
  await rm(path, { recursive: true });
});
