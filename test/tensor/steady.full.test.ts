/** @file Two thousand training steps: nothing grows, and each is one submit. */
import { expect, test } from "vitest";
import { runChild } from "../lib/child.ts";

test("2,000 replayed steps: one submit each with the loss read, no growth of device memory or of the heap", () => {
  const { stdout, stderr } = runChild(
    `
    import { capture, openDevice } from "./src/index.ts";
    import { makeTraining, ramp } from "./test/tensor/training.ts";
    const device = await openDevice();
    const training = makeTraining(device);
    const step = capture(device, training.step);
    const input = ramp([1, 2, 6, 6]);
    const heap = async () => {
      for (let i = 0; i < 3; i++) { gc(); await new Promise((r) => setTimeout(r, 5)); }
      return process.memoryUsage().heapUsed;
    };
    // Read three steps late, as training loops do.
    const losses = [], late = [];
    const run = async (n) => {
      for (let i = 0; i < n; i++) {
        late.push(step(input).item());
        if (late.length > 3) losses.push(await late.shift());
      }
      while (late.length > 0) losses.push(await late.shift());
    };
    await run(500);
    const before = { heap: await heap(), memory: device.memory, count: { ...device.eager.count } };
    await run(2000);
    console.log(JSON.stringify({
      submits: device.eager.count.submits - before.count.submits,
      memory: [before.memory, device.memory],
      heap: (await heap()) - before.heap - losses.length * 8,
      decreases: losses[0] > losses.at(-1), finite: losses.every(Number.isFinite),
    }));
    step.dispose();
    training.dispose();
    console.log(JSON.stringify(device.memory));
    device.close();`,
    ["--expose-gc"],
  );
  const [report, end] = stdout.split("\n").map((line) => JSON.parse(line));
  expect(report, stderr).toMatchObject({ submits: 2000, decreases: true, finite: true });
  expect(report.memory[1]).toEqual(report.memory[0]);
  expect(report.heap).toBeLessThan(200_000); // 100 bytes a step would be a leak
  expect(end).toMatchObject({ live: 0, buffers: 0 });
});
