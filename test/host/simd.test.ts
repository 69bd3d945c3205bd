/** @file The WebAssembly kernels give what the loops in their place give, in every bit: long arrays go through them, their pieces do not. */
import { expect, test, vi } from "vitest";
import * as T from "../../src/data/transforms/index.ts";
import { add, clamp, linear, multiply } from "../../src/data/transforms/intensity/arithmetic.ts";
import { meanAndStd } from "../../src/data/transforms/intensity/moments.ts";
import { areaTable, cubicTable, linearTable, resampleAxes, type Taps } from "../../src/data/transforms/spatial/resample.ts";
import { makeVolume } from "../../src/data/volume.ts";
import { clipSoftly } from "../../src/data/transforms/intensity/soft_clip.ts";
import { type HostArray, sizeOf } from "../../src/host/array.ts";
import { logarithm } from "../../src/host/logarithm.ts";
import { filterNd } from "../../src/host/filter.ts";
import { raise } from "../../src/host/powers.ts";
import { RandomState } from "../../src/host/random/numpy.ts";
import { lanesOf } from "../../src/host/simd/chunks.ts";
import { shift } from "../../src/host/simd/maps.ts";
import { extent } from "../../src/host/stats.ts";
import { copyView } from "../../src/host/strided.ts";

const odd = [0, -0, Infinity, -Infinity, NaN, 1e-40, -1e-40, 3.4e38, 2 ** -126];
const values = new Float32Array(new RandomState(5).normal(0.3, 40, 20_011));
const withOdd = values.slice();
withOdd.set(odd, 9_000);
const piece = 4_096;

type Change = (from: Float32Array, to: Float32Array) => void;

/** Where two arrays differ in a bit; NaN is NaN. */
function differences(x: Float32Array, y: Float32Array): number[] {
  const out: number[] = [];
  for (let i = 0; i < Math.max(x.length, y.length); i++) if (!Object.is(x[i], y[i])) out.push(i);
  return out;
}

function inPieces(change: Change): Float32Array {
  const out = new Float32Array(withOdd.length);
  for (let at = 0; at < out.length; at += piece) change(withOdd.subarray(at, at + piece), out.subarray(at, at + piece));
  return out;
}

const inPlace =
  (change: (data: Float32Array) => void): Change =>
  (from, to) => (to.set(from), change(to));

const changes: Record<string, Change> = {
  add: (from, to) => add(from, 0.1, to),
  multiply: (from, to) => multiply(from, -0.1, to),
  clamp: inPlace((data) => clamp(data, -1.1, 2.3)),
  "linear, quotient": (from, to) => linear(from, 0.3, 3, 1, 0, to),
  "linear, all of it": (from, to) => linear(from, 0.3, -7, 1.7, 0.2, to, -3, 5),
  "linear, no quotient": (from, to) => linear(from, 0.3, 1, 1.7, 0.2, to),
  "raise to 1.7": inPlace((data) => raise(data, 1.7)),
  "raise to -0.4": inPlace((data) => raise(data, -0.4)),
};

test("long arrays go through the kernels, short ones do not", () => {
  const lanesFor = lanesOf({ shift });
  expect(lanesFor(values.length)).toBeDefined();
  expect(lanesFor(piece)).toBeUndefined();
});

for (const [name, change] of Object.entries(changes)) {
  test(`${name}: the bits of the loop`, () => {
    const out = new Float32Array(withOdd.length);
    change(withOdd, out);
    expect(differences(out, inPieces(change))).toEqual([]);
  });
}

test("extent: signs of zeros and NaN", () => {
  const of = (...some: number[]) => {
    const data = new Float32Array(10_003).fill(some[0]);
    data.set(some, 8_500);
    return extent(data);
  };
  expect(extent(values)).toEqual(extent(Array.from(values)));
  expect(of(1, 0, -0, 2)).toEqual({ min: -0, max: 2, firstNaN: -1 });
  expect(of(1, 0, 0, 2)).toEqual({ min: 0, max: 2, firstNaN: -1 });
  expect(of(-1, -0)).toEqual({ min: -1, max: -0, firstNaN: -1 });
  expect(of(-1, 0, -0)).toEqual({ min: -1, max: 0, firstNaN: -1 });
  expect(of(1, 2, NaN)).toEqual({ min: 1, max: 2, firstNaN: 8_502 });
});

