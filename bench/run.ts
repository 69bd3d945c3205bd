/**
 * @file `npm run bench [-- --filter TEXT] [--json FILE]`: GFLOP/s and GB/s of each op, and its share of what the adapter
 * can do at most, forward and with its gradients.
 * Steps are captured, so what is timed is kernels and one submit; wall times by tinybench, the split over kernels by GPU timestamps.
 */

import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Bench } from "tinybench";
import { capture, type Device, grad, openDevice, profile, sum, type Tensor } from "../src/index.ts";
import { sizeOf } from "../src/host/array.ts";
import { type BenchCase, cases } from "./cases.ts";
import { type Ceiling, ceiling } from "./ceiling.ts";

interface Result {
  readonly name: string;
  readonly forwardMs: number;
  readonly gflops: number;
  readonly gbps: number;
  /** Share of the adapter's ceiling that the forward pass comes nearer to: multiply-adds or bytes. */
  readonly share: number;
  /** Forward and all gradients. */
  readonly totalMs: number;
  /** Slowest kernels of the total. */
  readonly kernels: readonly string[];
}

const { values } = parseArgs({ options: { filter: { type: "string" }, json: { type: "string" }, time: { type: "string" } } });

/** Median milliseconds of a step, waiting for the device after each. */
async function milliseconds(device: Device, step: () => unknown): Promise<number> {
  const bench = new Bench({ time: Number(values.time ?? 500), iterations: 5, warmupIterations: 2, warmupTime: 0 });
  bench.add("step", async () => {
    step();
    await device.settle();
  });
  const [task] = await bench.run();
  const { result } = task;
  if (!("latency" in result)) throw new Error(`a step failed: ${JSON.stringify(result)}`);
  return result.latency.p50;
}

async function measure(device: Device, top: Ceiling, { name, row, shapes, args }: BenchCase): Promise<Result> {
  const tensors: Record<string, Tensor> = {};
  for (const [key, shape] of Object.entries(shapes)) {
    const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 0.37));
    tensors[key] = device.tensor({ data, shape });
  }
  const forward = capture(device, () => row.run(tensors, args, device));
  const forwardMs = await milliseconds(device, forward);
  for (const key of row.differentiable) if (tensors[key]) tensors[key].requiresGrad = true;
  const wanted = row.differentiable.flatMap((key) => (tensors[key] ? [tensors[key]] : []));
  const both = capture(device, () => {
    const y = row.run(tensors, args, device);
    return grad(sum(y), wanted);
  });
  const totalMs = await milliseconds(device, both);
  const rows = device.gpu.features.has("timestamp-query") ? await profile(device, () => void both()) : [];
  forward.dispose();
  both.dispose();
  for (const t of Object.values(tensors)) t.dispose();
  const gflops = row.flops(shapes, args) / forwardMs / 1e6;
  const gbps = row.bytes(shapes, args) / forwardMs / 1e6;
  return {
    name,
    forwardMs,
    gflops,
    gbps,
    share: Math.max(gflops / top.gflops, gbps / top.gbps),
    totalMs,
    kernels: rows.slice(0, 3).map((r) => `${r.key} ${r.milliseconds.toFixed(1)} ms`),
  };
}

const device = await openDevice({
  toggles: ["disable-dawn-features=timestamp_quantization", "enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia"],
});
console.log(`${device.name}, ${availableParallelism()} CPU cores`);
const top = await ceiling(device);
const shown = (v: number | undefined) => (v === undefined ? "none" : v.toFixed(1));
console.log(
  `measured ceiling: ${top.gflops.toFixed(1)} GFLOP/s in f32, ${shown(top.halfGflops)} in f16, ${shown(top.matrixGflops)} in f16 subgroup matrices; ${top.gbps.toFixed(1)} GB/s`,
);
const results: Result[] = [];
for (const item of cases.filter((c) => c.name.includes(values.filter ?? ""))) {
  const r = await measure(device, top, item);
  results.push(r);
  const figures = `${r.forwardMs.toFixed(2).padStart(8)} ms ${r.gflops.toFixed(2).padStart(8)} GFLOP/s ${r.gbps.toFixed(2).padStart(8)} GB/s ${(100 * r.share).toFixed(0).padStart(3)} %`;
  console.log(
    `${r.name.padEnd(36)} forward ${figures}   with gradients ${r.totalMs.toFixed(2).padStart(8)} ms   ${r.kernels.join(", ")}`,
  );
}
const best = (key: "gflops" | "gbps") => results.reduce((a, b) => (b[key] > a[key] ? b : a));
if (results.length > 0) {
  console.log(
    `highest: ${best("gflops").gflops.toFixed(1)} GFLOP/s (${best("gflops").name}), ${best("gbps").gbps.toFixed(1)} GB/s (${best("gbps").name})`,
  );
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ device: device.name, ceiling: top, results }, null, 2)}\n`);
device.close();
