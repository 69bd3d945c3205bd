/** @file Operations in f32 and f16, forward and with gradients: time, GFLOP/s, GB/s and their share of the ceiling. */

import { backpropagate } from "../../../src/autograd/tape.ts";
import { capture, cast, type Device, type KernelTime, noGrad, profile, scope, type Tensor } from "../../../src/index.ts";
import { sizeOf } from "../../../src/host/array.ts";
import type { Shape } from "../../../src/host/shape.ts";
import { type BenchCase, cases, gpuCases } from "../../cases.ts";
import { waves } from "../../waves.ts";
import { ceilingOf } from "../ceilings.ts";
import type { Context, StageRun } from "../stage.ts";

type Element = "f32" | "f16";

export interface OpResult {
  readonly op: string;
  readonly element: Element;
  /** Of the forward pass. */
  readonly gflop: number;
  readonly gbyte: number;
  /** On the GPU where it has timestamps, else as wall time; the wall time of steps in a row is beside it. */
  readonly forwardMs: number;
  readonly forwardWallMs: number;
  /** Forward and all gradients. */
  readonly totalMs: number;
  readonly totalWallMs: number;
  /** Of the ceiling that the forward pass comes nearer to, multiply-adds or bytes. */
  readonly share: number;
  /** Slowest kernel of the forward pass, if timed. */
  readonly main?: string;
  /** Of the total, slowest first. */
  readonly kernels: readonly KernelTime[];
}

/** What is stored as f16; weights, targets and masks are not. */
const activations = new Set(["x", "a", "b"]);

/** Bytes of the forward pass: the row counts four for every element. */
function bytesOf({ row, shapes, args }: BenchCase, element: Element): number {
  const all = row.bytes(shapes, args);
  if (element === "f32") return all;
  const kept = Object.entries(shapes).reduce((n, [name, shape]) => n + (activations.has(name) ? 0 : 4 * sizeOf(shape)), 0);
  return (all - kept) / 2 + kept;
}

interface Timed {
  readonly wallMs: number;
  readonly gpuMs: number;
  readonly kernels: readonly KernelTime[];
}

async function time(device: Device, step: () => void, tiny: boolean): Promise<Timed> {
  const several = async (count: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < count; i++) step();
    await device.settle();
    return (performance.now() - start) / count;
  };
  await several(1); // traces and compiles
  const once = await several(1);
  const count = tiny ? 1 : Math.max(1, Math.min(100, Math.floor(50 / once)));
  let wallMs = Infinity;
  for (let i = 0; i < (tiny ? 1 : 2); i++) wallMs = Math.min(wallMs, await several(count));
  let gpuMs = Infinity;
  let kernels: readonly KernelTime[] = [];
  for (let i = 0; i < (tiny ? 1 : 5) && device.gpu.features.has("timestamp-query"); i++) {
    const found = await profile(device, step);
    const ms = found.reduce((total, k) => total + k.milliseconds, 0);
    if (ms < gpuMs) [gpuMs, kernels] = [ms, found];
  }
  return { wallMs, gpuMs: gpuMs > 0 && gpuMs < Infinity ? gpuMs : wallMs, kernels };
}

function upload(device: Device, shape: Shape, element: Element): Tensor {
  const whole = device.tensor({ data: waves(sizeOf(shape)), shape });
  if (element === "f32") return whole;
  const half = cast(whole, "f16");
  whole.dispose();
  return half;
}

async function measure(context: Context, item: BenchCase, element: Element): Promise<OpResult> {
  const device = await context.device();
  const { row, shapes, args } = item;
  device.pool.trim();
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, upload(device, shape, activations.has(name) ? element : "f32")]),
  );
  const forward = capture(device, () => row.run(tensors, args, device));
  const first = await time(device, forward, context.task.tiny);
  const { shape, dtype } = forward();
  forward.dispose();
  const wanted = row.differentiable.flatMap((key) => (tensors[key] ? [tensors[key]] : []));
  for (const t of wanted) t.requiresGrad = true;
  const dy = upload(device, shape, dtype === "f16" ? "f16" : "f32");
  const both = capture(device, () => {
    const y = row.run(tensors, args, device);
    return noGrad(() => scope(() => backpropagate(y, dy.view(shape), wanted).map((gradient) => gradient!)));
  });
  const total = await time(device, both, context.task.tiny);
  both.dispose();
  for (const t of [dy, ...Object.values(tensors)]) t.dispose();
  const gflop = row.flops(shapes, args) / 1e9;
  const gbyte = bytesOf(item, element) / 1e9;
  const { gflops, gbps } = ceilingOf(context.task.ceiling, element);
  const seconds = first.gpuMs / 1000;
  return {
    op: row.name,
    element,
    gflop,
    gbyte,
    forwardMs: first.gpuMs,
    forwardWallMs: first.wallMs,
    totalMs: total.gpuMs,
    totalWallMs: total.wallMs,
    share: Math.max(gflop / seconds / gflops, gbyte / seconds / gbps),
    ...(first.kernels.length > 0 && { main: first.kernels[0].key }),
    kernels: total.kernels,
  };
}

export const run: StageRun = async (context) => {
  const half = (await context.device()).gpu.features.has("shader-f16");
  if (!half) await context.send({ kind: "note", text: "no f16: the device has no shader-f16" });
  const elements = half ? (["f32", "f16"] as const) : (["f32"] as const);
  // The small ones last: they tell of launches more than of kernels.
  const jobs = (context.task.tiny ? [gpuCases(8)] : [gpuCases(), cases]).flatMap((list) =>
    elements.flatMap((element) => list.map((item) => ({ item, element }))),
  );
  await context.each(
    jobs,
    ({ item, element }) => `${item.name} ${element}`,
    ({ item, element }) => measure(context, item, element),
  );
};
