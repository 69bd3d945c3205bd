/** @file `PatchInferer` on the device and on volumes, and what it, its splitter and its merger refuse. MONAI's numbers are in test/conformance/more. */
import { describe, expect, test } from "vitest";
import { makeVolume } from "../../../src/data/volume.ts";
import { ConfigError, ShapeError } from "../../../src/host/errors.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { Conv } from "../../../src/nn/index.ts";
import { AvgMerger } from "../../../src/seg/inference/merger.ts";
import { PatchInferer, type PatchInfererOptions } from "../../../src/seg/inference/patch_inferer.ts";
import { SlidingWindowSplitter } from "../../../src/seg/inference/splitter.ts";
import { expectClose } from "../../lib/compare.ts";
import { device } from "../../lib/device.ts";

const gpu = await device();
const ramp = { data: Float32Array.from({ length: 60 }, (_, i) => i), shape: [1, 1, 3, 4, 5] };
const same = (x: HostArray): HostArray => x;
const splitter = new SlidingWindowSplitter({ patchSize: 2, overlap: 1 });

describe("PatchInferer", () => {
  test("runs a network on its device, for arrays and tensors, a coarser output as an image of that size", async () => {
    const network = new Conv(gpu, { spatialDims: 3, inChannels: 1, outChannels: 2, kernelSize: 2, stride: 2 });
    const inferer = new PatchInferer({ splitter: new SlidingWindowSplitter({ patchSize: [2, 2, 2] }), batchSize: 5 });
    const out = await inferer.run(ramp, network);
    expect(out.shape).toEqual([1, 2, 2, 2, 2]);
    // Patches of the kernel's size, so the network gives the same for the padded image.
    const padded = { data: new Float32Array(96), shape: [1, 1, 4, 4, 6] };
    for (let i = 0; i < 60; i++) padded.data[Math.floor(i / 20) * 24 + (Math.floor(i / 5) % 4) * 6 + (i % 5)] = i;
    const whole = network.forward(gpu.tensor(padded));
    expect(whole.shape).toEqual([1, 2, 2, 2, 3]);
    const all = await whole.data();
    const expected = Float32Array.from({ length: 16 }, (_, i) => all[(i >> 1) * 3 + (i & 1)]);
    expectClose("array", out.data, expected, 1e-5);
    const again = await inferer.run(gpu.tensor(ramp), network);
    expectClose("tensor", again.data, expected, 1e-5);
  });

  test("gives a volume for a volume, in its place where it has as many voxels", async () => {
    const affine = [[2, 0, 0, 5], [0, 3, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1]]; // oxfmt-ignore
    const volume = makeVolume({ data: ramp.data, shape: [1, 3, 4, 5] }, affine);
    const out = await new PatchInferer({ splitter }).run(volume, same);
    expect(out).toMatchObject({ shape: [1, 3, 4, 5], affine, data: ramp.data });
    const mean = (x: HostArray): HostArray => ({ data: x.data.slice(0, x.shape[0]), shape: [x.shape[0], 1, 1, 1, 1] });
    const coarse = await new PatchInferer({ splitter }).run(volume, (x) => ({ fine: x, coarse: mean(x) }));
    expect(coarse.coarse).not.toHaveProperty("affine");
    expect(coarse.coarse.shape).toEqual([1, 2, 2, 2]);
    expect(coarse.fine).toHaveProperty("affine");
  });

  test("averages what is one number per channel of each patch", async () => {
    const out = await new PatchInferer({ splitter: new SlidingWindowSplitter({ patchSize: [3, 4, 1] }), batchSize: 2 }).run(
      ramp,
      ({ data, shape: [b] }) => ({ data: Float32Array.from({ length: b }, (_, i) => data[i * 12]), shape: [b, 1] }),
    );
    expect(out).toEqual({ data: Float32Array.of(2), shape: [1, 1] });
  });

  test("tells how far it is and stops when it is told to", async () => {
    const done: number[] = [];
    const controller = new AbortController();
    const onProgress = (n: number) => (done.push(n), n >= 16 && controller.abort(new Error("enough")));
    const inferer = new PatchInferer({ splitter, batchSize: 8, onProgress, signal: controller.signal });
    await expect(inferer.run(ramp, same)).rejects.toThrow("enough");
    expect(done).toEqual([8, 16]);
  });

  test.each<[string, PatchInfererOptions, unknown, (x: HostArray) => unknown, RegExp]>([
    [
      "no patch",
      { splitter: new SlidingWindowSplitter({ patchSize: 2, filterFn: () => false }) },
      ramp,
      same,
      /there is no patch/,
    ],
    [
      "an output of another batch",
      { splitter, batchSize: 4 },
      ramp,
      () => ({ data: new Float32Array(6), shape: [3, 2] }),
      /for each of 4 patches/,
    ],
    ["an output that is missing", { splitter, outputKeys: ["b"] }, ramp, (a) => ({ a }), /no array "b" \(its keys: a\)/],
    ["an output that is none", { splitter }, ramp, () => 3, /what the network gives must be an object/],
    ["images without a splitter", {}, ramp, same, /set splitter/],
    [
      "patches of other shapes in a batch",
      { batchSize: 2, mergerKwargs: { mergedShape: [1, 1, 4] } },
      [
        { patch: { data: new Float32Array(2), shape: [1, 1, 2] }, location: [0] },
        { patch: { data: new Float32Array(1), shape: [1, 1, 1] }, location: [2] },
      ],
      same,
      /set batchSize to 1/,
    ],
    ["patches without a shape to merge to", {}, [{ patch: ramp, location: [0, 0, 0] }], same, /mergedShape/],
    ["an option of no merger", { splitter, mergerKwargs: { store: "x" } }, ramp, same, /no option "store"/],
    ["a network that is none", { splitter }, ramp, 3 as never, /predictor is the number 3/],
  ])("refuses %s", async (_, options, images, network, why) => {
    const run = async () => new PatchInferer(options).run(images as HostArray, network as never);
    await expect(run()).rejects.toThrow(why);
    await expect(run()).rejects.toSatisfy((e) => e instanceof ConfigError || e instanceof ShapeError);
  });

  test("refuses two outputs of one name, of which one would be lost", () => {
    expect(() => new PatchInferer({ outputKeys: ["a", "b", "a"] })).toThrow(/outputKeys has "a" twice/);
  });
});

