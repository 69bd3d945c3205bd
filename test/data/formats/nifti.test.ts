/** @file NIfTI: every element type and byte order, geometry in both directions, hostile files, and the shared files where they are. */

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Affine, makeVolume, type Volume, withGeometryOf } from "../../../src/data/volume.ts";
import { encodeNifti, readNifti, writeNifti } from "../../../src/data/formats/nifti/nifti.ts";
import { readNiftiFile, writeNiftiFile } from "../../../src/data/formats/nifti/nifti.node.ts";
import { channelsLast, encodeBlock, readBlock } from "../../../src/data/formats/voxel_block.ts";
import { failing } from "../../../src/host/bytes/budget.ts";
import { elements, nativeNames } from "../../../src/host/elements.ts";
import { ConfigError, DataError, FormatError, ShapeError } from "../../../src/host/errors.ts";

const DATA = process.env.VOXGRAD_DATA ?? new URL("../../../../shared/data", import.meta.url).pathname;

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "voxgrad-nifti-"))));
afterAll(() => rm(dir, { recursive: true }));

const oblique: Affine = [
  [-2, 0.25, 0, 90],
  [0.25, 2, 0.5, -126.5],
  [0, -0.5, 3, -72],
  [0, 0, 0, 1],
];

/** A volume whose value at (c, x, y, z) is 1000c + 100x + 10y + z. */
function counted(shape: [number, number, number, number], affine: Affine = oblique): Volume<Float32Array> {
  const [c, nx, ny, nz] = shape;
  const data = new Float32Array(c * nx * ny * nz);
  let at = 0;
  for (let i = 0; i < c; i++)
    for (let x = 0; x < nx; x++)
      for (let y = 0; y < ny; y++) for (let z = 0; z < nz; z++) data[at++] = 1000 * i + 100 * x + 10 * y + z;
  return makeVolume({ data, shape }, affine);
}

/** The bytes of a small NIfTI-1 file with one header field changed. */
function patched(change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = encodeNifti(counted([1, 3, 4, 5]), "i16");
  change(new DataView(bytes.buffer), bytes);
  return bytes;
}

