/** @file A CT of 512 × 512 × 600 voxels is on the page in a fraction of a minute, without a GPU too. */

import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeVolume, writeNifti } from "../../src/data/index.ts";
import { openSite, type Site, Visit } from "./site.ts";

let site: Site;

beforeAll(async () => {
  site = await openSite();
});

afterAll(() => site?.close());

/** A body with two lungs, 300 MiB, written slice by slice. */
async function writeCt(path: string, [nx, ny, nz]: readonly [number, number, number]): Promise<void> {
  const small = makeVolume({ data: new Int16Array(8), shape: [1, 2, 2, 2] });
  const header = Buffer.from((await writeNifti(small, { dtype: "i16" })).subarray(0, 352));
  for (const [axis, size] of [nx, ny, nz].entries()) header.writeInt16LE(size, 42 + 2 * axis);
  const file = openSync(path, "w");
  writeSync(file, header);
  const slice = new Int16Array(nx * ny);
  for (let z = 0; z < nz; z++) {
    for (let y = 0, i = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) {
        const [u, v, w] = [x / nx - 0.5, y / ny - 0.5, z / nz - 0.5];
        const lung = ((Math.abs(u) - 0.16) / 0.11) ** 2 + (v / 0.18) ** 2 + (w / 0.3) ** 2 < 1;
        slice[i] = (u / 0.38) ** 2 + (v / 0.28) ** 2 > 1 ? -1000 : lung ? -850 : 40 + ((x * 7 + y * 13 + z * 29) % 31);
      }
    writeSync(file, new Uint8Array(slice.buffer));
  }
  closeSync(file);
}

test("it is shown, and the page says that it draws fewer of its voxels", { timeout: 300_000 }, async () => {
  const visit = await Visit.start(site);
  const { page } = visit;
  const path = join(visit.folder(), "ct.nii");
  await writeCt(path, [512, 512, 600]);
  const begin = performance.now();
  await visit.dropPaths("#drop-scan", [path]);
  await page.waitForSelector(".viewer[data-drawn='0']");
  const seconds = (performance.now() - begin) / 1000;
  console.log(`512×512×600: on the page in ${seconds.toFixed(1)} s`);
  expect(seconds).toBeLessThan(90);
  await page.getByText("512 × 512 × 600 voxels of").waitFor();
  await page.getByText("Drawn with 256 × 256 × 300 of its 512 × 512 × 600 voxels.").waitFor();
  await visit.end();
});