test("sums: in the order of the loop", () => {
  const blocks = (of: (v: number) => number): number => {
    let sum = 0;
    for (let start = 0; start < values.length; start += 512) {
      const lanes = [0, 0, 0, 0];
      const end = Math.min(values.length, start + 512);
      const whole = end - ((end - start) % 4);
      for (let i = start; i < end; i++) lanes[i < whole ? i % 4 : 0] += of(values[i]);
      sum += lanes[0] + lanes[1] + (lanes[2] + lanes[3]);
    }
    return sum;
  };
  const mean = blocks((v) => v) / values.length;
  const std = Math.sqrt(blocks((v) => (v - mean) * (v - mean)) / values.length);
  expect(meanAndStd(values, 0)).toEqual({ mean, std, count: values.length });
});

test("rows in reverse, also of a length that is no whole vectors", () => {
  for (const width of [4, 7, 33, 160, 2_047]) {
    const rows = Math.ceil(20_000 / width);
    const data = new Float32Array(new RandomState(1).rand(rows * width));
    const { data: out } = copyView(data, [rows, width], [width, -1], width - 1);
    const expected = new Float32Array(data.length);
    for (let i = 0; i < rows; i++) expected.set(data.slice(i * width, (i + 1) * width).reverse(), i * width);
    expect(differences(out, expected)).toEqual([]);
  }
});

test("thresholds between two float32, and values at them", () => {
  const limits = [0.1, Math.fround(0.1), 0, 1e-46, -1e-46, 40, NaN, Infinity];
  for (const threshold of limits) {
    for (const above of [true, false]) {
      const select = new T.ThresholdIntensity({ threshold, above, cval: -7 });
      const data = withOdd.slice();
      data.set([Math.fround(0.1), Math.fround(0.1) + 2 ** -27], 400);
      const { data: out } = select.apply({ data, shape: [1, data.length] });
      const expected = data.map((v) => ((above ? v > threshold : v < threshold) ? v : -7));
      expect(differences(out as Float32Array, expected)).toEqual([]);
    }
  }
});

test("masks of bytes and floats multiply, so that NaN is seen", () => {
  for (const mask of [Uint8Array.from(withOdd, (v) => (v > 0 ? 200 : 0)), withOdd]) {
    const shape = [1, withOdd.length];
    const { data } = new T.MaskIntensity({ maskData: { data: mask, shape } }).apply({ data: withOdd, shape });
    expect(
      differences(
        data as Float32Array,
        withOdd.map((v, i) => v * Number(mask[i] > 0)),
      ),
    ).toEqual([]);
  }
});

test("one-hot: classes are cut towards zero", () => {
  const data = Float32Array.from(values, (v) => Math.abs(v) % 4);
  const { data: out } = new T.AsDiscrete({ toOnehot: 4 }).apply({ data, shape: [1, data.length] });
  const expected = [0, 1, 2, 3].flatMap((c) => Array.from(data, (v) => Number(Math.trunc(v) === c)));
  expect(differences(out as Float32Array, Float32Array.from(expected))).toEqual([]);
  data[9_000] = 4;
  expect(() => new T.AsDiscrete({ toOnehot: 4 }).apply({ data, shape: [1, data.length] })).toThrow("class 4 is outside");
});

test("normals as float32 are those of float64, rounded, also after an odd number of them", () => {
  for (const before of [0, 1]) {
    const [whole, pieces, wide] = [0, 1, 2].map(() => new RandomState(3));
    for (const random of [whole, pieces, wide]) random.normal(0, 1, before);
    const out = whole.normal(1, 0.3, new Float32Array(20_001));
    const inPieces = new Float32Array(20_001);
    for (let at = 0; at < inPieces.length; at += 4_000) pieces.normal(1, 0.3, inPieces.subarray(at, at + 4_000));
    expect(differences(out, inPieces)).toEqual([]);
    expect(differences(out, new Float32Array(wide.normal(1, 0.3, 20_001)))).toEqual([]);
    expect(whole.getState()).toEqual(wide.getState());
  }
});

