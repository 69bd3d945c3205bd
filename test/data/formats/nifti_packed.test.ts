/** @file NIfTI in gzip as other tools pack it, files of other kinds, and hostile ones. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeNifti, readNifti } from "../../../src/data/formats/nifti/nifti.ts";
import { readNiftiFile, writeNiftiFile } from "../../../src/data/formats/nifti/nifti.node.ts";
import { ConfigError, FormatError } from "../../../src/host/errors.ts";
import { counted, patched } from "../../lib/nifti_samples.ts";

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "voxgrad-nifti-"))));
afterAll(() => rm(dir, { recursive: true }));

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
