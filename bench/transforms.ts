/**
 * @file `npm run bench:transforms [-- --size 160] [--filter TEXT] [--monai FILE] [--json FILE]`: milliseconds of each transform on one volume. With
 * `--monai`, the results of bench/transforms_monai.py on the same machine, also the ratio to MONAI. A row per transform; `rows` may be added to.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import * as T from "../src/data/transforms/index.ts";
import type { HostArray } from "../src/host/array.ts";
import { RandomState } from "../src/host/random/numpy.ts";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "160" },
    filter: { type: "string", default: "" },
    monai: { type: "string" },
    json: { type: "string" },
  },
});
const size = Number(values.size);
const shape = [1, size, size, size];
const image: HostArray = { data: new Float32Array(new RandomState(0).normal(1, 0.3, size ** 3)), shape };
const mask: HostArray = { data: Uint8Array.from(image.data, (v) => (v > 1 ? 1 : 0)), shape };
const label: HostArray = { data: Int32Array.from(image.data, (v) => Math.max(0, Math.floor(v * 2))), shape };
const always = { prob: 1 };

/** A name that both benches know, and the call. */
const rows: Record<string, () => T.Transform> = {
  ScaleIntensity: () => new T.ScaleIntensity(),
  ScaleIntensityRange: () => new T.ScaleIntensityRange({ aMin: 0, aMax: 2, bMin: 0, bMax: 1, clip: true }),
  ScaleIntensityRangePercentiles: () => new T.ScaleIntensityRangePercentiles({ lower: 0.5, upper: 99.5, bMin: 0, bMax: 1 }),
  ClipIntensityPercentiles: () => new T.ClipIntensityPercentiles({ lower: 0.5, upper: 99.5 }),
  "ClipIntensityPercentiles soft": () => new T.ClipIntensityPercentiles({ lower: 0.5, upper: 99.5, sharpnessFactor: 10 }),
  ScaleIntensityFixedMean: () => new T.ScaleIntensityFixedMean({ factor: 0.2, preserveRange: true }),
  NormalizeIntensity: () => new T.NormalizeIntensity(),
  "NormalizeIntensity nonzero": () => new T.NormalizeIntensity({ nonzero: true }),
  ShiftIntensity: () => new T.ShiftIntensity({ offset: 0.5 }),
  StdShiftIntensity: () => new T.StdShiftIntensity({ factor: 0.5 }),
  ThresholdIntensity: () => new T.ThresholdIntensity({ threshold: 1 }),
  MaskIntensity: () => new T.MaskIntensity({ maskData: mask }),
  AdjustContrast: () => new T.AdjustContrast({ gamma: 1.7 }),
  "AdjustContrast retainStats": () => new T.AdjustContrast({ gamma: 1.7, retainStats: true, invertImage: true }),
  RandGaussianNoise: () => new T.RandGaussianNoise(always),
  RandRicianNoise: () => new T.RandRicianNoise(always),
  RandBiasField: () => new T.RandBiasField(always),
  GaussianSmooth: () => new T.GaussianSmooth({ sigma: 1 }),
  "GaussianSmooth wide": () => new T.GaussianSmooth({ sigma: 3 }),
  GaussianSharpen: () => new T.GaussianSharpen({ sigma1: 1, sigma2: 0.75 }),
  SavitzkyGolaySmooth: () => new T.SavitzkyGolaySmooth({ windowLength: 7, order: 3 }),
  MedianSmooth: () => new T.MedianSmooth(),
  HistogramNormalize: () => new T.HistogramNormalize(),
  RandHistogramShift: () => new T.RandHistogramShift(always),
  GibbsNoise: () => new T.GibbsNoise({ alpha: 0.4 }),
  KSpaceSpikeNoise: () => new T.KSpaceSpikeNoise({ loc: [0, 70, 80, 90], kIntensity: 10 }),
  RandCoarseDropout: () => new T.RandCoarseDropout({ holes: 8, spatialSize: 24, ...always }),
  RandCoarseShuffle: () => new T.RandCoarseShuffle({ holes: 8, spatialSize: 24, ...always }),
  DetectEnvelope: () => new T.DetectEnvelope(),
  "ImageFilter mean": () => new T.ImageFilter({ filter: "mean", filterSize: 3 }),
  "ImageFilter laplace": () => new T.ImageFilter({ filter: "laplace", filterSize: 3 }),
  AddCoordinateChannels: () => new T.AddCoordinateChannels({ spatialDims: [0, 1, 2] }),
  LabelToMask: () => on(label, new T.LabelToMask({ selectLabels: [1, 2] })),
  MapLabelValue: () => on(label, new T.MapLabelValue({ origLabels: [1, 2], targetLabels: [5, 6] })),
};

/** A transform of another array than the image. */
const on = (x: HostArray, t: T.Transform): T.Transform => ({ apply: () => t.apply(x) });

/** The least of a few runs after one to warm up: what the machine can do, not what others leave of it. */
function milliseconds(make: () => T.Transform): number {
  let best = Infinity;
  for (let run = 0; run < 4; run++) {
    const t = make();
    if (T.isRandomizable(t)) t.setRandomState(1);
    const start = performance.now();
    t.apply(image);
    if (run > 0) best = Math.min(best, performance.now() - start);
  }
  return best;
}

const monai = values.monai ? (JSON.parse(readFileSync(values.monai, "utf8")) as Record<string, number>) : {};
const results: Record<string, number> = {};
console.log(`${"".padEnd(32)}${"ms".padStart(8)}${values.monai ? `${"MONAI".padStart(10)}${"times".padStart(8)}` : ""}`);
for (const [name, make] of Object.entries(rows)) {
  if (!name.includes(values.filter)) continue;
  const ms = (results[name] = milliseconds(make));
  const theirs = monai[name];
  const compared = theirs === undefined ? "" : `${theirs.toFixed(1).padStart(10)}${(theirs / ms).toFixed(1).padStart(8)}`;
  console.log(`${name.padEnd(32)}${ms.toFixed(1).padStart(8)}${compared}`);
}
if (values.json) writeFileSync(values.json, JSON.stringify(results, null, 2) + "\n");
