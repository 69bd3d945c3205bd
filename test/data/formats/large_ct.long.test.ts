/** @file A CT of 512 × 512 × 600 voxels is read in no more than twice its memory, packed or not, as NIfTI, NRRD and MetaImage. */

import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createDeflate, createGzip } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeNifti } from "../../../src/data/formats/nifti/nifti.ts";
import { makeVolume } from "../../../src/data/volume.ts";
import { runChild } from "../../lib/child.ts";

const [nx, ny, nz] = [512, 512, 600];
const volumeBytes = 2 * nx * ny * nz;
let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "voxgrad-ct-"))));
afterAll(() => rm(dir, { recursive: true }));

function niftiHeader(): Uint8Array {
  const header = encodeNifti(makeVolume({ data: new Int16Array(1), shape: [1, 1, 1, 1] })).slice(0, 352);
  [nx, ny, nz].forEach((n, i) => new DataView(header.buffer).setInt16(42 + 2 * i, n, true));
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
test.each([
  ["ct.nii", niftiHeader(), undefined],
  ["ct.nii.gz", new Uint8Array(0), createGzip(fast)],
  ["ct.nrrd", nrrd("gzip"), createGzip(fast)],
  ["ct_raw.nrrd", nrrd("raw"), undefined],
  ["ct.mha", meta, createDeflate(fast)],
] as const)("%s", { timeout: 600_000 }, async (name, head, packer) => {
  const path = join(dir, name);
  const out = createWriteStream(path);
  out.write(head);
  const source = Readable.from(
    (function* () {
      if (name.endsWith(".nii.gz")) yield Buffer.from(niftiHeader());
      yield* slices();
    })(),
  );
  if (packer) await pipeline(source, packer, out);
  else await pipeline(source, out);

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
  await rm(path);
});
