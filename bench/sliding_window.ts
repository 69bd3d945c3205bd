/**
 * @file Sliding windows over volumes as they come: time, the host's share of it, memory as planned and as it was, bytes that come back.
 * `npm run bench:windows [-- unet classes slabs meshnet meshnet-128 predict]`
 * The host's share is the CPU time of the thread that runs JavaScript over that of the process, in which a software GPU works too; it does not depend on what
 * else the machine does.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Device, openDevice } from "../src/index.ts";
import type { HostArray } from "../src/host/array.ts";
import { Conv, manualSeed, type Module } from "../src/nn/index.ts";
import { DeviceWindows, type DeviceWindowsOptions } from "../src/seg/inference/device_windows.ts";
import { CoreWindows } from "../src/seg/inference/core_windows.ts";
import { MeshNet } from "../src/seg/networks/meshnet.ts";
import { decideScores, resampledScores } from "../src/seg/inference/score_map.ts";
import { WindowSegmenter } from "../src/seg/inference/segmenter.ts";
import { outputCodingOf } from "../src/seg/post/output_coding.ts";
import { scoresOnDisk } from "../src/seg/run/scores_on_disk.node.ts";
import { UNet } from "../src/seg/networks/unet.ts";
import { formatBytes, formatDuration } from "../src/host/text.ts";

interface Row {
  readonly name: string;
  readonly what: string;
  readonly shape: readonly number[];
  readonly network: (device: Device) => Module;
  readonly options: DeviceWindowsOptions;
  /** A smaller case that is run with little memory and with much: the labels have to be equal. */
  readonly small?: { readonly shape: readonly number[]; readonly maxBytes: number };
}

const unet = (outChannels: number, channels: readonly number[]) => (device: Device) =>
  new UNet(device, { spatialDims: 3, inChannels: 1, outChannels, channels, strides: channels.slice(1).map(() => 2) });

const layer = (device: Device, outChannels: number) =>
  new Conv(device, { spatialDims: 3, inChannels: 1, outChannels, kernelSize: 3, padding: 1 });

const rows: readonly Row[] = [
  {
    name: "unet",
    what: "3-D UNet 16-32-64, 192×192×128, windows 64³, overlap 0.5, gaussian",
    shape: [1, 192, 192, 128],
    network: unet(2, [16, 32, 64]),
    options: { roiSize: 64, overlap: 0.5, mode: "gaussian", swBatchSize: 1 },
  },
  {
    name: "classes",
    what: "118 classes, 239×239×200, 2 GiB",
    shape: [1, 239, 239, 200],
    network: (device) => layer(device, 118),
    options: { roiSize: 64, overlap: 0.25, mode: "gaussian", maxBytes: 2 ** 31 },
    small: { shape: [1, 150, 139, 100], maxBytes: 480 * 2 ** 20 },
  },
  {
    name: "slabs",
    what: "14 classes, 512×512×512, 512 MiB",
    shape: [1, 512, 512, 512],
    network: (device) => layer(device, 14),
    options: { roiSize: 96, overlap: 0.25, mode: "gaussian", maxBytes: 2 ** 29 },
    small: { shape: [1, 200, 200, 120], maxBytes: 120 * 2 ** 20 },
  },
];

const secondsOf = ({ user, system }: { readonly user: number; readonly system: number }): number => (user + system) / 1e6;

/** The most that is on the device from now on, free buffers of before left out: looked at ten times a second, and when told. */
function watched(device: Device): { readonly look: () => void; readonly end: () => number } {
  const before = device.memoryReport().pooled;
  let most = 0;
  const look = (): void => {
    most = Math.max(most, device.memoryReport().total - before);
  };
  const timer = setInterval(look, 100);
  const end = (): number => {
    clearInterval(timer);
    return most;
  };
  return { look, end };
}

/** One row: what was planned, and what came. */
async function measure(device: Device, { what, shape, network: make, options, small }: Row): Promise<void> {
  manualSeed(1);
  const network = make(device);
  const windows = new DeviceWindows(device, network, options);
  const plan = await windows.plan(shape);
  console.log(
    `${what}
  planned: ${plan.windows} windows, ${plan.planes} planes, ${plan.bands} bands; network ${formatBytes(plan.networkBytes)}, ` +
      `image ${formatBytes(plan.imageBytes)}, sums ${formatBytes(plan.sumBytes)}, results ${formatBytes(plan.resultBytes)}, in all ${formatBytes(plan.peakBytes)}`,
  );
  const image = noise(shape);
  const peak = watched(device);
  const cpu = process.cpuUsage();
  const thread = process.threadCpuUsage();
  const start = performance.now();
  const { codes } = await windows.run(image, { decision: "largest", onProgress: peak.look });
  const most = peak.end();
  const seconds = (performance.now() - start) / 1000;
  const own = secondsOf(process.threadCpuUsage(thread));
  const all = secondsOf(process.cpuUsage(cpu));
  console.log(
    `  ran: ${formatDuration(seconds)} (${seconds.toFixed(1)} s, ${all.toFixed(1)} s of CPU, of these ${own.toFixed(2)} s by the host: ${((100 * own) / all).toFixed(1)} %); ` +
      `most on the device ${formatBytes(most)}, ${((100 * most) / plan.peakBytes).toFixed(1)} % of what was planned; ` +
      `${formatBytes(codes!.data.byteLength)} of labels came back`,
  );
  windows.dispose();
  if (small) await compare(device, network, options, small);
  network.dispose();
}

