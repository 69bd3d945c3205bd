/** @file Folders that Python's nnU-Net trained, predicted with here: the label maps are the ones it wrote. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readImageFile, readNiftiFile } from "../../../src/data/index.node.ts";
import { openNnunetModel } from "../../../src/seg/nnunet/model_folder.ts";
import { device } from "../../lib/device.ts";

const folder = join(process.env.VOXGRAD_DATA ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url)), "nnunet");

describe.skipIf(!existsSync(folder))("trained by nnU-Net", () => {
  test.each(["A_3d", "B_2d"])("%s", { timeout: 300_000 }, async (name) => {
    const gpu = await device();
    const model = await openNnunetModel(gpu, async (path) => {
      const file = join(folder, name, path);
      return existsSync(file) ? readFileSync(file) : undefined;
    });
    for (const id of ["hippocampus_389", "hippocampus_394"]) {
      const image = await readNiftiFile(join(folder, `${name}_input`, `${id}_0000.nii.gz`));
      for (const mirroring of [false, true]) {
        const file = join(folder, `${name}_predicted${mirroring ? "_mirror" : ""}`, `${id}.nii.gz`);
        const wanted = await readNiftiFile(file);
        const probabilities = mirroring && id === "hippocampus_389";
        const got = await model.predict(image, { mirroring, probabilities });
        const different = Array.from(wanted.data).filter((v, i) => v !== got.labels.data[i]).length;
        expect(different, `${id}, mirroring ${mirroring}`).toBeLessThanOrEqual(1e-4 * wanted.data.length);
        expect(got.labels.affine).toEqual(wanted.affine);
        if (!probabilities) continue;
        // [K, z, y, x]; sums in f16 round the other way at one voxel in ten thousand.
        const saved = await readImageFile(file.replace(".nii.gz", ".npz"));
        const [k, nx, ny, nz] = got.probabilities!.shape;
        let far = 0;
        for (let c = 0; c < k; c++)
          for (let x = 0; x < nx; x++)
            for (let y = 0; y < ny; y++)
              for (let z = 0; z < nz; z++) {
                const ours = got.probabilities!.data[((c * nx + x) * ny + y) * nz + z];
                if (Math.abs(ours - saved.data[((c * nz + z) * ny + y) * nx + x]) > 1e-4) far++;
              }
        expect(far).toBeLessThan(3e-4 * saved.data.length);
      }
    }
    model.dispose();
  });
});