describe("round trip", () => {
  test.each(nativeNames)("%s keeps values, element type and affine", async (dtype) => {
    const values = counted([1, 1, 9, 10]).data.map((v) => Math.min(v, 99));
    const volume = makeVolume({ data: values, shape: [1, 1, 9, 10] }, oblique);
    for (const gzip of [false, true]) {
      const back = await readNifti(await writeNifti(volume, { dtype, gzip }));
      expect(back.data).toBeInstanceOf(elements[dtype].array);
      expect([...back.data]).toEqual([...values]);
      expect(back.shape).toEqual([1, 1, 9, 10]);
      expect(back.affine).toEqual(oblique);
      expect(back.spacing).toEqual(volume.spacing);
    }
  });

  test("several channels, in file order x fastest", async () => {
    const volume = counted([2, 3, 4, 5]);
    const bytes = encodeNifti(volume, "f32");
    const file = new Float32Array(bytes.buffer, 352);
    expect([...file.subarray(0, 4)]).toEqual([0, 100, 200, 10]);
    expect(file[60]).toBe(1000);
    expect((await readNifti(bytes)).data).toEqual(volume.data);
  });

  test("files by path, written whole or not at all", async () => {
    const volume = counted([1, 3, 4, 5]);
    for (const name of ["a.nii", "a.nii.gz"]) {
      await writeNiftiFile(join(dir, name), volume, { dtype: "u16" });
      const back = await readNiftiFile(join(dir, name));
      expect([...back.data]).toEqual([...volume.data]);
      expect(back.meta).toMatchObject({ source: join(dir, name), format: "nifti1", dtype: "u16" });
    }
    const before = await readFile(join(dir, "a.nii"));
    await expect(writeNiftiFile(join(dir, "a.nii"), volume, { dtype: "i8" })).rejects.toThrow(DataError);
    await expect(writeNiftiFile(join(dir, "none", "a.nii"), volume)).rejects.toThrow(/ENOENT/);
    expect(await readFile(join(dir, "a.nii"))).toEqual(before);
    expect(await readdir(dir)).toEqual(["a.nii", "a.nii.gz"]);
  });

  test("a prediction keeps its source's header geometry, codes and units", async () => {
    const source = patched((view) => {
      view.setInt16(252, 1, true); // qform_code
      view.setInt16(254, 4, true); // sform_code
      view.setFloat32(256, 0.5, true); // quatern_b
      view.setFloat32(268, 7, true); // qoffset_x
      view.setUint8(123, 10); // xyzt_units: mm, s
      view.setUint8(39, 54); // dim_info
    });
    const image = await readNifti(source, "source");
    const prediction = withGeometryOf(image, { data: new Uint8Array(2 * 60).fill(1), shape: [2, 3, 4, 5] });
    const written = encodeNifti(prediction);
    for (const [from, to] of [
      [39, 40],
      [76, 92],
      [123, 124],
      [252, 328],
    ])
      expect(written.subarray(from, to)).toEqual(source.subarray(from, to));
    const back = await readNifti(written);
    expect(back.affine).toEqual(image.affine);
    expect(back.shape).toEqual([2, 3, 4, 5]);
    expect(() => withGeometryOf(image, { data: new Uint8Array(24), shape: [1, 2, 3, 4] })).toThrow(ShapeError);
  });

  test("a moved affine is written as sform, and NIfTI-2 where an axis is too long for NIfTI-1", async () => {
    const image = await readNifti(patched((view) => view.setInt16(252, 1, true)));
    const moved = oblique.map((row, r) => (r < 3 ? [...row.slice(0, 3), row[3] + 5] : row));
    const bytes = encodeNifti(makeVolume(image, moved, image.meta));
    const view = new DataView(bytes.buffer);
    expect([view.getInt16(252, true), view.getInt16(254, true)]).toEqual([0, 2]);
    expect((await readNifti(bytes)).affine).toEqual(moved);

    const long = makeVolume({ data: new Uint8Array(40000).fill(3), shape: [1, 40000, 1, 1] });
    const back = await readNifti(encodeNifti(long));
    expect(back.meta.format).toBe("nifti2");
    expect(back.shape).toEqual([1, 40000, 1, 1]);
    expect(back.data).toEqual(long.data);
    expect(encodeNifti(back)).toEqual(encodeNifti(long));
  });
});

