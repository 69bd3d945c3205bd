/** @file Region sums as hardware takes them, a workgroup's lanes added up in shared memory, against those of a software adapter, where each lane stands for itself. */

import { expect, test } from "vitest";
import { type Device, openDevice, regionSums } from "../../src/index.ts";
import { device } from "../lib/device.ts";

const shape = [2, 3, 9001];

async function run(on: Device): Promise<ArrayLike<number>> {
  const logits = on.tensor({ data: Float32Array.from({ length: 2 * 3 * 9001 }, (_, i) => Math.sin(i * 0.37)), shape });
  const labels = on.tensor({ data: Float32Array.from({ length: 2 * 9001 }, (_, i) => (i * 7) % 3), shape: [2, 1, 9001] });
  return regionSums(logits, labels, { activation: "softmax", indexTarget: true }).data();
}

test("the sums of hardware are those of software", async () => {
  const hardware = await openDevice();
  Object.defineProperty(hardware, "software", { value: false });
  const [here, there] = [await run(await device()), await run(hardware)];
  expect(there.length).toBe(18);
  for (let i = 0; i < 18; i++) expect(Math.abs(there[i] - here[i])).toBeLessThan(1e-6 * Math.abs(here[i]));
  hardware.close();
});
