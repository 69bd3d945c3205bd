/**
 * @file `npm run bench:transforms [-- --size 160] [--filter TEXT] [--python PATH] [--threads 2] [--clock wall] [--rounds 4] [--garbage] [--json
 * FILE]`: milliseconds of each transform on one volume, the least of some rounds. The memory of a result is given back behind it, as a `Compose` with
 * `reuseMemory` does and as Python does, or left to the garbage collector with `--garbage`. `--clock cpu` counts the processor time of all threads, for machines that others use too. With `--python`, a Python that can import MONAI, both take turns in one run, and the ratio to MONAI is given,
 * which may use as many threads as `--threads` says (default: what the machine has); here it is one. A row per transform; `rows` may be added to.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import * as T from "../src/data/transforms/index.ts";
import { Passage } from "../src/data/transforms/give_back.ts";
import { makeVolume } from "../src/data/volume.ts";
import type { HostArray } from "../src/host/array.ts";
import { RandomState } from "../src/host/random/numpy.ts";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "160" },
    filter: { type: "string", default: "" },
    python: { type: "string" },
    threads: { type: "string", default: String(availableParallelism()) },
    rounds: { type: "string", default: "4" },
    clock: { type: "string", default: "wall" },
    garbage: { type: "boolean", default: false },
    json: { type: "string" },
  },
});
const size = Number(values.size);
const shape = [1, size, size, size];
const image: HostArray = { data: new Float32Array(new RandomState(0).normal(1, 0.3, size ** 3)), shape };
const mask: HostArray = { data: Uint8Array.from(image.data, (v) => (v > 1 ? 1 : 0)), shape };
const label: HostArray = { data: Int32Array.from(image.data, (v) => Math.max(0, Math.floor(v * 2))), shape };
const volume = makeVolume(image);
const labelVolume = makeVolume({ data: Uint8Array.from(label.data), shape });
const last: HostArray = { data: image.data, shape: [size, size, size, 1] };
const inputs = [image, mask, label, volume, labelVolume];
const always = { prob: 1 };
const part = (share: number) => [share, share, share].map((s) => Math.floor(size * s));
const turned = { rotateParams: [0.2, 0.3, 0.1], scaleParams: [1.1, 1.1, 1.1] };
const distorted = [1, 1.1, 0.9, 1, 1];

/** A transform of another array than the image. */
const on = (x: HostArray, t: T.Transform): T.Transform => ({ apply: () => t.apply(x) });
const solid = (t: T.Transform): T.Transform => on(volume, t);

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
  "Resize trilinear 4/5": () => solid(new T.Resize({ spatialSize: part(0.8), mode: "trilinear" })),
  "Resize trilinear 6/5": () => solid(new T.Resize({ spatialSize: part(1.2), mode: "trilinear" })),
  "Resize nearest": () => solid(new T.Resize({ spatialSize: part(0.8), mode: "nearest" })),
  "Resize area 4/5": () => solid(new T.Resize({ spatialSize: part(0.8) })),
  "Resize area 1/2": () => solid(new T.Resize({ spatialSize: part(0.5) })),
  "Spacing bilinear": () => solid(new T.Spacing({ pixdim: [1.3, 1.3, 1.3] })),
  "Spacing nearest": () => solid(new T.Spacing({ pixdim: [1.3, 1.3, 1.3], mode: "nearest" })),
  "Spacing spline 3": () => solid(new T.Spacing({ pixdim: [2, 2, 2], mode: 3 })),
  "Rotate bilinear": () => solid(new T.Rotate({ angle: [0.2, 0.3, 0.1] })),
  "Rotate nearest": () => solid(new T.Rotate({ angle: [0.2, 0.3, 0.1], mode: "nearest" })),
  "Affine zeros": () => solid(new T.Affine({ ...turned, paddingMode: "zeros" })),
  "Affine border": () => solid(new T.Affine({ ...turned, paddingMode: "border" })),
  "Affine reflection": () => solid(new T.Affine({ ...turned, paddingMode: "reflection" })),
  "Zoom area": () => solid(new T.Zoom({ zoom: 1.2 })),
  "Zoom out": () => solid(new T.Zoom({ zoom: 0.8, mode: "trilinear" })),
  "Flip first": () => solid(new T.Flip({ spatialAxis: 0 })),
  "Flip last": () => solid(new T.Flip({ spatialAxis: 2 })),
  "Flip all": () => solid(new T.Flip()),
  "Flip last label": () => on(labelVolume, new T.Flip({ spatialAxis: 2 })),
  "Rotate90 0 1": () => solid(new T.Rotate90({ spatialAxes: [0, 1] })),
  "Rotate90 0 2": () => solid(new T.Rotate90({ spatialAxes: [0, 2] })),
  "Rotate90 1 2": () => solid(new T.Rotate90({ spatialAxes: [1, 2] })),
  "Rotate90 twice": () => solid(new T.Rotate90({ k: 2, spatialAxes: [0, 2] })),
  "Rotate90 0 2 label": () => on(labelVolume, new T.Rotate90({ spatialAxes: [0, 2] })),
  Orientation: () => solid(new T.Orientation({ axcodes: "PIR" })),
  Transpose: () => solid(new T.Transpose({ indices: [0, 3, 2, 1] })),
  "BorderPad constant": () => solid(new T.BorderPad({ spatialBorder: 16 })),
  "BorderPad reflect": () => solid(new T.BorderPad({ spatialBorder: 16, mode: "reflect" })),
  "BorderPad edge": () => solid(new T.BorderPad({ spatialBorder: 16, mode: "edge" })),
  "BorderPad wrap": () => solid(new T.BorderPad({ spatialBorder: 16, mode: "wrap" })),
  "BorderPad constant label": () => on(labelVolume, new T.BorderPad({ spatialBorder: 16 })),
  SpatialPad: () => solid(new T.SpatialPad({ spatialSize: size + 32 })),
  CenterSpatialCrop: () => solid(new T.CenterSpatialCrop({ roiSize: part(0.8) })),
  CropForeground: () => solid(new T.CropForeground()),
  RandCropByPosNegLabel: () => cropsAround(new T.RandCropByPosNegLabel({ spatialSize: part(0.6), numSamples: 4 })),
  Rand3DElastic: () => solid(new T.Rand3DElastic({ sigmaRange: [5, 7], magnitudeRange: [50, 150], ...always })),
  GridDistortion: () => solid(new T.GridDistortion({ numCells: 4, distortSteps: [distorted, distorted, distorted] })),
  RandSimulateLowResolution: () => solid(new T.RandSimulateLowResolution(always)),
  "AsDiscrete onehot": () => on(labelVolume, new T.AsDiscrete({ toOnehot: 6 })),
  EnsureChannelFirst: () => on(last, new T.EnsureChannelFirst({ channelDim: -1 })),
};