describe("reading", () => {
  test("scaling, none where the slope is 0 or NaN", async () => {
    const scaled = (slope: number, inter: number) =>
      readNifti(patched((view) => (view.setFloat32(112, slope, true), view.setFloat32(116, inter, true))));
    const two = await scaled(0.5, -1);
    expect(two.data).toBeInstanceOf(Float32Array);
    expect(two.data[1]).toBe(-0.5);
    for (const slope of [0, NaN]) expect((await scaled(slope, 100)).data[1]).toBe(1);
    await expect(scaled(2, NaN)).rejects.toThrow(/scl_inter is NaN/);
  });

  test("64-bit integers where exact", async () => {
    const wide = (value: bigint) => {
      const bytes = new Uint8Array(352 + 16);
      bytes.set(encodeNifti(makeVolume({ data: new Float64Array(2), shape: [1, 2, 1, 1] })).subarray(0, 352));
      const view = new DataView(bytes.buffer);
      view.setInt16(70, 1024, true);
      view.setBigInt64(352, value, true);
      view.setBigInt64(360, -1n, true);
      return readNifti(bytes);
    };
    expect([...(await wide(2n ** 40n + 1n)).data]).toEqual([2 ** 40 + 1, -1]);
    await expect(wide(2n ** 60n)).rejects.toThrow(/voxel 0 .* 2\^53/);
  });

  test("without codes the grid is centred and x flipped, as in nibabel", async () => {
    const image = await readNifti(
      patched((view) => (view.setInt16(254, 0, true), [1, 2, 3].forEach((s, i) => view.setFloat32(80 + 4 * i, s, true)))),
    );
    expect(image.affine).toEqual([
      [-1, 0, 0, 1],
      [0, 2, 0, -3],
      [0, 0, 3, -6],
      [0, 0, 0, 1],
    ]);
  });

  test("a useless sform gives way to a good qform, and is not written again", async () => {
    const image = await readNifti(
      patched((view, bytes) => {
        view.setInt16(252, 1, true);
        bytes.fill(0, 280, 328);
        view.setFloat32(268, 7, true);
        [1, 2, 3].forEach((s, i) => view.setFloat32(80 + 4 * i, s, true));
      }),
    );
    expect(image.affine).toEqual([
      [1, 0, 0, 7],
      [0, 2, 0, 0],
      [0, 0, 3, 0],
      [0, 0, 0, 1],
    ]);
    const written = encodeNifti(image);
    const view = new DataView(written.buffer);
    expect([view.getInt16(252, true), view.getInt16(254, true)]).toEqual([1, 0]);
    expect((await readNifti(written)).affine).toEqual(image.affine);
  });

  test("input as ArrayBuffer, Blob and Uint8Array inside a larger buffer", async () => {
    const bytes = encodeNifti(counted([1, 3, 4, 5]));
    const inside = new Uint8Array(bytes.length + 3);
    inside.set(bytes, 3);
    for (const input of [bytes.buffer as ArrayBuffer, new Blob([bytes as Uint8Array<ArrayBuffer>]), inside.subarray(3)]) {
      expect((await readNifti(input)).data).toEqual(counted([1, 3, 4, 5]).data);
    }
  });

  test("voxels of any size turn to file order and back, in pieces of any size", async () => {
    for (const [n, a, b, c] of [
      [1, 1, 1, 1],
      [2, 33, 2, 65],
      [1, 70, 3, 31],
    ]) {
      const from = Uint32Array.from({ length: n * a * b * c }, (_, i) => i);
      const file = new Uint32Array(encodeBlock(from, channelsLast([n, a, b, c])).buffer);
      expect(file[(n - 1) * a * b * c + a * b * c - 1 - (c - 1) * a * b]).toBe(n * a * b * c - 1 - (c - 1));
      const pieces = async function* () {
        for (let at = 0; at < file.byteLength; at += 13) yield new Uint8Array(file.buffer).subarray(at, at + 13);
      };
      const block = { dtype: "u32", littleEndian: true, ...channelsLast([n, a, b, c]) } as const;
      for (const sure of [true, false]) expect(await readBlock(pieces(), block, sure, failing("x"))).toEqual(from);
    }
  });
});

