/** @file brainchop's models: their preprocessing, and one on a crop of a head. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readNiftiFile } from "../../../src/data/index.node.ts";
import { noGrad } from "../../../src/index.ts";
import { layersModel } from "../../../src/nn/index.ts";
import { brainchopInput } from "../../../src/seg/index.ts";
import { DataError } from "../../../src/host/errors.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { tfjsLayers } from "../../../src/weights/index.ts";
import { device } from "../../lib/device.ts";
import { openTfjs } from "../../weights/fixtures.ts";

test("brainchop's preprocessing", () => {
  const volume = { data: Uint8Array.from({ length: 24 }, (_, i) => i + 10), shape: [1, 2, 3, 4] };
  const plain = brainchopInput(volume);
  expect([plain.shape, plain.data[0], plain.data[23], plain.data[1]]).toEqual([[1, 1, 2, 3, 4], 0, 1, Math.fround(1 / 23)]);
  const turned = brainchopInput(volume, { transpose: false });
  expect([turned.shape, turned.data[1], turned.data[2]]).toEqual([[1, 1, 4, 3, 2], plain.data[12], plain.data[4]]);
  // Of 24 values the quantiles are those at places 1 and 22.
  const { data } = brainchopInput(volume, { quantileNorm: true });
  expect([data[1], data[22], data[0], data[23]]).toEqual([0, 1, Math.fround(-1 / 21), Math.fround(22 / 21)]);
  expect(() => brainchopInput({ data: new Uint8Array(8), shape: [2, 2, 2] })).toThrow(DataError);
});

const BRAINCHOP = join(
  process.env.VOXGRAD_DATA ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url)),
  "brainchop",
);
const CROP = { first: 120, size: 16 };

/** Voxels `first − reach … first + size + reach − 1` of each axis of `[1, 1, n, n, n]`. */
function cropped({ data, shape }: HostArray, reach: number): HostArray {
  const [n, from, size] = [shape[4], CROP.first - reach, CROP.size + 2 * reach];
  const out = new Float32Array(size ** 3);
  for (let x = 0; x < size; x++)
    for (let y = 0; y < size; y++) {
      const start = ((from + x) * n + from + y) * n + from;
      out.set(data.subarray(start, start + size) as Float32Array, (x * size + y) * size);
    }
  return { data: out, shape: [1, 1, size, size, size] };
}

/** Values of a float32 .npy file. */
const npy = (path: string) => {
  const bytes = readFileSync(path);
  return new Float32Array(new Uint8Array(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer);
};

// The logits of a crop depend on the voxels within the sum of all dilations: with as many around it, the crop alone gives them exactly.
test.skipIf(!existsSync(BRAINCHOP))(
  "model11_gw_ae gives the reference's logits on a crop of the head",
  { timeout: 60_000 },
  async () => {
    const model = await openTfjs("model11_gw_ae", join(BRAINCHOP, "models"));
    const layers = tfjsLayers(model);
    const reach = layers.reduce(
      (r, l) => r + (l.kind === "conv" && l.options.kernelSize[0] === 3 ? l.options.dilation[0] : 0),
      0,
    );
    const gpu = await device();
    const net = layersModel(gpu, model);
    const head = brainchopInput(await readNiftiFile(join(BRAINCHOP, "t1_crop.nii.gz")));
    const out = noGrad(() => net.forward(gpu.tensor(cropped(head, reach))));
    const [, classes, size] = out.shape;
    const got = await out.data();
    const truth = npy(join(BRAINCHOP, "reference", "model11_gw_ae_logits_crop_120_136.npy"));
    expect(truth.length).toBe(classes * CROP.size ** 3);
    let worst = 0;
    truth.forEach((v, i) => {
      const [c, x, y, z] = [Math.floor(i / 4096), (i >> 8) & 15, (i >> 4) & 15, i & 15];
      worst = Math.max(worst, Math.abs(v - got[((c * size + x + reach) * size + y + reach) * size + z + reach]));
    });
    expect(worst).toBeLessThan(1e-4);
    net.dispose();
  },
);