const noise = (shape: readonly number[]): HostArray<Int16Array> => {
  const data = new Int16Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = (i * 7919) % 2048;
  return { data, shape };
};

/** Labels of a small case with little memory, against those with much. */
async function compare(
  device: Device,
  network: Module,
  options: DeviceWindowsOptions,
  { shape, maxBytes }: NonNullable<Row["small"]>,
): Promise<void> {
  const image = noise(shape);
  const labels: ArrayLike<number>[] = [];
  for (const allowed of [maxBytes, 2 ** 33]) {
    const windows = new DeviceWindows(device, network, { ...options, maxBytes: allowed });
    const { windows: count, planes, bands, peakBytes } = await windows.plan(shape);
    console.log(`  ${shape.slice(1).join("×")}: ${count} windows, ${planes} planes, ${bands} bands, ${formatBytes(peakBytes)}`);
    labels.push((await windows.run(image, { decision: "largest" })).codes!.data);
    windows.dispose();
  }
  let differ = 0;
  for (let i = 0; i < labels[0].length; i++) if (labels[0][i] !== labels[1][i]) differ++;
  console.log(`  of these ${labels[0].length} voxels ${differ} differ; ${new Set(Array.from(labels[0])).size} classes are there`);
}

/** MeshNet of 24 channels and 104 classes on a whole head. */
async function measureMeshNet(device: Device, size: number, maxBytes: number, run: boolean): Promise<void> {
  manualSeed(1);
  const network = new MeshNet(device, { inChannels: 1, outChannels: 104, channels: 24 });
  const image = {
    data: Float32Array.from({ length: size ** 3 }, (_, i) => ((i * 7919) % 2048) / 2048),
    shape: [1, size, size, size],
  };
  for (const precision of device.gpu.features.has("shader-f16") ? (["f32", "f16"] as const) : (["f32"] as const)) {
    const allowed = precision === "f16" ? maxBytes / 2 : maxBytes;
    const windows = new CoreWindows(device, network, { maxBytes: allowed, precision });
    const plan = await windows.plan(image.shape);
    console.log(
      `MeshNet 24 channels, 104 classes, ${size}³, ${precision}\n  planned: ${plan.windows} windows [${plan.window}], ${plan.work.toFixed(2)} times the work, ` +
        `${formatBytes(plan.peakBytes)} of ${formatBytes(allowed)}`,
    );
    if (run) {
      const peak = watched(device);
      const start = performance.now();
      await windows.run(image, { onProgress: peak.look });
      const most = peak.end();
      console.log(
        `  ran: ${formatDuration((performance.now() - start) / 1000)}, most on the device ${formatBytes(most)}, ${((100 * most) / plan.peakBytes).toFixed(1)} % of what was planned`,
      );
    }
    windows.dispose();
  }
  network.dispose();
}

/** 104 classes brought back to a source of 256³: predicted on another grid, scores in a file, labels decided on the source's. */
async function measurePredict(device: Device): Promise<void> {
  manualSeed(1);
  const network = layer(device, 104);
  const labels = Array.from({ length: 104 }, (_, v) => ({ name: `label ${v}`, values: [v] }));
  const outputs = outputCodingOf("softmax", labels);
  const segmenter = new WindowSegmenter(device, network, {
    outputs,
    roiSize: 64,
    overlap: 0.25,
    mode: "gaussian",
    maxBytes: 2 ** 30,
  });
  const folder = mkdtempSync(join(tmpdir(), "voxgrad-bench-"));
  const shape = [1, 232, 232, 232];
  const plan = await segmenter.plan(shape, true);
  console.log(
    `104 classes on a source of 256³, predicted on 232³, 1 GiB on the device\n  planned: ${plan.windows} windows, ${plan.bands} bands, ${formatBytes(plan.peakBytes)}`,
  );
  const image = noise(shape);
  const peak = watched(device);
  const start = performance.now();
  const scores = await segmenter.scoreMap(image, scoresOnDisk(folder), { onProgress: peak.look });
  const predicted = performance.now();
  const most = peak.end();
  const found = decideScores(resampledScores(scores, [256, 256, 256], [1.1, 1.1, 1.1], [1, 1, 1]), outputs);
  scores.dispose();
  rmSync(folder, { recursive: true });
  console.log(
    `  ran: predicted in ${formatDuration((predicted - start) / 1000)}, resampled and decided in ${formatDuration((performance.now() - predicted) / 1000)}; ` +
      `${formatBytes(4 * 104 * 232 ** 3)} of scores; most on the device ${formatBytes(most)}, ${((100 * most) / plan.peakBytes).toFixed(1)} % of what was planned; ` +
      `most of the process with the software GPU ${formatBytes(1024 * process.resourceUsage().maxRSS)}; ${new Set(found.data).size} classes are there`,
  );
  segmenter.dispose();
  network.dispose();
}

const wanted = process.argv.slice(2);
const device = await openDevice();
console.log(device.name);
for (const row of rows) if (wanted.length === 0 || wanted.includes(row.name)) await measure(device, row);
const asked = (name: string) => wanted.includes(name);
// A whole head takes a software adapter some ten minutes: planned only, unless it is asked for.
if (wanted.length === 0 || asked("meshnet")) await measureMeshNet(device, 256, 2.2 * 2 ** 30, asked("meshnet"));
if (asked("meshnet-128")) await measureMeshNet(device, 128, 400 * 2 ** 20, true);
if (wanted.length === 0 || asked("predict")) await measurePredict(device);
device.close();
