/** @file A loop that never waits for the device is refused once it is far ahead; one that waits now and then never is. */

import { expect, test } from "vitest";
import * as vx from "../../src/index.ts";

const mib = 2 ** 20;

test("captured or eager, a loop that never awaits is stopped at the limit, and the device lives on", async () => {
  const device = await vx.openDevice({ maxBacklogBytes: 8 * mib });
  const input = { data: new Float32Array(mib / 4), shape: [mib / 4] };
  const step = vx.capture(device, (x: vx.Tensor) => vx.sum(vx.square(x)));
  const eager = () => vx.scope(() => void vx.sum(vx.square(device.tensor(input))));
  for (const once of [() => step(input), eager]) {
    await device.settle();
    let done = 0;
    const loop = () => {
      for (; done < 100; done++) once();
    };
    expect(loop).toThrow(/behind by \d+ bytes of inputs.*await device\.settle/);
    expect(done).toBeLessThanOrEqual(9);
    expect(done).toBeGreaterThanOrEqual(7);
  }
  await device.settle();
  for (let i = 0; i < 40; i++) {
    const loss = step(input);
    if (i % 4 === 3) expect(await loss.item()).toBe(0);
  }
  // Lets go, and never asks: what was done meanwhile is learned.
  for (let i = 0; i < 40; i++) {
    step(input);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // Weights one after the other are no loop.
  const weights = Array.from({ length: 20 }, () => device.tensor(input));
  expect(await vx.sum(weights[19]).item()).toBe(0);
  device.close();
});

test("the limit is positive", async () => {
  await expect(vx.openDevice({ maxBacklogBytes: 0 })).rejects.toThrow(/maxBacklogBytes must be positive/);
});
