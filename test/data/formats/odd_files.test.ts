/** @file Files that are odd but right, as teem, ITK, FreeSurfer and NumPy read them: what they say is taken, not guessed. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { readImageFile } from "../../../src/data/formats/images.node.ts";
import { readImage, writeImage } from "../../../src/data/formats/read_image.ts";
import { makeVolume } from "../../../src/data/volume.ts";
import { filesOfRow, storedImages } from "./stored_images.ts";
import { joined, named, text } from "../../lib/written_files.ts";

const bytes = Uint8Array.from({ length: 12 }, (_, i) => i);
// x fastest in the file, z in the volume.
const turned = [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11];
const nrrd = (fields: readonly string[], data: Uint8Array = bytes) =>
  joined(["NRRD0004", "type: uchar", "dimension: 3", "sizes: 2 3 2", ...fields].join("\n"), "\n\n", data);
const meta = (fields: readonly string[], data: Uint8Array = bytes, end = "ElementDataFile = LOCAL") =>
  joined(["NDims = 3", "DimSize = 2 3 2", "ElementType = MET_UCHAR", ...fields, end, ""].join("\n"), data);

test("NRRD: names of fields without their spaces", async () => {
  const skipped = nrrd(["encoding: raw", "lineskip: 1", "byteskip: 2"], joined("a line\n", "xy", bytes));
  expect([...(await readImage(skipped)).data]).toEqual(turned);
});

test("NRRD: directions of NaN are none; points are no axis of space; spacings may be negative", async () => {
  const four = joined(
    ["NRRD0004", "type: uchar", "dimension: 4", "sizes: 2 3 2 1", "encoding: raw", "space: RAS"].join("\n"),
    "\nspace directions: (nan,nan,nan) (1,0,0) (0,1,0) (0,0,1)\n\n",
    bytes,
  );
  expect((await readImage(four)).shape).toEqual([2, 3, 2, 1]);
  expect((await readImage(nrrd(["encoding: raw", "kinds: domain domain point"]))).shape).toEqual([2, 2, 3, 1]);
  const back = await readImage(nrrd(["encoding: raw", "spacings: 1 -2 3"]));
  expect(back.affine.map((row) => row.slice(0, 3))).toEqual([
    [-1, 0, 0],
    [0, 2, 0],
    [0, 0, 3],
    [0, 0, 0],
  ]);
});

test("NRRD: the ends of axes give step and origin, for cells and for nodes", async () => {
  const ends = ["encoding: raw", "axis mins: -4 0 10", "axis maxs: 0 9 14"];
  const lps = async (more: readonly string[]) => (await readImage(nrrd([...ends, ...more]))).affine;
  expect(await lps([])).toEqual([
    [-2, 0, 0, 3],
    [0, -3, 0, -1.5],
    [0, 0, 2, 11],
    [0, 0, 0, 1],
  ]);
  expect(await lps(["centers: node node node"])).toEqual([
    [-4, 0, 0, 4],
    [0, -4.5, 0, 0],
    [0, 0, 4, 10],
    [0, 0, 0, 1],
  ]);
});

test("NRRD and MetaImage: text in several files; data in a folder below, and never above", async () => {
  const dir = await mkdtemp(join(tmpdir(), "voxgrad-odd-"));
  await mkdir(join(dir, "a", "below"), { recursive: true });
  const header = (name: string, lines: readonly string[]) => writeFile(join(dir, "a", name), `${lines.join("\n")}\n`);
  const slices = ["0 1 2 3 4 5", "6 7 8 9 10 11"];
  for (const [i, slice] of slices.entries()) await writeFile(join(dir, "a", `${i}.txt`), slice);
  await writeFile(join(dir, "a", "below", "v.raw"), bytes);
  await writeFile(join(dir, "v.raw"), bytes);
  const common = ["NRRD0004", "type: uchar", "dimension: 3", "sizes: 2 3 2"];
  await header("list.nhdr", [...common, "encoding: ascii", "data file: LIST", "0.txt", "1.txt"]);
  await header("below.nhdr", [...common, "encoding: raw", "data file: below/v.raw"]);
  await header("above.nhdr", [...common, "encoding: raw", "data file: ../v.raw"]);
  const fields = ["NDims = 3", "DimSize = 2 3 2", "ElementType = MET_UCHAR"];
  await header("list.mhd", [...fields, "BinaryData = False", "ElementDataFile = LIST", "0.txt", "1.txt"]);
  await header("below.mhd", [...fields, "ElementDataFile = ./below/v.raw"]);
  for (const name of ["list.nhdr", "below.nhdr", "list.mhd", "below.mhd"])
    expect([...(await readImageFile(join(dir, "a", name))).data], name).toEqual(turned);
  await expect(readImageFile(join(dir, "a", "above.nhdr"))).rejects.toThrow(/which is not in its folder/);
  await rm(dir, { recursive: true });
});

test("MetaImage: lines that are no field, colons, and headers of data", async () => {
  expect([...(await readImage(named("a.mha", meta(["", "hello", "Comment = a"])))).data]).toEqual(turned);
  const colons = joined("NDims: 3\nDimSize: 2 3 2\nElementType: MET_UCHAR\nElementDataFile: LOCAL\n", bytes);
  expect([...(await readImage(colons)).data]).toEqual(turned);
  // The last bytes, or those behind so many of the whole file.
  expect([...(await readImage(meta(["HeaderSize = -1"], joined("abc", bytes)))).data]).toEqual(turned);
  const sized = (size: number) => meta([`HeaderSize = ${String(size).padStart(4, "0")}`], joined("abc", bytes));
  expect([...(await readImage(sized(sized(0).length - 12))).data]).toEqual(turned);
  const apart = text(["NDims = 3", "DimSize = 2 3 2", "ElementType = MET_UCHAR", "CompressedData = True", "HeaderSize = 3"]);
  const files = [
    named("a.mhd", joined(apart, "\nElementDataFile = a.zraw\n")),
    named("a.zraw", joined("abc", new Uint8Array(deflateSync(bytes)))),
  ];
  expect([...(await readImage(files)).data]).toEqual(turned);
});

test("MGH: without a place where the flag is below 1, and where all of it is zero", async () => {
  const volume = makeVolume({ data: Uint8Array.from(bytes), shape: [1, 2, 3, 2] });
  const [file] = await writeImage("a.mgh", volume);
  const view = new DataView(file.bytes.buffer, file.bytes.byteOffset);
  view.setInt16(28, -1);
  const unplaced = await readImage(file.bytes);
  expect(unplaced.affine).toEqual([
    [-1, 0, 0, 1],
    [0, 0, 1, -1],
    [0, -1, 0, 1.5],
    [0, 0, 0, 1],
  ]);
  expect(unplaced.meta.notes?.[0]).toMatch(/goodRASFlag -1/);
  view.setInt16(28, 1);
  file.bytes.fill(0, 30, 90);
  const zero = await readImage(file.bytes);
  expect([zero.affine, [...zero.data]]).toEqual([unplaced.affine, [...bytes]]);
  expect(zero.meta.notes?.[0]).toMatch(/is singular; FreeSurfer's default/);
});

test("NIfTI-1: more than 32767 points of a surface, as FreeSurfer counts them", async () => {
  const volume = makeVolume({ data: Uint8Array.from(bytes), shape: [2, 6, 1, 1] });
  const [{ bytes: file }] = await writeImage("a.nii", volume);
  const view = new DataView(file.buffer, file.byteOffset);
  view.setInt16(42, -1, true);
  view.setInt32(144, 6, true);
  const surface = await readImage(file);
  expect([surface.shape, [...surface.data]]).toEqual([[2, 6, 1, 1], [...bytes]]);
  view.setInt32(144, 0, true);
  await expect(readImage(file)).rejects.toThrow(/dim\[1\] is 0/);
  const most = makeVolume({ data: new Uint8Array(163842), shape: [1, 27307, 1, 6] });
  expect((await readImage((await writeImage("a.nii", most))[0].bytes)).shape).toEqual([1, 163842, 1, 1]);
});

test("NIfTI pairs: a packed one and one that is not, of one name; steps below 0 beside a quaternion", async () => {
  const dir = await mkdtemp(join(tmpdir(), "voxgrad-pairs-"));
  for (const [end, first] of [
    ["", 0],
    [".gz", 100],
  ] as const) {
    const volume = makeVolume({ data: bytes.map((v) => v + first), shape: [1, 2, 3, 2] });
    for (const { name, bytes: data } of await writeImage(`a.hdr${end}`, volume)) await writeFile(join(dir, name), data);
  }
  for (const [name, first] of [
    ["a.hdr", 0],
    ["a.img", 0],
    ["a.hdr.gz", 100],
    ["a.img.gz", 100],
  ] as const)
    expect((await readImageFile(join(dir, name))).data[0], name).toBe(first);
  await rm(dir, { recursive: true });
  const [{ bytes: file }] = await writeImage("a.nii", makeVolume({ data: bytes, shape: [1, 2, 3, 2] }));
  const view = new DataView(file.buffer, file.byteOffset);
  view.setInt16(252, 1, true);
  view.setInt16(254, 0, true);
  [-2, -3, 4].forEach((v, i) => view.setFloat32(80 + 4 * i, v, true));
  expect((await readImage(file)).affine).toEqual([
    [2, 0, 0, 0],
    [0, 3, 0, 0],
    [0, 0, 4, 0],
    [0, 0, 0, 1],
  ]);
});

test("NumPy: every byte of a boolean that is not 0 is true; what is no number is called by its name", async () => {
  const npy = (descr: string, data: Uint8Array) => {
    const head = `{'descr': '${descr}', 'fortran_order': False, 'shape': (4,), }`.padEnd(117) + "\n";
    return joined(Uint8Array.of(0x93), "NUMPY", Uint8Array.of(1, 0, 118, 0), head, data);
  };
  expect([...(await readImage(npy("|b1", Uint8Array.of(0, 1, 2, 255)))).data]).toEqual([0, 1, 1, 1]);
  expect([...(await readImage(npy("u1", Uint8Array.of(0, 1, 2, 255)))).data]).toEqual([0, 1, 2, 255]);
  for (const [descr, words] of [
    ["<c8", /descr is "<c8" \(complex numbers; save their real/],
    ["<f16", /wider than 64 bits; save the array as float64/],
    ["<U5", /texts/],
    ["|V8", /records/],
    ["<M8", /dates/],
  ] as const)
    await expect(readImage(npy(descr, new Uint8Array(64)))).rejects.toThrow(words);
});

test("voxels that begin like an image are still those of the header beside them", async () => {
  const [{ bytes: inner }] = await writeImage("a.nii", makeVolume({ data: bytes, shape: [1, 2, 3, 2] }));
  const volume = makeVolume({ data: Uint8Array.from(inner), shape: [1, 1, 1, inner.length] });
  for (const name of ["a.mhd", "a.hdr"]) {
    const files = await writeImage(name, volume);
    expect([...(await readImage(files.map((f) => named(f.name, f.bytes)))).data], name).toEqual([...inner]);
  }
});

test("Analyze cannot hold more than 32767 in a row", async () => {
  const long = makeVolume({ data: new Uint8Array(40000), shape: [1, 40000, 1, 1] });
  await expect(writeImage("a.hdr", long)).rejects.toThrow(/Analyze has axes of at most 32767/);
});

test("a damaged header of a format that is read is not called another kind of file", async () => {
  const small = meta([]).subarray(0, 8);
  await expect(readImage(named("a.mha", joined("ndims = 3\n", small)))).rejects.toThrow(/a\.mha: .*(missing|does not end)/);
});

test("an array in an archive has the checksum that the archive says", async () => {
  for (const name of ["stored.npz", "packed.npz"]) {
    const [file] = filesOfRow(storedImages.find((row) => row.name === name)!);
    const damaged = await file.bytes();
    const place = Buffer.from(damaged).indexOf("PK\x01\x02");
    damaged[place + 16] ^= 1;
    await expect(readImage(file)).resolves.toBeDefined();
    await expect(readImage(named(name, damaged))).rejects.toThrow(/does not have the checksum that it says/);
  }
});
