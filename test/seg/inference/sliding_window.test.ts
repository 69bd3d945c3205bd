/** @file Sliding windows: where they lie, how they are weighted, and that volumes come back whole. */

import { describe, expect, it } from "vitest";
import { computeImportanceMap, slidingWindowInference, slidingWindowStarts } from "../../../src/seg/inference/sliding_window.ts";
import { SliceInferer, SlidingWindowInferer } from "../../../src/seg/inference/inferers.ts";
import { Identity } from "../../../src/nn/index.ts";
import { expectClose } from "../../lib/compare.ts";
import type { WindowCoord } from "../../../src/seg/inference/window_outputs.ts";
import { ConfigError, ShapeError } from "../../../src/host/errors.ts";
import { sizeOf, type HostArray } from "../../../src/host/array.ts";

const ramp = (...shape: number[]): HostArray => ({ data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => i + 1), shape });
const same = (x: HostArray): HostArray => x;
/** Every window becomes its own mean: shows which windows cover a voxel. */
const mean = ({ data, shape }: HostArray): HostArray => {
  const size = data.length / shape[0];
  const out = new Float32Array(data.length);
  for (let b = 0; b < shape[0]; b++) {
    const window = data.subarray(b * size, (b + 1) * size) as Float32Array;
    out.fill(window.reduce((s, v) => s + v, 0) / size, b * size, (b + 1) * size);
  }
  return { data: out, shape };
};

describe("slidingWindowStarts", () => {
  it("steps by roi·(1 − overlap) and shifts the last window back to the border", () => {
    expect(slidingWindowStarts([10], [4], 0.25)).toEqual({ scanInterval: [3], starts: [[0], [3], [6]] });
    expect(slidingWindowStarts([11], [4], 0.25).starts).toEqual([[0], [3], [6], [7]]);
    expect(slidingWindowStarts([5, 4], [2, 4], 0.9)).toEqual({
      scanInterval: [1, 4],
      starts: [
        [0, 0],
        [1, 0],
        [2, 0],
        [3, 0],
      ],
    });
    expect(slidingWindowStarts([3, 3], [2, 2], 0).starts).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
  });

  it("cuts a window that is larger than the image, as MONAI's dense_patch_slices", () => {
    expect(slidingWindowStarts([10, 11], [4, 12], [0.5, 0.3])).toEqual({
      scanInterval: [2, 8],
      starts: [
        [0, 0],
        [2, 0],
        [4, 0],
        [6, 0],
      ],
    });
  });

  it("refuses an overlap of 1", () => {
    expect(() => slidingWindowStarts([8], [4], 1)).toThrow(ConfigError);
    expect(() => slidingWindowStarts([8], [4], NaN)).toThrow(/\[0, 1\)/);
    expect(() => slidingWindowStarts([8], [4], [0, 0])).toThrow(/expected 1/);
  });
});

describe("computeImportanceMap", () => {
  it("is flat, or a gaussian with a floor", () => {
    expect(Array.from(computeImportanceMap([2, 2]).data)).toEqual([1, 1, 1, 1]);
    const row = computeImportanceMap([8], "gaussian").data; // values of MONAI's compute_importance_map
    [0.0021874912, 0.043936934, 0.32465246, 0.8824969].forEach((w, i) => {
      expect(row[i]).toBeCloseTo(w, 6);
      expect(row[7 - i]).toBeCloseTo(w, 6);
    });
    expect(Math.min(...computeImportanceMap([48, 48], "gaussian").data)).toBeCloseTo(1e-3, 8);
    expect(() => computeImportanceMap([4], "hann" as never)).toThrow(ConfigError);
  });
});

