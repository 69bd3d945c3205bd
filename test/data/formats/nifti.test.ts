/** @file NIfTI: every element type and byte order, geometry in both directions, and the shared files where they are. */

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeVolume, type Volume, withGeometryOf } from "../../../src/data/volume.ts";
import { encodeNifti, readNifti, writeNifti } from "../../../src/data/formats/nifti/nifti.ts";
import { readNiftiFile, writeNiftiFile } from "../../../src/data/formats/nifti/nifti.node.ts";
import { channelsLast, encodeBlock, readBlock } from "../../../src/data/formats/voxel_block.ts";
import { failing } from "../../../src/host/bytes/budget.ts";
import { elements, nativeNames } from "../../../src/host/elements.ts";
import { DataError, FormatError, ShapeError } from "../../../src/host/errors.ts";
import { counted, oblique, patched } from "../../lib/nifti_samples.ts";

const DATA = process.env.VOXGRAD_DATA ?? new URL("../../../../shared/data", import.meta.url).pathname;

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "voxgrad-nifti-"))));
afterAll(() => rm(dir, { recursive: true }));

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

  test("without codes the grid is centered and x flipped, as in nibabel", async () => {
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
    for (const input of [bytes.buffer as ArrayBuffer, new Blob([bytes]), inside.subarray(3)]) {
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
