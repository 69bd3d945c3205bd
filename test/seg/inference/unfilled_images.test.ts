/** @file Images whose values do not fill their shape are refused by everything that cuts windows or slices, instead of taken for zeros. */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostArray } from "../../../src/host/array.ts";
import { type Device, ShapeError } from "../../../src/index.ts";
import { Conv } from "../../../src/nn/index.ts";
import { CoreWindows } from "../../../src/seg/inference/core_windows.ts";
import { DeviceWindows } from "../../../src/seg/inference/device_windows.ts";
import { QuickNatViews } from "../../../src/seg/inference/quicknat_views.ts";
import { device } from "../../lib/device.ts";

let gpu: Device;
let [flat, solid]: Conv[] = [];
beforeAll(async () => {
  gpu = await device();
  [flat, solid] = [2, 3].map((n) => new Conv(gpu, { spatialDims: n as 2 | 3, inChannels: 1, outChannels: 2, kernelSize: 1 }));
});
afterAll(() => [flat, solid].forEach((m) => m.dispose()));

const shape = [1, 8, 9, 10];
const given = (values: number): HostArray => ({ data: new Float32Array(values), shape });

test.each([
  ["too few", 100],
  ["one too many", 721],
])("%s values", async (_, values) => {
  const refused = new ShapeError(`DeviceWindows.run: image has ${values} values, but its shape [1, 8, 9, 10] holds 720`);
  // Windows that are larger than the image, too, which is extended then.
  for (const roiSize of [4, 16]) {
    const windows = new DeviceWindows(gpu, solid, { roiSize });
    await expect(windows.run(given(values), { decision: "largest" })).rejects.toThrow(refused);
    windows.dispose();
  }
  const cores = new CoreWindows(gpu, solid);
  await expect(cores.run(given(values))).rejects.toThrow(/^CoreWindows\.run: image has/);
  const views = new QuickNatViews(gpu, { COR: flat });
  await expect(views.predict(given(values))).rejects.toThrow(/^QuickNatViews: volume has/);
  for (const made of [cores, views]) made.dispose();
});

test("weights of windows that do not fit leave no room for scores behind", async () => {
  const roiWeightMap = { data: new Float32Array(8), shape: [2, 2, 2] };
  const windows = new DeviceWindows(gpu, solid, { roiSize: 4, roiWeightMap });
  let rooms = 0;
  const keepScores = () => (rooms++, { write: () => {}, channel: () => new Float32Array(), dispose: () => void rooms-- });
  await expect(windows.run(given(720), { scores: true, keepScores })).rejects.toThrow(/roiWeightMap is \[2,2,2\]/);
  expect(rooms).toBe(0);
  windows.dispose();
});