test("logarithms to 13 digits, also next to 1", () => {
  for (const v of [1 - 2 ** -53, 1 - 1e-9, 0.998, 0.75, 0.7499, 0.5, 1e-3, 2 ** -104])
    expect(Math.abs(logarithm(v) / Math.log(v) - 1)).toBeLessThan(1e-13);
});

test("linear and area resampling: the sums of the tables, axis by axis", () => {
  const shape = [2, 20, 33, 35];
  const data = new Float32Array(new RandomState(2).normal(0, 1, 2 * 20 * 33 * 35));
  data[77] = Infinity;
  for (const table of [linearTable, areaTable]) {
    for (const size of [
      [15, 40, 51],
      [31, 20, 29],
      [19, 33, 36],
    ]) {
      const tables = size.map((n, a) => table(shape[a + 1], n, false));
      let expected: Float32Array = data;
      const sizes = [...shape];
      tables.forEach((taps, a) => {
        expected = along(expected, sizes, a + 1, taps);
        sizes[a + 1] = size[a];
      });
      expect(differences(resampleAxes({ data, shape }, tables).data, expected)).toEqual([]);
    }
  }
});

/** One axis, as it stands. */
function along(data: Float32Array, shape: readonly number[], axis: number, { first, index, weight }: Taps): Float32Array {
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const count = first.length - 1;
  const out = new Float32Array(outer * count * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < inner; k++) {
        let sum = 0;
        for (let t = first[i]; t < first[i + 1]; t++) sum += weight[t] * data[(o * shape[axis] + index[t]) * inner + k];
        out[(o * count + i) * inner + k] = sum;
      }
    }
  }
  return out;
}

test("n-dimensional filters: channels together and one by one", () => {
  const cases: readonly (readonly [spatial: number[], filter: number[]])[] = [
    [
      [9, 21, 33],
      [3, 3, 3],
    ],
    [
      [2, 40, 50],
      [7, 1, 5],
    ],
    [
      [70, 81],
      [5, 3],
    ],
    // More than the module has room for at a time.
    [
      [2, 4_000],
      [1, 41],
    ],
    [
      [4_001, 2],
      [3, 1],
    ],
    [[5_000], [9]],
  ];
  for (const [spatial, filter] of cases) {
    const size = sizeOf(spatial);
    const data = Float32Array.from({ length: 5 * size }, (_, i) => withOdd[(i + 8_000) % withOdd.length]);
    const weights = new RandomState(4).normal(0, 1, sizeOf(filter));
    weights[1] = 0;
    const expected = new Float32Array(data.length);
    for (let c = 0; c < 5; c++)
      expected.set(filterNd(data.subarray(c * size, (c + 1) * size), spatial, weights, filter), c * size);
    expect(differences(filterNd(data, [5, ...spatial], weights, filter), expected)).toEqual([]);
  }
  const tall = { shape: [1, 2, 900, 260], filter: [3, 3, 3] };
  const data = Float32Array.from({ length: sizeOf(tall.shape) }, (_, i) => values[i % values.length]);
  const whole = filterNd(data, tall.shape, new Float64Array(27).fill(1), tall.filter);
  for (const at of [0, 259, 260 * 300 + 77, 260 * 899 + 259]) {
    const [y, z] = [Math.floor(at / 260), at % 260];
    let sum = 0;
    for (let x = 0; x < 2; x++)
      for (let j = Math.max(y - 1, 0); j < Math.min(y + 2, 900); j++)
        for (let k = Math.max(z - 1, 0); k < Math.min(z + 2, 260); k++) sum += data[(x * 900 + j) * 260 + k];
    expect(whole[at]).toBe(Math.fround(sum));
  }
});

