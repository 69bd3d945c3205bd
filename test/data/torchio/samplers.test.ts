/** @file TorchIO's samplers and its aggregator: patches of items, their places, and what is put together of them. */

import { expect, test } from "vitest";
import { DataLoader } from "../../../src/data/loading/loader.ts";
import { GridAggregator, GridSampler, type OverlapMode } from "../../../src/data/torchio/grid_sampler.ts";
import type { Location } from "../../../src/data/torchio/patch.ts";
import { Queue } from "../../../src/data/torchio/queue.ts";
import {
  labelProbabilityMap,
  LabelSampler,
  UniformSampler,
  validCenters,
  WeightedSampler,
} from "../../../src/data/torchio/random_samplers.ts";
import { identityAffine, makeVolume, type Volume } from "../../../src/data/volume.ts";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";
import { ConfigError, DataError, ShapeError } from "../../../src/host/errors.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";

const image = makeVolume({ data: Float32Array.from({ length: 7 * 6 * 5 }, (_, i) => i), shape: [1, 7, 6, 5] }, identityAffine);
const location = (patch: Record<string, unknown>) => patch.location as Location;

test("patches of a grid, put together, are the image, in every mode and with padding", () => {
  for (const overlapMode of ["crop", "average", "hann"] as OverlapMode[]) {
    for (const paddingMode of [null, "edge", 3] as const) {
      const grid = new GridSampler({ image, name: "x" }, { patchSize: [4, 4, 3], patchOverlap: [2, 2, 0], paddingMode });
      const aggregator = new GridAggregator(grid, { overlapMode });
      for (const patch of grid) {
        const { data, shape } = patch.image as Volume;
        aggregator.addBatch({ data, shape: [1, ...shape] }, [location(patch)]);
      }
      const out = aggregator.getOutput();
      expect(out.shape).toEqual(image.shape);
      out.data.forEach((v, i) => expect(v).toBeCloseTo(image.data[i], 3));
    }
  }
});

test("outputs of half the size are put together without holes, in every mode and with padding", () => {
  const size = [12, 8, 4];
  const whole = { data: Float32Array.from({ length: sizeOf(size) }, (_, i) => i), shape: [1, ...size] };
  const everySecond = ({ data, shape: [, x, y, z] }: HostArray): HostArray => {
    const shape = [1, x / 2, y / 2, z / 2];
    const small = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
      const [k, j] = [i % (z / 2), Math.floor(i / (z / 2)) % (y / 2)];
      return data[(2 * Math.floor((4 * i) / (y * z)) * y + 2 * j) * z + 2 * k];
    });
    return { data: small, shape };
  };
  for (const overlapMode of ["crop", "average", "hann"] as OverlapMode[]) {
    for (const paddingMode of [null, "edge"] as const) {
      const grid = new GridSampler({ whole }, { patchSize: [8, 6, 4], patchOverlap: [4, 4, 0], paddingMode });
      const aggregator = new GridAggregator(grid, { overlapMode, downsamplingFactor: 2 });
      for (const patch of grid) {
        const { data, shape } = everySecond(patch.whole as HostArray);
        aggregator.addBatch({ data, shape: [1, ...shape] }, [location(patch)]);
      }
      const [out, wanted] = [aggregator.getOutput(), everySecond(whole)];
      expect(out.shape).toEqual(wanted.shape);
      wanted.data.forEach((v, i) => expect(out.data[i]).toBeCloseTo(v, 3));
    }
  }
});

test("a patch keeps its place in the patient", () => {
  const grid = new GridSampler({ image, name: "x" }, { patchSize: [4, 4, 3] });
  const last = grid.get(grid.length - 1);
  expect(location(last)).toEqual([3, 2, 2, 7, 6, 5]);
  expect((last.image as Volume).affine.map((row) => row[3])).toEqual([3, 2, 2, 1]);
  expect(last.name).toBe("x");
});

test("random patches lie where they may, by labels and by maps", () => {
  const random = new RandomState(0);
  const label = { data: Float32Array.from(image.data, (_, i) => (i === 102 ? 2 : i % 50 === 7 ? 1 : 0)), shape: image.shape };
  const item = { image, label };
  for (const patch of new UniformSampler([4, 3, 2]).patches(item, 50, random))
    expect((patch.image as Volume).shape).toEqual([1, 4, 3, 2]);
  const center = (patch: Record<string, unknown>) => {
    const at = location(patch);
    return ((at[0] + 1) * 6 + at[1] + 1) * 5 + at[2] + 1;
  };
  const valid = validCenters([7, 6, 5], 3).data;
  const labeled = new LabelSampler(3, { labelName: "label", labelProbabilities: { 0: 0, 1: 1, 2: 1 } }).patches(
    item,
    400,
    random,
  );
  const centers = labeled.map(center);
  expect(centers.every((c) => valid[c] === 1 && label.data[c] > 0)).toBe(true);
  expect(Math.abs(centers.filter((c) => label.data[c] === 2).length - 200)).toBeLessThan(40);
  expect(new WeightedSampler(3, "label").patches(item, 20, random).every((p) => label.data[center(p)] > 0)).toBe(true);
  expect(() => new WeightedSampler(3, "none").patches(item, 1, random)).toThrow(ConfigError);
  expect(() => new LabelSampler(7).patches(item, 1, random)).toThrow(ShapeError);
  const empty = { image, label: { data: new Float32Array(210), shape: image.shape } };
  expect(() => new LabelSampler(3).patches(empty, 1, random)).toThrow(DataError);
  expect(() => labelProbabilityMap(item.label, { 0: 0 }, 3)).toThrow(/one of them above 0/);
});

test("a queue mixes the patches of volumes", async () => {
  const volumes = [0, 1, 2, 3].map((id) => ({ id, image }));
  const queue = new Queue(volumes, { maxLength: 8, samplesPerVolume: 5, sampler: new UniformSampler(3) });
  const ids: number[] = [];
  for await (const batch of new DataLoader(queue, { batchSize: 4 })) ids.push(...batch.id.data);
  expect([...ids].sort()).toEqual([0, 1, 2, 3].flatMap((id) => [id, id, id, id, id]));
  expect(ids).not.toEqual([...ids].sort());
});

test("errors", () => {
  for (const options of [{ patchSize: 8 }, { patchSize: 4, patchOverlap: 4 }, { patchSize: 4, patchOverlap: 1 }])
    expect(() => new GridSampler({ image }, options)).toThrow(ConfigError);
  expect(() => new GridSampler({ path: "x.nii" }, { patchSize: 2 })).toThrow(ShapeError);
  const grid = new GridSampler({ image }, { patchSize: 3 });
  expect(() => new GridAggregator(grid).getOutput()).toThrow(ConfigError);
  expect(() => new GridAggregator(grid).addBatch(image, [])).toThrow(ShapeError);
  expect(() => new GridAggregator(grid, { overlapMode: "mean" as OverlapMode })).toThrow(ConfigError);
});