describe("slidingWindowInference", () => {
  it("gives the image back for an identity network, whatever the windows", async () => {
    const image = ramp(2, 2, 7, 9);
    for (const mode of ["constant", "gaussian"] as const)
      for (const roiSize of [[4, 4], [-1, 4], [8, 12], 3]) {
        const out = await slidingWindowInference(image, { roiSize, swBatchSize: 3, overlap: 0.5, mode }, same);
        expect(out.shape).toEqual(image.shape);
        out.data.forEach((v, i) => expect(v).toBeCloseTo(image.data[i], 3));
      }
  });

  it("averages overlapping windows by weight", async () => {
    const image: HostArray = { data: Float32Array.of(0, 0, 6, 6, 0), shape: [1, 1, 5] };
    const options = { roiSize: [3], overlap: 0.5 }; // interval 1: windows at 0, 1, 2 with means 2, 4, 4
    expect(Array.from((await slidingWindowInference(image, options, mean)).data)).toEqual([2, 3, Math.fround(10 / 3), 4, 4]);
    const roiWeightMap: HostArray = { data: Float32Array.of(1, 2, 1), shape: [3] };
    const weighted = await slidingWindowInference(image, { ...options, roiWeightMap }, mean);
    expect(Array.from(weighted.data)).toEqual([2, Math.fround(8 / 3), 3.5, 4, 4]);
  });

  it("batches windows across images and reports progress", async () => {
    const sizes: number[] = [];
    const seen: number[][] = [];
    const count = (x: HostArray): HostArray => {
      sizes.push(x.shape[0]);
      return x;
    };
    const options = { roiSize: [2], overlap: 0, swBatchSize: 4, onProgress: (...p: number[]) => seen.push(p) };
    await slidingWindowInference(ramp(2, 1, 6), options, count);
    expect(sizes).toEqual([4, 2]);
    expect(seen).toEqual([
      [4, 6],
      [6, 6],
    ]);
  });

  it.each([
    ["constant", [9, 9, 1, 2, 3, 9, 9, 9]],
    ["replicate", [1, 1, 1, 2, 3, 3, 3, 3]],
    ["circular", [2, 3, 1, 2, 3, 1, 2, 3]],
  ] as const)("pads a short image (%s): half before, the rest after", async (paddingMode, expected) => {
    const windows: number[][] = [];
    const keep = (x: HostArray): HostArray => {
      windows.push(Array.from(x.data));
      return x;
    };
    const out = await slidingWindowInference(ramp(1, 1, 3), { roiSize: 8, paddingMode, cval: 9 }, keep);
    expect(windows).toEqual([expected]);
    expect(Array.from(out.data)).toEqual([1, 2, 3]);
  });

  it("reflects without repeating the border and refuses to reflect further than the image", async () => {
    let window: number[] = [];
    const keep = (x: HostArray): HostArray => {
      window = Array.from(x.data);
      return x;
    };
    await slidingWindowInference(ramp(1, 1, 3), { roiSize: 6, paddingMode: "reflect" }, keep);
    expect(window).toEqual([2, 1, 2, 3, 2, 1]);
    await expect(slidingWindowInference(ramp(1, 1, 3), { roiSize: 9, paddingMode: "reflect" }, keep)).rejects.toThrow(ShapeError);
  });

  it("takes more output channels and rejects another batch", async () => {
    const double = ({ data, shape }: HostArray): HostArray => ({
      data: Float32Array.of(...data, ...data),
      shape: [1, 2, ...shape.slice(2)],
    });
    const out = await slidingWindowInference(ramp(1, 1, 4, 3), { roiSize: [2, 3], overlap: 0 }, double);
    expect(out.shape).toEqual([1, 2, 4, 3]);
    expect(out.data[12]).toBe(1);
    const shrink = (x: HostArray): HostArray => ({ data: new Float32Array(x.shape[0] + 1), shape: [x.shape[0] + 1, 1, 1, 1] });
    await expect(slidingWindowInference(ramp(1, 1, 4, 3), { roiSize: 2 }, shrink)).rejects.toThrow(/returned \[2,1,1,1\]/);
  });

  it("joins several outputs, each at its scale, by name or in a list", async () => {
    const x = ramp(1, 1, 12);
    const halves = ({ data, shape: [n, c, w] }: HostArray) => ({
      data: data.filter((_, i) => i % 2 === 0),
      shape: [n, c, w / 2],
    });
    const options = { roiSize: 8, overlap: 0.5, swBatchSize: 2, mode: "gaussian" } as const;
    const named = await slidingWindowInference(x, options, (w) => ({ same: w, half: halves(w) }));
    expectClose("whole", named.same.data, x.data, 1e-5);
    expect(named.half.shape).toEqual([1, 1, 6]);
    expectClose(
      "half",
      named.half.data,
      [...x.data].filter((_, i) => i % 2 === 0),
      1e-5,
    );
    const [a, b] = await slidingWindowInference(x, options, (w): HostArray[] => [w, halves(w)]);
    expect([a, b]).toEqual([named.same, named.half]);
    // With buffers a first output is kept, in the form that it came in.
    const kept = await slidingWindowInference(x, { ...options, bufferSteps: 1 }, (w) => ({ same: w, double: w }));
    expect(kept).toEqual({ double: named.same });
    const list = await slidingWindowInference(x, { ...options, bufferSteps: 1 }, (w): HostArray[] => [w, w]);
    expect(list).toEqual([named.same]);
    expect(await slidingWindowInference(x, { ...options, bufferSteps: -1 }, (w) => ({ same: w, half: halves(w) }))).toEqual(
      named,
    );
    // What `processFn` gives beyond the names has none, and is left out.
    const one = await slidingWindowInference(
      x,
      { ...options, processFn: ([same], _, weights) => ({ outputs: [same, same], weights }) },
      (w) => ({ same: w }),
    );
    expect(Object.keys(one)).toEqual(["same"]);
    expect(one).toEqual({ same: named.same });
    // Padded by 2 before and after: half of it is taken away at half scale.
    const small = await slidingWindowInference(ramp(1, 1, 4), { roiSize: 8 }, halves);
    expect([small.shape, Array.from(small.data)]).toEqual([
      [1, 1, 2],
      [1, 3],
    ]);
    // 49 · (1 / 49) is less than 1, also upstream.
    const first = ({ shape: [n, c] }: HostArray) => ({ data: new Float32Array(n * c), shape: [n, c, 1] });
    await expect(slidingWindowInference(ramp(1, 1, 60), { roiSize: 49 }, first)).rejects.toThrow(ShapeError);
  });

  it("tells predictors where windows are, changes outputs and weights, and goes in the order of buffers", async () => {
    const x = ramp(2, 1, 4, 6);
    const seen: string[] = [];
    const told = (w: HostArray, coords: readonly WindowCoord[]): HostArray => {
      seen.push(coords.map((c) => `${c.image}:${c.start}-${c.end}`).join(" "));
      return w;
    };
    const options = { roiSize: [2, 4], overlap: 0, swBatchSize: 3, withCoord: true };
    const plain = await slidingWindowInference(x, options, told);
    expect(seen.slice(0, 2)).toEqual(["0:0,0-2,4 0:0,2-2,6 0:2,0-4,4", "0:2,2-4,6 1:0,0-2,4 1:0,2-2,6"]);
    seen.length = 0;
    const buffered = await slidingWindowInference(x, { ...options, bufferSteps: 1 }, told);
    expect(seen).toEqual(["0:0,0-2,4 0:2,0-4,4", "0:0,2-2,6 0:2,2-4,6", "1:0,0-2,4 1:2,0-4,4", "1:0,2-2,6 1:2,2-4,6"]);
    expectClose("buffered", buffered.data, plain.data, 1e-6);
    const doubled = await slidingWindowInference(
      x,
      {
        ...options,
        processFn: (outputs, _windows, weights) => ({
          outputs: outputs.map((o) => ({ ...o, data: Float32Array.from(o.data, (v) => 2 * v) })),
          weights: { data: Float32Array.from(weights.data, (v) => 3 * v), shape: [1, 1, ...weights.shape] },
        }),
      },
      told,
    );
    expectClose(
      "doubled",
      doubled.data,
      x.data.map((v) => 2 * v),
      1e-5,
    );
    await expect(slidingWindowInference(x, { ...options, bufferSteps: 1, bufferDim: 2 }, told)).rejects.toThrow(/bufferDim/);
  });

  it("names options outside their range", async () => {
    const run = (o: object): Promise<HostArray> => slidingWindowInference(ramp(1, 1, 4), { roiSize: 2, ...o }, same);
    await expect(run({ swBatchSize: 0 })).rejects.toThrow(/swBatchSize/);
    await expect(run({ roiSize: [2, 2] })).rejects.toThrow(/roiSize/);
    await expect(run({ roiSize: 1.5 })).rejects.toThrow(ConfigError);
    await expect(run({ bufferSteps: 0.5 })).rejects.toThrow(/bufferSteps/);
    await expect(run({ roiSize: 8, paddingMode: "edge" })).rejects.toThrow(/paddingMode/);
    await expect(run({ roiWeightMap: ramp(3) })).rejects.toThrow(ShapeError);
    await expect(slidingWindowInference(ramp(4, 4), { roiSize: 2 }, same)).rejects.toThrow(ShapeError);
  });
});

