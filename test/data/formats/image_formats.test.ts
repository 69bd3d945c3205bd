/** @file What is written in one format is read again, with its geometry; formats agree on an image; files are known by their bytes, found beside one another, refused by name. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readImageFile, writeImageFile } from "../../../src/data/formats/images.node.ts";
import { readImage, writeImage } from "../../../src/data/formats/read_image.ts";
import { describeImage } from "../../../src/data/formats/describe.ts";
import { encodeNifti } from "../../../src/data/formats/nifti/nifti.ts";
import { LoadImageFile, SaveImageFile } from "../../../src/data/transforms/io/image_files.node.ts";
import { LoadImage } from "../../../src/data/transforms/io/load_image.ts";
import { type Affine, makeVolume, type Volume } from "../../../src/data/volume.ts";
import { ConfigError, DataError, FormatError, ShapeError } from "../../../src/host/errors.ts";
import { joined, named, text } from "../../lib/written_files.ts";

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "voxgrad-images-"))));
afterAll(() => rm(dir, { recursive: true }));

const oblique: Affine = [
  [-2, 0.25, 0, 90],
  [0.25, 2, 0.5, -126.5],
  [0, -0.5, 3, -72],
  [0, 0, 0, 1],
];

/** A volume whose value at (c, x, y, z) is 60c + 20x + 5y + z. */
function counted(shape = [1, 3, 4, 5], affine = oblique): Volume<Int16Array> {
  return makeVolume({ data: Int16Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i), shape }, affine);
}

/** The files of a volume as Files. */
const filesOf = async (name: string, volume: Volume, options = {}): Promise<File[]> =>
  (await writeImage(name, volume, options)).map((f) => named(f.name, f.bytes));

