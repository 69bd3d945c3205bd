/**
 * @file `npm run bench:first-step [-- NETWORK [--programs]]`: what compiling the programs of a training step takes on Linux: CPU time of the driver's threads for each program,
 * of the first step, and of one that is replayed. For a cold one Mesa's cache has to be an empty folder (`MESA_SHADER_CACHE_DIR`), or off (`MESA_SHADER_CACHE_DISABLE=true`),
 * as for `--programs`. llvmpipe turns a program to machine code when it is first dispatched, so each is, in one workgroup over small buffers. On a busy machine only CPU time tells,
 * or wall time under `chrt -r 1`.
 */

import { readdirSync, readFileSync } from "node:fs";
import { capture, grad, openDevice, type Tensor } from "../src/index.ts";
import { Adam, diceCELoss, manualSeed, seedDropout } from "../src/nn/index.ts";
import type { KernelCall } from "../src/tensor/kernel.ts";
import { usage } from "../src/tensor/buffers.ts";
import { networkCases, unet } from "./network_cases.ts";
import { batch, build } from "./training_step.ts";

const cases = [unet(2, [4, 1, 128, 128], [16, 32, 64, 128]), ...networkCases];
const network = cases.find((c) => c.name.startsWith(process.argv[2] ?? "UNet2D"));
if (!network) throw new Error(`no network of ${cases.map((c) => c.name).join(", ")} begins with "${process.argv[2]}"`);

/** CPU milliseconds of all threads but this one and JavaScript's helpers. */
function driverMs(): number {
  let ns = 0;
  for (const thread of readdirSync("/proc/self/task")) {
    if (Number(thread) === process.pid) continue;
    try {
      const name = readFileSync(`/proc/self/task/${thread}/comm`, "utf8");
      if (!/^(V8|Delayed|node|libuv)/.test(name))
        ns += Number(readFileSync(`/proc/self/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    } catch {} // it ended
  }
  return ns / 1e6;
}

const device = await openDevice();
manualSeed(0);
seedDropout(device, 0);
const model = build(device, network);
const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
const { image, label } = batch(network);
const inputs = [device.tensor(image), device.tensor(label)];
const step = capture(device, (x: Tensor, y: Tensor) => {
  const loss = diceCELoss(model.forward(x), y, { softmax: true, toOnehotY: true });
  optimizer.step(grad(loss, optimizer.parameters));
  return loss;
});

if (process.argv.includes("--programs")) {
  const { gpu, pipelines } = device;
  const calls: KernelCall[] = [];
  const compile = device.compile;
  device.compile = async (all) => void calls.push(...all);
  await step.prepare(inputs);
  device.compile = compile;
  const small = Array.from({ length: 12 }, () => gpu.createBuffer({ size: 2 ** 20, usage: usage.storage }));
  const uniform = gpu.createBuffer({ size: 4096, usage: usage.uniform });
  const rows: { key: string; ms: number }[] = [];
  for (const call of calls) {
    const { pipeline, layout } = await pipelines.prepare(call);
    const entries = call.bindings.map((_, i) => ({ binding: i + 1, resource: { buffer: small[i] } }));
    if (call.params) entries.unshift({ binding: 0, resource: { buffer: uniform } });
    const before = driverMs();
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, gpu.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
    await gpu.queue.onSubmittedWorkDone();
    rows.push({ key: call.program.key, ms: driverMs() - before });
  }
  rows.sort((a, b) => b.ms - a.ms);
  for (const { key, ms } of rows) console.log(`${ms.toFixed(0).padStart(6)} ms  ${key}`);
  console.log(
    `${rows
      .reduce((sum, r) => sum + r.ms, 0)
      .toFixed(0)
      .padStart(6)} ms  ${rows.length} programs`,
  );
}

for (const name of ["first step", "second step"]) {
  const before = process.cpuUsage();
  const start = performance.now();
  await step.prepare(inputs);
  const loss = await step(...inputs).item();
  const { user, system } = process.cpuUsage(before);
  console.log(
    `${name}: CPU ${((user + system) / 1e6).toFixed(2)} s, wall ${((performance.now() - start) / 1000).toFixed(2)} s, loss ${loss}`,
  );
}
device.close();