describe("SlidingWindowInferer and SliceInferer", () => {
  it("a signal ends the run of a function between its batches", async () => {
    const windows = { roiSize: [2, 2], overlap: 0 };
    for (const make of [
      (signal: AbortSignal) => new SlidingWindowInferer({ ...windows, roiSize: [1, 2, 2], signal }),
      (signal: AbortSignal) => new SliceInferer({ ...windows, signal }),
    ]) {
      const stop = new AbortController();
      let calls = 0;
      const predict = (x: HostArray) => {
        if (++calls === 2) stop.abort(new Error("enough"));
        return x;
      };
      await expect(make(stop.signal).run(ramp(1, 1, 2, 4, 4), predict)).rejects.toThrow("enough");
      expect(calls).toBe(2);
      await expect(make(new AbortController().signal).run(ramp(1, 1, 2, 4, 4), { predict })).resolves.toMatchObject({
        shape: [1, 1, 2, 4, 4],
      });
    }
  });

  it("run a function or an object with predict", async () => {
    const image = ramp(1, 1, 4, 4);
    const inferer = new SlidingWindowInferer({ roiSize: [2, 2] });
    expect(Array.from((await inferer.run(image, same)).data)).toEqual(Array.from(image.data));
    expect(Array.from((await inferer.run(image, { predict: async (x) => x })).data)).toEqual(Array.from(image.data));
  });

  it.each([0, 1, 2])("show the network 2-D slices along axis %i", async (spatialDim) => {
    const volume = ramp(1, 2, 3, 4, 5);
    const shapes = new Set<string>();
    const look = (x: HostArray): HostArray => {
      shapes.add(String(x.shape.slice(1)));
      return x;
    };
    const roiSize = [6, 6];
    const out = await new SliceInferer({ roiSize, spatialDim, paddingMode: "replicate", overlap: [0.5, 0.25] }).run(volume, look);
    expect([...shapes]).toEqual(["2,6,6"]);
    expect(out.shape).toEqual(volume.shape);
    expect(Array.from(out.data)).toEqual(Array.from(volume.data));
  });

  it("slice along the named axis", async () => {
    const means = await new SliceInferer({ roiSize: [-1, -1], spatialDim: 1, swBatchSize: 2 }).run(ramp(1, 1, 2, 3, 2), mean);
    // Slice k holds 1+2k, 2+2k, 7+2k, 8+2k.
    expect(Array.from(means.data)).toEqual([4.5, 4.5, 6.5, 6.5, 8.5, 8.5, 4.5, 4.5, 6.5, 6.5, 8.5, 8.5]);
  });

  it("refuse options that mean nothing to a function, and say who they are for", async () => {
    const options = { roiSize: [2, 2], maxBytes: 1000, mirrorAxes: [0] };
    const run = new SlidingWindowInferer(options).run(ramp(1, 1, 4, 4), same);
    await expect(run).rejects.toThrow(/mirrorAxes, maxBytes are for networks.*give the network itself/);
    const slices = new SliceInferer(options).run(ramp(1, 1, 2, 4, 4), same);
    await expect(slices).rejects.toThrow(/mirrorAxes, maxBytes are for networks/);
    const network = new SlidingWindowInferer({ roiSize: [2, 2], withCoord: true }).run(ramp(1, 1, 4, 4), new Identity());
    await expect(network).rejects.toThrow(/withCoord is for functions of host arrays.*new Predictor/);
  });

  it("refuse what is no volume or no slice", async () => {
    expect(() => new SliceInferer({ roiSize: [4, 4, 4] })).toThrow(ConfigError);
    expect(() => new SliceInferer({ roiSize: [4, 4], spatialDim: 3 })).toThrow(ConfigError);
    const run = new SliceInferer({ roiSize: [4, 4] }).run(ramp(1, 1, 4, 4), same);
    await expect(run).rejects.toThrow(/\[N, C, D, H, W\]/);
  });
});