describe("written and read again", () => {
  const placed = ["a.nii", "a.nii.gz", "a.nrrd", "a.nhdr", "a.mha", "a.mhd", "a.mgh", "a.mgz"];
  test.each(placed)("%s keeps values, channels, geometry", async (name) => {
    for (const shape of [
      [1, 3, 4, 5],
      [2, 3, 4, 5],
      [1, 7, 6, 1],
    ]) {
      const volume = counted(shape);
      const back = await readImage(await filesOf(name, volume));
      expect(back.shape).toEqual(shape);
      expect([...back.data]).toEqual([...volume.data]);
      expect(back.meta.dtype).toBe("i16");
      back.affine.flat().forEach((v, i) => expect(v).toBeCloseTo(oblique.flat()[i], 4));
    }
  });

  test.each(["a.nii", "a.nrrd", "a.mha", "a.npy"])("%s has every element type", async (name) => {
    for (const dtype of ["f64", "f32", "i32", "u32", "i16", "u16", "i8", "u8"]) {
      const volume = makeVolume({ data: Float64Array.from({ length: 60 }, (_, i) => i), shape: [1, 3, 4, 5] });
      const back = await readImage(await filesOf(name, volume, { dtype }));
      expect([...back.data]).toEqual([...volume.data]);
      expect(back.meta.dtype).toBe(dtype);
    }
  });

  test("compressed or not, as asked for", async () => {
    for (const [name, compress] of [
      ["a.nrrd", false],
      ["a.nhdr", false],
      ["a.mha", true],
      ["a.mhd", true],
    ] as const) {
      const back = await readImage(await filesOf(name, counted(), { compress }));
      expect([...back.data]).toEqual([...counted().data]);
    }
  });

  test("where the ending says whether a file is packed, nothing else does", async () => {
    for (const [name, compress] of [
      ["a.nii", true],
      ["a.nii.gz", false],
      ["a.mgh", true],
      ["a.mgz", false],
      ["a.hdr", true],
    ] as const) {
      await expect(filesOf(name, counted(), { compress })).rejects.toThrow(ConfigError);
      await expect(filesOf(name, counted(), { compress })).rejects.toThrow(
        /by its ending (not )?packed, and compress is (true|false)/,
      );
      expect(await filesOf(name, counted(), { compress: !compress })).not.toHaveLength(0);
    }
    const [file] = await writeImage("A.NII.GZ", counted());
    expect([...file.bytes.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
  });

  test("without a place: Analyze keeps spacing, NumPy the shape, PNG 8 and 16 bits", async () => {
    const analyze = await readImage(await filesOf("a.hdr", counted()));
    expect([...analyze.data]).toEqual([...counted().data]);
    expect(analyze.spacing.map((s) => s.toFixed(4))).toEqual(counted().spacing.map((s) => s.toFixed(4)));
    for (const shape of [
      [1, 3, 4, 5],
      [2, 3, 4, 5],
    ]) {
      const back = await readImage(await filesOf("a.npy", counted(shape)));
      expect([back.shape, [...back.data]]).toEqual([shape, [...counted(shape).data]]);
    }
    for (const channels of [1, 2, 3, 4]) {
      for (const dtype of ["u8", "u16"]) {
        const picture = counted([channels, 5, 7, 1]);
        const back = await readImage(await filesOf("a.png", picture, { dtype }));
        expect([back.shape, [...back.data], back.meta.dtype]).toEqual([picture.shape, [...picture.data], dtype]);
      }
    }
    await expect(writeImage("a.png", counted(), { dtype: "u8" })).rejects.toThrow(ShapeError);
  });

  test("TIFF: slices as pages, every type, packed and plain", async () => {
    for (const [channels, slices] of [
      [1, 1],
      [1, 5],
      [2, 3],
      [3, 1],
      [4, 2],
      [5, 1],
    ]) {
      for (const dtype of ["u8", "i8", "u16", "i16", "u32", "i32", "f32", "f64"]) {
        for (const compress of [undefined, false]) {
          const volume = counted([channels, 5, 3, slices]);
          const back = await readImage(await filesOf("a.tif", volume, { dtype, ...(compress === false && { compress }) }));
          expect([back.shape, [...back.data], back.meta.dtype]).toEqual([volume.shape, [...volume.data], dtype]);
        }
      }
    }
  });

  test("by path, and what cannot be written", async () => {
    for (const name of ["a.nrrd", "b.mhd", "c.hdr", "d.mgz"]) {
      await writeImageFile(join(dir, name), counted());
      expect([...(await readImageFile(join(dir, name))).data]).toEqual([...counted().data]);
    }
    expect([...(await readImageFile(join(dir, "c.img"))).data]).toEqual([...counted().data]);
    await expect(writeImage("a.jpg", counted())).rejects.toThrow(ConfigError);
    await expect(writeImage("a.nrrd", counted([1, 30, 4, 5]), { dtype: "u8" })).rejects.toThrow(DataError);
    await expect(writeImage("a.mgh", counted(), { dtype: "f64" })).rejects.toThrow(/MGH cannot hold f64; give dtype/);
    await expect(writeImage("a.nrrd", counted(), { dtype: "float" })).rejects.toThrow(ConfigError);
    await expect(writeImage("a.nrrd", counted(), { typ: "u8" } as never)).rejects.toThrow(/no option "typ"/);
  });
});

describe("recognition", () => {
  test("by content, whatever the name; gzip around any format", async () => {
    for (const name of ["a.nii", "a.nrrd", "a.mha", "a.mgh", "a.npy"]) {
      const [{ bytes }] = await writeImage(name, counted());
      for (const file of [bytes, new Uint8Array(gzipSync(bytes))]) {
        expect([...(await readImage(file)).data], name).toEqual([...counted().data]);
        expect([...(await readImage(named("x.bin", file))).data], name).toEqual([...counted().data]);
      }
    }
  });

  test("by name where the bytes do not tell: the reader says what is wrong", async () => {
    const bytes = encodeNifti(counted());
    bytes[0] = 0x5d;
    bytes[344] = 0;
    await expect(readImage(named("a.nii", bytes))).rejects.toThrow(/readNifti: a.nii: sizeof_hdr is 349/);
    await expect(readImage(named("a.bin", bytes))).rejects.toThrow(/a.bin is no image that is known/);
  });

  test.each([
    ["MINC 1", joined("CDF\x01", new Uint8Array(600)), /a MINC image/],
    ["MINC 2", joined(Uint8Array.of(0x89), "HDF\r\n\x1a\n", new Uint8Array(600)), /HDF5/],
    ["x.mnc", new Uint8Array(600), /a MINC image/],
    ["AFNI", text(["", "type = string-attribute", "name = TYPESTRING", "count = 15"]), /AFNI/],
    ["x.BRIK", new Uint8Array(600), /AFNI/],
    ["PAR", text(["# === DATA DESCRIPTION FILE ======", "#"]), /PAR\/REC/],
    ["x.REC", new Uint8Array(600), /PAR\/REC/],
  ])("%s is refused by its name", async (name, bytes, message) => {
    await expect(readImage(named(name, bytes as Uint8Array))).rejects.toThrow(FormatError);
    await expect(readImage(named(name, bytes as Uint8Array))).rejects.toThrow(message);
  });

  test("several files: a pair, slices in the order of their numbers, and what is no one image", async () => {
    const slices = await Promise.all(
      [10, 9, 1].map(
        async (n) => (await filesOf(`s${n}.png`, makeVolume({ data: new Uint8Array(6).fill(n), shape: [1, 2, 3, 1] })))[0],
      ),
    );
    const stack = await readImage(slices);
    expect([stack.shape, [...stack.data.subarray(0, 3)]]).toEqual([
      [1, 2, 3, 3],
      [1, 9, 10],
    ]);
    await expect(readImage([...slices, ...(await filesOf("t.png", counted([1, 3, 3, 1]), { dtype: "u8" }))])).rejects.toThrow(
      /slices of one volume are alike/,
    );
    await expect(readImage([named("a.nii", encodeNifti(counted())), named("b.nii", encodeNifti(counted()))])).rejects.toThrow(
      ConfigError,
    );
    const [header] = await filesOf("a.mhd", counted());
    await expect(readImage(header)).rejects.toThrow(/its voxels are in a.raw, which was not given/);
    await expect(readImage([])).rejects.toThrow(FormatError);
    await expect(readImage(header, { seres: "1" } as never)).rejects.toThrow(ConfigError);
  });

  test("a choice that a format does not have is an error", async () => {
    for (const name of ["a.nii", "a.nrrd", "a.npy"])
      await expect(readImage(await filesOf(name, counted()), { series: "1.2" })).rejects.toThrow(
        /a\.\w+ is \w+, of which there is no series to choose; DICOM has/,
      );
    await expect(readImage(await filesOf("a.mha", counted()), { array: "x" })).rejects.toThrow(/no array to choose; NumPy has/);
    await expect(readImage(await filesOf("a.npy", counted()), { array: "x" })).rejects.toThrow(/a.npy is one array/);
  });

  test("a header names no file of another folder", async () => {
    await writeFile(join(dir, "secret.raw"), new Uint8Array(60));
    const lines = ["ObjectType = Image", "NDims = 3", "DimSize = 3 4 5", "ElementType = MET_UCHAR"];
    await writeFile(join(dir, "e.mhd"), text([...lines, "ElementDataFile = ../../etc/secret.raw", ""]));
    expect((await readImageFile(join(dir, "e.mhd"))).shape).toEqual([1, 3, 4, 5]);
    await writeFile(join(dir, "f.mhd"), text([...lines, "ElementDataFile = /etc/hostname", ""]));
    await expect(readImageFile(join(dir, "f.mhd"))).rejects.toThrow(FormatError);
  });
});

describe("what an image is", () => {
  test("facts and oddities", async () => {
    const plain = describeImage(
      makeVolume({ data: Float32Array.of(0, 1, NaN, 2), shape: [1, 2, 2, 1] }, [
        [1, 0.5, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 5, 0],
        [0, 0, 0, 1],
      ]),
    );
    expect(Object.fromEntries(plain.facts)).toMatchObject({
      orientation: "RAS",
      size: "2 × 2 × 1 voxels, 1 channel",
      values: "0 to 2",
    });
    for (const oddity of [/right angles/, /anisotropic/, /one slice/, /NaNs/]) expect(plain.odd.join("\n")).toMatch(oddity);
    expect(Object.fromEntries(describeImage(counted([1, 3, 2, 2])).facts).labels).toBe("0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11");
  });

  test("a NIfTI whose sform and qform differ", async () => {
    const bytes = encodeNifti(counted());
    new DataView(bytes.buffer).setInt16(252, 1, true);
    expect((await readImage(bytes)).meta.notes?.join()).toMatch(/sform and qform differ/);
  });
});

describe("as steps of a chain", () => {
  test("loading and saving", async () => {
    const path = join(dir, "g.nii");
    await writeFile(path, encodeNifti(counted()));
    const volume = await new LoadImageFile({ dtype: "f32" }).applyAsync(path);
    expect(volume.data).toBeInstanceOf(Float32Array);
    const save = new SaveImageFile({ outputDir: dir, outputExt: ".nrrd" });
    expect(save.pathOf(volume)).toBe(join(dir, "g", "g_trans.nrrd"));
    expect(await save.applyAsync(volume)).toBe(volume);
    expect([...(await readImageFile(save.pathOf(volume))).data]).toEqual([...counted().data]);
    expect((await new LoadImage().applyAsync(encodeNifti(counted()))).shape).toEqual([1, 3, 4, 5]);
    expect(() => new LoadImage().apply()).toThrow(ConfigError);
    expect(() => new LoadImage({ type: "f32" } as never)).toThrow(ConfigError);
  });
});