describe("gzip as other tools pack it", () => {
  const bytes = encodeNifti(counted([1, 3, 4, 500]), "i16");
  const random = Uint8Array.from({ length: bytes.length }, (_, i) => (i < 352 ? bytes[i] : (i * 7919 + (i >> 3) * 104729) & 255));
  const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  // A member in which members seem to begin: stored, not packed.
  const decoy = Uint8Array.from(random);
  for (let i = 400; i + 20 < decoy.length; i += 1200) decoy.set([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], i);
  const split = (whole: Uint8Array, ...at: number[]) =>
    joined(...[0, ...at].map((from, i) => new Uint8Array(gzipSync(whole.subarray(from, at[i] ?? whole.length)))));
  const files: Record<string, [Uint8Array, Uint8Array]> = {
    "two members, cut in the header": [split(random, 100), random],
    "many small members and an empty one, as bgzip": [
      joined(split(random, ...Array.from({ length: 60 }, (_, i) => 100 + i * 200)), new Uint8Array(gzipSync(new Uint8Array(0)))),
      random,
    ],
    "zeros behind": [joined(new Uint8Array(gzipSync(random)), new Uint8Array(1000)), random],
    "one zero behind": [joined(new Uint8Array(gzipSync(random)), new Uint8Array(1)), random],
    "several members and zeros behind": [joined(split(random, 700, 9000), new Uint8Array(70000)), random],
    "stored bytes that look like members": [joined(new Uint8Array(gzipSync(decoy, { level: 0 })), new Uint8Array(9)), decoy],
  };
  test.each(Object.entries(files))("%s: from memory and by path", async (_name, [packed, plain]) => {
    const want = (await readNifti(plain)).data;
    await writeFile(join(dir, "packed.nii.gz"), packed);
    expect((await readNiftiFile(join(dir, "packed.nii.gz"))).data).toEqual(want);
    expect((await readNifti(packed)).data).toEqual(want);
  });

  test("a damaged member, one that is cut short, and bytes that are no member are refused", async () => {
    const two = split(random, 5000);
    const damaged = two.with(100, two[100] ^ 255);
    for (const packed of [damaged, two.subarray(0, -3), joined(two, Uint8Array.of(1, 2, 3)), joined(two, Uint8Array.of(0, 0, 7))])
      await expect(readNifti(Uint8Array.from(packed), "x.nii.gz")).rejects.toThrow(/x\.nii\.gz: .*damaged/);
  });

  test("no more than a few wrong splits are tried", async () => {
    const hostile = Uint8Array.from(random);
    for (let i = 400; i + 20 < hostile.length; i += 12) hostile.set([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], i);
    const packed = joined(new Uint8Array(gzipSync(hostile, { level: 0 })), Uint8Array.of(1));
    await expect(readNifti(packed, "x.nii.gz")).rejects.toThrow(/x\.nii\.gz: .*damaged/);
  });
});