function cropsAround(t: T.RandCropByPosNegLabel): T.Transform {
  return { apply: () => (t.randomize(labelVolume), t.applyDrawn(volume)) };
}

function milliseconds(make: () => T.Transform): number {
  const t = make();
  if (T.isRandomizable(t)) t.setRandomState(1);
  const start = now();
  const result = t.apply(image);
  const took = now() - start;
  if (!values.garbage) new Passage(inputs).giveBack(result, undefined);
  return took;
}

function now(): number {
  if (values.clock !== "cpu") return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** MONAI in a process of its own, which runs a row when it is named. */
class Monai {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(python: string) {
    const script = new URL("transforms_monai.py", import.meta.url).pathname;
    this.child = spawn(python, [script, values.size, values.threads, values.clock], { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /** NaN for a row that it does not have. */
  async milliseconds(name: string): Promise<number> {
    this.child.stdin!.write(`${name}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`transforms_monai.py ended at "${name}"; see above`);
    return Number(value);
  }

  close(): void {
    this.child.stdin!.end();
  }
}

const monai = values.python ? new Monai(values.python) : undefined;
const results: Record<string, { ms: number; monai?: number }> = {};
console.log(
  `${"".padEnd(32)}${"ms".padStart(8)}${monai ? `${"MONAI".padStart(10)}${"times".padStart(8)}  on ${values.threads} threads` : ""}`,
);
for (const [name, make] of Object.entries(rows)) {
  if (!name.includes(values.filter)) continue;
  let [ours, theirs] = [Infinity, Infinity];
  // The engine compiles what it runs often, while MONAI has its turns too; in a training run it has done so.
  for (const begin = performance.now(); performance.now() - begin < 400;) milliseconds(make);
  // The first round warms up MONAI. Short ones take more.
  const begin = performance.now();
  for (let round = 0; round <= Number(values.rounds) || performance.now() - begin < 400; round++) {
    const pair = [milliseconds(make), monai ? await monai.milliseconds(name) : NaN];
    if (round > 0) [ours, theirs] = [Math.min(ours, pair[0]), Math.min(theirs, pair[1])];
  }
  results[name] = monai ? { ms: ours, monai: theirs } : { ms: ours };
  const compared = monai ? `${theirs.toFixed(1).padStart(10)}${(theirs / ours).toFixed(2).padStart(8)}` : "";
  console.log(`${name.padEnd(32)}${ours.toFixed(1).padStart(8)}${compared}`);
}
monai?.close();
if (values.json) writeFileSync(values.json, JSON.stringify(results, null, 2) + "\n");