test("nothing of what memory held before is left in a result", () => {
  const shape = [1, 24, 26, 30];
  const image: HostArray = { data: new Float32Array(new RandomState(0).normal(1, 0.3, 24 * 26 * 30)), shape };
  const label: HostArray = { data: Int32Array.from(image.data, (v) => Math.max(0, Math.floor(v * 2))), shape };
  const transforms: Record<string, () => HostArray> = {
    ShiftIntensity: () => new T.ShiftIntensity({ offset: 1 }).apply(image),
    NormalizeIntensity: () => new T.NormalizeIntensity().apply(image),
    ThresholdIntensity: () => new T.ThresholdIntensity({ threshold: 1 }).apply(image),
    GaussianSmooth: () => new T.GaussianSmooth({ sigma: 1 }).apply(image),
    MedianSmooth: () => new T.MedianSmooth().apply(image),
    "Resize trilinear": () => new T.Resize({ spatialSize: [30, 30, 30], mode: "trilinear" }).apply(image),
    "Resize bicubic": () =>
      resampleAxes(image, [cubicTable(24, 30, false), cubicTable(26, 31, false), cubicTable(30, 33, false)]),
    "Resize nearest": () => new T.Resize({ spatialSize: [30, 30, 30], mode: "nearest" }).apply(image),
    "Affine zeros": () => new T.Affine({ rotateParams: [0.2, 0.3, 0.1], paddingMode: "zeros" }).apply(image),
    "Affine nearest": () => new T.Affine({ rotateParams: [0.2, 0.3, 0.1], mode: "nearest" }).apply(image),
    "Spacing spline": () => new T.Spacing({ pixdim: [0.8, 0.8, 0.8], mode: 3 }).apply(makeVolume(image)),
    Flip: () => new T.Flip().apply(image),
    Rotate90: () => new T.Rotate90({ spatialAxes: [0, 2] }).apply(image),
    "BorderPad constant": () => new T.BorderPad({ spatialBorder: 5 }).apply(image),
    "BorderPad wrap": () => new T.BorderPad({ spatialBorder: 5, mode: "wrap" }).apply(image),
    AddCoordinateChannels: () => new T.AddCoordinateChannels({ spatialDims: [0, 2] }).apply(image),
    RepeatChannel: () => new T.RepeatChannel({ repeats: 2 }).apply(image),
    MapLabelValue: () => new T.MapLabelValue({ origLabels: [1, 2], targetLabels: [5, 6] }).apply(label),
    "ImageFilter laplace": () => new T.ImageFilter({ filter: "laplace", filterSize: 3 }).apply(image),
    GibbsNoise: () => new T.GibbsNoise({ alpha: 0.4 }).apply(image),
    DetectEnvelope: () => new T.DetectEnvelope().apply(image),
  };
  const raw = vi.spyOn(Buffer, "allocUnsafeSlow");
  for (const [name, apply] of Object.entries(transforms)) {
    const [zeros, others] = [0, 0xa5].map((byte) => {
      raw.mockImplementation((bytes: number) => Buffer.from(new Uint8Array(bytes).fill(byte).buffer));
      return apply();
    });
    expect(raw, name).toHaveBeenCalled();
    expect(Buffer.compare(bytesOf(zeros), bytesOf(others)), name).toBe(0);
    raw.mockClear();
  }
  raw.mockRestore();
});

const bytesOf = ({ data }: HostArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

test("soft clipping and bias fields: the bits of the loop, and of float64 rounded", () => {
  for (const sharpness of [0.5, 10]) {
    const change = inPlace((data) => clipSoftly(data, sharpness, 0.2, 1.7));
    const out = new Float32Array(withOdd.length);
    change(withOdd, out);
    expect(differences(out, inPieces(change))).toEqual([]);
  }
  for (const shape of [
    [2, 20, 33, 35],
    [1, 101, 103],
  ]) {
    const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => values[i % values.length]);
    const of = (x: HostArray) => {
      const bias = new T.RandBiasField({ prob: 1, coeffRange: [-0.5, 0.5] });
      bias.setRandomState(5);
      return bias.apply(x).data;
    };
    expect(differences(of({ data, shape }) as Float32Array, of({ data: new Float64Array(data), shape }) as Float32Array)).toEqual(
      [],
    );
  }
});