describe("files of other kinds are called by their names", () => {
  const text = (s: string) => new Uint8Array(Buffer.from(s, "latin1"));
  const padded = (s: string, at = 0) => text("\0".repeat(at) + s + "\0".repeat(600));
  const mgh = new Uint8Array(700);
  [1, 256, 256, 256, 1, 3].forEach((v, i) => new DataView(mgh.buffer).setInt32(4 * i, v));
  test.each<[string, Uint8Array, RegExp]>([
    ["DICOM", padded("DICM", 128), /is a DICOM file, no NIfTI image; convert it .* dcm2niix/],
    ["NRRD", padded("NRRD0004\ntype: short"), /an NRRD image/],
    ["MetaImage", text("ObjectType = Image\nNDims = 3\n"), /a MetaImage/],
    ["PNG", padded("\x89PNG\r\n\x1a\n"), /a PNG picture/],
    ["JPEG", padded("\xff\xd8\xff\xe0"), /a JPEG picture/],
    ["TIFF", padded("II*\0"), /a TIFF picture/],
    ["ZIP", padded("PK\x03\x04"), /a ZIP archive/],
    ["TAR", padded("ustar", 257), /a TAR archive/],
    ["HDF5", padded("\x89HDF\r\n\x1a\n"), /an HDF5 file/],
    ["MGH", mgh, /an MGH image of FreeSurfer, .* readImage/],
    ["MINC", padded("CDF\x01"), /a MINC image/],
    ["NumPy", padded("\x93NUMPY"), /a NumPy array/],
    [
      "Git LFS",
      text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n"),
      /a Git LFS pointer: .*; run git lfs pull/,
    ],
    ["HTML", text("\n<!DOCTYPE html>\n<html><body>404</body></html>"), /a web page in place of the image, .*download/],
    ["XML", text('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'), /an XML text/],
    ["JSON", text('{"message": "not found"}'), /a JSON text/],
    ["any other text", text("Copyright (c) 2004, the authors of an image"), /is a text \("Copyright \(c\) 2004/],
    ["a link of git-annex", text("../../.git/annex/objects/x"), /git-annex/],
  ])("%s, gzipped too", async (_name, bytes, message) => {
    for (const file of [bytes, new Uint8Array(gzipSync(bytes))]) {
      await expect(readNifti(file, "scan.nii.gz")).rejects.toThrow(FormatError);
      await expect(readNifti(file, "scan.nii.gz")).rejects.toThrow(message);
      await expect(readNifti(file, "scan.nii.gz")).rejects.not.toThrow(/damaged/);
    }
  });
  test("Analyze, and gzip twice", async () => {
    await expect(readNifti(patched((v) => v.setInt32(344, 0)))).rejects.toThrow(/magic is empty: this is an Analyze 7.5 header/);
    await expect(readNifti(gzipSync(gzipSync(patched(() => undefined))))).rejects.toThrow(/is packed by gzip twice/);
  });
});

describe("hostile files", () => {
  const cases: Record<string, [(view: DataView, bytes: Uint8Array) => void, RegExp]> = {
    "wrong magic": [(v) => v.setUint8(345, 0x2d), /magic is/],
    "header of a pair": [(v) => v.setUint8(345, 0x69), /magic is "ni1"/],
    "wrong sizeof_hdr": [(v) => v.setInt32(0, 347, true), /sizeof_hdr is 347/],
    "dim[0] 0": [(v) => v.setInt16(40, 0, true), /dim\[0\] is 0/],
    "dim[0] -3": [(v) => v.setInt16(40, -3, true), /dim\[0\] is -3/],
    "negative size": [(v) => v.setInt16(44, -4, true), /dim\[2\] is -4/],
    "2^45 voxels": [
      (v) => [42, 44, 46].forEach((at) => v.setInt16(at, 32767, true)),
      /32767×32767×32767 voxels of i16 .* ends after 472 bytes/,
    ],
    "2^90 voxels": [
      (v) => (v.setInt16(40, 7, true), [42, 44, 46, 48, 50, 52].forEach((at) => v.setInt16(at, 32767, true))),
      /no file holds so many/,
    ],
    "voxels far beyond the end": [(v) => v.setFloat32(108, 1e12, true), /ends after 472 bytes/],
    "voxels inside the header": [(v) => v.setFloat32(108, 100, true), /vox_offset is 100/],
    "fractional vox_offset": [(v) => v.setFloat32(108, 352.5, true), /vox_offset is 352.5/],
    "vox_offset NaN": [(v) => v.setFloat32(108, NaN, true), /vox_offset is NaN/],
    "complex voxels": [(v) => v.setInt16(70, 32, true), /datatype is 32 \(complex64\)/],
    "unknown datatype": [(v) => v.setInt16(70, 77, true), /datatype is 77/],
    "singular sform": [(v) => v.setFloat32(280, NaN, true), /srow .* not finite/],
    "zero sform": [(_, b) => b.fill(0, 280, 328), /srow .* singular/],
    "endless extension": [(v) => (v.setUint8(348, 1), v.setInt16(352, -16, true)), /^$/],
  };
  test.each(Object.entries(cases))("%s", async (_name, [change, message]) => {
    for (const zip of [false, true]) {
      const bytes = patched(change);
      const reading = readNifti(zip ? gzipSync(bytes) : bytes, "bad.nii");
      if (message.source === "^$") await expect(reading).resolves.toBeDefined();
      else await expect(reading).rejects.toThrow(FormatError);
      if (!zip && message.source !== "^$") await expect(readNifti(bytes, "bad.nii")).rejects.toThrow(message);
    }
  });

  test("every truncation is a FormatError naming the file, by path and from memory", async () => {
    const bytes = encodeNifti(counted([1, 3, 4, 5]), "i16");
    const zipped = gzipSync(bytes);
    for (const [name, whole] of [
      ["cut.nii", bytes],
      ["cut.nii.gz", zipped],
    ] as const) {
      for (const length of [0, 1, 2, 20, 100, 347, 351, whole.length - 9, whole.length - 1]) {
        if (length >= whole.length) continue;
        const path = join(dir, name);
        await writeFile(path, whole.subarray(0, length));
        await expect(readNiftiFile(path), `${name} ${length}`).rejects.toThrow(FormatError);
        await expect(readNiftiFile(path)).rejects.toThrow(name);
        await expect(readNifti(Uint8Array.from(whole.subarray(0, length)), name)).rejects.toThrow(FormatError);
        await rm(path);
      }
    }
  });

  test("a damaged gzip stream", async () => {
    const zipped = gzipSync(encodeNifti(counted([1, 3, 4, 5]), "i16"));
    zipped[zipped.length - 6] ^= 0xff; // checksum
    await writeFile(join(dir, "crc.nii.gz"), zipped);
    await expect(readNiftiFile(join(dir, "crc.nii.gz"))).rejects.toThrow(/crc\.nii\.gz: .*damaged/);
    await expect(readNifti(zipped, "crc.nii.gz")).rejects.toThrow(FormatError);
  });

  test("a bomb: reading stops soon after the voxels, and a header cannot promise more than deflate can hold", async () => {
    const small = encodeNifti(counted([1, 3, 4, 5]), "i16");
    const bomb = new Uint8Array(256 << 20);
    bomb.set(small);
    const zipped = gzipSync(bomb, { level: 1 });
    await writeFile(join(dir, "bomb.nii.gz"), zipped);
    const before = process.memoryUsage().arrayBuffers;
    const image = await readNiftiFile(join(dir, "bomb.nii.gz"));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
    expect(image.shape).toEqual([1, 3, 4, 5]);
    const promise = new Uint8Array(4096);
    promise.set(patched((v) => [42, 44, 46].forEach((at) => v.setInt16(at, 32767, true))));
    await expect(readNifti(gzipSync(promise))).rejects.toThrow(/can hold at most/);
  });

  test("no file, a folder, a wrong name", async () => {
    await expect(readNiftiFile(join(dir, "none.nii"))).rejects.toThrow(FormatError);
    await expect(readNiftiFile(dir)).rejects.toThrow(FormatError);
    await expect(writeNiftiFile(join(dir, "a.img"), counted([1, 1, 1, 1]))).rejects.toThrow(ConfigError);
  });
});

describe.skipIf(!existsSync(join(DATA, "formats")))(`files of ${DATA} (skipped where absent)`, () => {
  const base = join(DATA, "formats/derived");
  interface Expected {
    expect: "ok" | "either" | "reject";
    shape: number[];
    affine_ras: number[][];
    sha256_f64le_xfastest: string;
  }
  const table: Record<string, Expected> = existsSync(base)
    ? JSON.parse(readFileSync(join(base, "expected_files.json"), "utf8"))
    : {};

  test.each(Object.entries(table).filter(([name]) => name.startsWith("nifti")))("%s", async (name, want) => {
    const reading = readNiftiFile(join(base, name));
    if (want.expect === "reject") return expect(reading).rejects.toThrow(FormatError);
    if (want.expect === "either") return void (await reading.catch((error) => expect(error).toBeInstanceOf(FormatError)));
    const { data, shape, affine } = await reading;
    expect([...shape.slice(1), shape[0]]).toEqual([...want.shape.slice(0, 3), want.shape.slice(3).reduce((a, b) => a * b, 1)]);
    const values = Float64Array.from(data);
    const inFileOrder = encodeBlock(values, channelsLast(shape));
    expect(createHash("sha256").update(inFileOrder).digest("hex")).toBe(want.sha256_f64le_xfastest);
    affine.flat().forEach((v, i) => expect(v).toBeCloseTo(want.affine_ras.flat()[i], 5));
  });

  test("real files are read and written back with equal voxels and affine", async () => {
    const folder = join(DATA, "formats/nifti");
    for (const name of (await readdir(folder)).filter((n) => /\.nii/.test(n))) {
      const image = await readNiftiFile(join(folder, name));
      const back = await readNifti(encodeNifti(image), name);
      const bits = ({ data }: Volume) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      expect(bits(back).equals(bits(image)), name).toBe(true);
      expect(back.affine, name).toEqual(image.affine);
    }
  });
});
