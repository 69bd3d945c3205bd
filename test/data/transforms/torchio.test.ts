/** @file What TorchIO's k-space artifacts, blur and gamma give for the same parameters. Values are those of TorchIO 0.20; draws are replayed. */
import { expect, test } from "vitest";
import * as T from "../../../src/data/transforms/index.ts";
import { makeVolume } from "../../../src/data/volume.ts";
import { ConfigError, ShapeError } from "../../../src/host/errors.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { type Draw, ReplaySource } from "../../lib/replay.ts";

const image: HostArray<Float32Array> = {
  data: Float32Array.from({ length: 240 }, (_, i) => 3 * Math.fround(Math.sin((i + 1) * 0.7)) + 1),
  shape: [2, 5, 6, 4],
};
const volume = makeVolume(image, [[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0.5, 0], [0, 0, 0, 1]]); // prettier-ignore
const places = [0, 1, 17, 38, 59, 77, 101, 119, 120, 150, 200, 239];
const uniform = (value: number): Draw => ["uniform", [], value];

test.each<[string, T.RandomTransform, readonly Draw[], number[]]>([
  [
    "RandomGhosting: every third plane, the middle one kept",
    new T.RandomGhosting({ numGhosts: 3, axes: [1], intensity: 0.7, restore: 0.02 }),
    [["rand", [], 0], ["randint", [3, 4], 3], ["randint", [1], 0], uniform(0.7)],
    [3.20256, 3.0425, 0.18702, 2.21525, -0.27977, -0.68107, 1.54281, 3.25408, -0.09048, 0.06447, 1.55356, -0.73893],
  ],
  [
    "RandomGhosting: every second plane",
    new T.RandomGhosting({ numGhosts: 2, axes: [0], intensity: 1 }),
    [["rand", [], 0], ["randint", [2, 3], 2], ["randint", [1], 0], uniform(1)],
    [-0.06681, 1.49663, -1.09802, 1.82, -0.22115, 0.1713, 0.26408, 0.19123, 3.2193, 0.16988, 1.19134, -0.02855],
  ],
  [
    "RandomSpike: the second spike counts in a spectrum with the first",
    new T.RandomSpike({ numSpikes: 2, intensity: 1.5 }),
    [["rand", [], 0], ["randint", [2, 3], 2], ["rand", [6], [0.1, 0.3, 0.6, 0.8, 0.5, 0.1]], uniform(1.5)],
    [7.03842, 3.05067, -2.20487, 0.16035, -4.08895, -4.12775, 6.7558, 5.05949, 4.65633, -3.34088, 4.40031, -0.64356],
  ],
  [
    "RandomBlur: millimeters of a volume, mirrored outside",
    new T.RandomBlur(),
    [["rand", [], 0], uniform(1.2), uniform(0.6), uniform(0.4)],
    [1.48045, 1.88763, 0.52462, 0.9251, 0.99386, 0.98863, 1.38924, 1.61231, 1.48297, 1.01987, 1.42791, -0.17673],
  ],
  [
    "RandomGamma: one per channel",
    new T.RandomGamma(),
    [["rand", [], 0], uniform(Math.log(1.3)), uniform(Math.log(0.7))],
    [4.04985, 5.977, 1.13307, 5.06261, -2.06923, -2.12907, 4.65994, 4.53544, 1.24531, -1.44541, 2.09019, -1.61968],
  ],
])("%s", (_, transform, draws, expected) => {
  const source = new ReplaySource(draws);
  transform.setRandomState(source);
  const out = transform.apply(volume) as HostArray;
  expect(source.remaining).toBe(0);
  places.forEach((at, i) => expect(out.data[at]).toBeCloseTo(expected[i], 3));
});

test("ranges of a blur: one number, per axis, both ends per axis", () => {
  const sigmas = (std: number | number[]): readonly (readonly unknown[])[] => {
    const asked: number[][] = [];
    const t = new T.RandomBlur({ std });
    t.setRandomState(
      Object.assign(new ReplaySource([]), { rand: () => 0, uniform: (a: number, b: number) => asked.push([a, b]) }) as never,
    );
    t.randomize(image);
    return asked;
  };
  expect(sigmas(2)).toEqual([[0, 2], [0, 2], [0, 2]]); // prettier-ignore
  expect(sigmas([1, 2])).toEqual([[1, 2], [1, 2], [1, 2]]); // prettier-ignore
  expect(sigmas([1, 2, 3])).toEqual([[0, 1], [0, 2], [0, 3]]); // prettier-ignore
  expect(sigmas([1, 2, 3, 4, 5, 6])).toEqual([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
  expect(() => sigmas([1, 2, 3, 4])).toThrow(ConfigError);
});

test("ghosts of a slice lie along its axes, none change nothing", () => {
  const slice = { data: image.data.slice(0, 30), shape: [1, 5, 6, 1] };
  const t = new T.RandomGhosting({ numGhosts: 2 });
  t.setRandomState(0);
  for (let i = 0; i < 10; i++) expect(t.apply(slice).data).not.toEqual(slice.data);
  const none = new T.RandomGhosting({ numGhosts: 0 });
  expect(none.apply(slice)).toBe(slice);
  expect(() => new T.RandomGhosting({ numGhosts: 1.5 })).toThrow(ConfigError);
});

test("gammas drawn for two channels are refused for one", () => {
  const t = new T.RandomGamma();
  t.randomize(image);
  expect(() => t.applyDrawn({ data: image.data.slice(0, 120), shape: [1, 5, 6, 4] })).toThrow(ShapeError);
});

test("one number is a range around 0 for spikes and one intensity for ghosts; ranges that descend are refused", () => {
  const asked: number[][] = [];
  const record = Object.assign(new ReplaySource([]), {
    rand: (n?: number) => (n === undefined ? 0 : new Float64Array(n)),
    randint: () => 0,
    uniform: (...range: number[]) => asked.push(range),
  });
  for (const t of [new T.RandomSpike({ intensity: 2 }), new T.RandomGhosting({ intensity: 0.5 })]) {
    t.setRandomState(record as never);
    t.randomize(image);
  }
  expect(asked).toEqual([[-2, 2], [0.5, 0.5]]); // prettier-ignore
  for (const make of [
    () => new T.RandomSpike({ intensity: [3, 1] }),
    () => new T.RandomSpike({ numSpikes: [2, 1] }),
    () => new T.RandomGhosting({ intensity: [1, 0.5] }),
    () => new T.RandomGamma({ logGamma: [0.1, -0.1] }),
    () => new T.RandomNoise({ std: [1, 0] }),
    () => new T.RescaleIntensity({ inMinMax: [1, 0] }),
  ])
    expect(make).toThrow(ConfigError);
});

test("an image that clipping makes flat stays as it was", () => {
  const data = new Float32Array(30).fill(2);
  data.set([40, -7, 0]);
  const spiked = { data, shape: [1, 5, 6] };
  expect(new T.RescaleIntensity({ percentiles: [40, 60] }).apply(spiked).data).toEqual(data);
  expect(new T.RescaleIntensity({ inMinMax: [5, 5] }).apply(spiked).data).toEqual(data);
});
