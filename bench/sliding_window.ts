/**
 * @file Sliding windows over volumes as they come: time, the host's share of it, memory as planned and as it was, bytes that come back.
 * `npm run bench:windows [-- unet classes slabs]`
 */

import { type Device, openDevice } from "../src/index.ts";
import { Conv, manualSeed, type Module } from "../src/nn/index.ts";
import { DeviceWindows, type DeviceWindowsOptions } from "../src/seg/inference/device_windows.ts";
import { UNet } from "../src/seg/networks/unet.ts";
import { formatBytes, formatDuration } from "../src/host/text.ts";

interface Row {
  readonly name: string;
  readonly what: string;
  readonly shape: readonly number[];
  readonly network: (device: Device) => Module;
  readonly options: DeviceWindowsOptions;
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
  },
  {
    name: "slabs",
    what: "14 classes, 512×512×512, 512 MiB",
    shape: [1, 512, 512, 512],
    network: (device) => layer(device, 14),
    options: { roiSize: 96, overlap: 0.25, mode: "gaussian", maxBytes: 2 ** 29 },
  },
];

/** What is on the device at most, looked at after each batch. */
async function measure(device: Device, { what, shape, network: make, options }: Row): Promise<void> {
  manualSeed(1);
  const network = make(device);
  const windows = new DeviceWindows(device, network, options);
  const plan = await windows.plan(shape);
  console.log(
    `${what}
  planned: ${plan.windows} windows, ${plan.planes} planes, ${plan.bands} bands; network ${formatBytes(plan.networkBytes)}, ` +
      `image ${formatBytes(plan.imageBytes)}, sums ${formatBytes(plan.sumBytes)}, in all ${formatBytes(plan.peakBytes)}`,
  );
  const image = new Int16Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < image.length; i++) image[i] = (i * 7919) % 2048;
  let most = 0;
  const look = () => (most = Math.max(most, device.memoryReport().total - device.memoryReport().pooled));
  const cpu = process.cpuUsage();
  const start = performance.now();
  const { codes } = await windows.run({ data: image, shape }, { decision: "largest", onProgress: look });
  const seconds = (performance.now() - start) / 1000;
  const { user } = process.cpuUsage(cpu);
  console.log(
    `  ran: ${formatDuration(seconds)} (${seconds.toFixed(1)} s, ${(user / 1e6).toFixed(1)} s of CPU in this process, the software GPU included); ` +
      `most on the device ${formatBytes(most)}, ${((100 * most) / plan.peakBytes).toFixed(1)} % of what was planned; ` +
      `${formatBytes(codes!.data.byteLength)} of labels came back`,
  );
  windows.dispose();
  network.dispose();
}

const wanted = process.argv.slice(2);
const device = await openDevice();
console.log(device.name);
for (const row of rows) if (wanted.length === 0 || wanted.includes(row.name)) await measure(device, row);
device.close();