describe("SlidingWindowSplitter", () => {
  test("takes a whole axis for a size of 0", () => {
    const [first, ...rest] = new SlidingWindowSplitter({ patchSize: [0, 4, 3], overlap: [2, 0, 0] }).split(ramp);
    expect(first.patch.shape).toEqual([1, 1, 3, 4, 3]);
    expect(rest.map(({ location }) => location)).toEqual([[0, 0, 3]]);
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      "an unknown padding",
      () => new SlidingWindowSplitter({ patchSize: 2, padMode: "edge" as never }),
      /known are constant, reflect/,
    ],
    ["sizes that are none", () => new SlidingWindowSplitter({ patchSize: [2, -1] }), /patchSize must be integers/],
    [
      "another number of axes",
      () => Array.from(new SlidingWindowSplitter({ patchSize: [2, 2] }).split(ramp)),
      /expected 3, one per spatial axis/,
    ],
    [
      "a share that leaves no step",
      () => Array.from(new SlidingWindowSplitter({ patchSize: 2, overlap: 0.9 }).split(ramp)),
      /overlap must be less/,
    ],
  ])("refuses %s", (_, run, why) => {
    expect(run).toThrow(ConfigError);
    expect(run).toThrow(why);
  });
});

describe("AvgMerger", () => {
  const one = { data: Float32Array.of(1), shape: [1, 1, 1] };

  test("counts no further than its type can, and says so", () => {
    const merger = new AvgMerger({ mergedShape: [1, 1, 2] });
    for (let i = 0; i < 255; i++) merger.aggregate(one, [0]);
    expect(() => merger.aggregate(one, [0])).toThrow(/countDtype can count/);
    const wide = new AvgMerger({ mergedShape: [1, 1, 2], countDtype: "int32" });
    for (let i = 0; i < 300; i++) wide.aggregate(one, [1]);
    expect(wide.getCounts()).toEqual({ data: Int32Array.of(0, 300), shape: [1, 1, 2] });
    expect([...wide.getValues().data]).toEqual([0, 300]);
    expect([...wide.getOutput().data]).toEqual([NaN, 1]);
    expect(wide.finalize()).toBe(wide.getValues());
    expect(() => wide.aggregate(one, [0])).toThrow(ConfigError);
  });
});
