/** @file A program: sums and extremes by subgroups on the device of this process, of whole numbers, which have one right answer. Prints the size of subgroups and what was wrong. */

import { amax, amin, type Device, openDevice, scope, sum, type Tensor } from "../../src/index.ts";

const counts = [65, 600, 5003, 70_001];
const value = (i: number): number => ((i * 7919) % 1009) - 504;

async function wrong(device: Device): Promise<string[]> {
  device.choices.set("tree", "subgroups");
  const found: string[] = [];
  for (const count of counts) {
    const data = Float32Array.from({ length: 3 * count }, (_, i) => value(i));
    const results = scope((): Record<string, Tensor> => {
      const x = device.tensor({ data, shape: [3, count] });
      return { sum: sum(x, [1]), amax: amax(x, [1]), amin: amin(x, [1]) };
    });
    for (let row = 0; row < 3; row++) {
      const own = data.subarray(row * count, (row + 1) * count);
      const wanted = { sum: own.reduce((a, b) => a + b, 0), amax: Math.max(...own), amin: Math.min(...own) };
      for (const [name, right] of Object.entries(wanted)) {
        const got = (await results[name].data())[row];
        if (got !== right) found.push(`${name} of ${count}: ${got}, not ${right}`);
      }
    }
  }
  return found;
}

const [narrow, wide] = [await openDevice(), await openDevice()];
Object.defineProperty(wide, "software", { value: false });
const { subgroupMinSize } = narrow.gpu.adapterInfo;
console.log(JSON.stringify({ size: subgroupMinSize, wrong: [...(await wrong(narrow)), ...(await wrong(wide))] }));
for (const device of [narrow, wide]) device.close();
