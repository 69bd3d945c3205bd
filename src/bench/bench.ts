/** @file Times operations, and puts them beside what the adapter can do at most. */

import { sum } from "../autograd/reduce.ts";
import { grad, observing } from "../autograd/tape.ts";
import { sizeOf } from "../host/array.ts";
import { ConfigError } from "../host/errors.ts";
import { expectOptions } from "../host/options.ts";
import type { AbortSignal } from "../host/platform.ts";
import { capture } from "../tensor/capture.ts";
import type { Device } from "../tensor/device.ts";
import { profile } from "../tensor/profile.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { benchCases, type BenchCase } from "./cases.ts";
import { type Ceiling, measureCeiling } from "./ceiling.ts";
import { median } from "./time.ts";
import { expectArguments, expectFields } from "../host/kinds.ts";
import { expectDevice } from "../tensor/kind.ts";

/** What was measured of one case. */
export interface BenchResult {
  /** Of the case. */
  readonly name: string;
  /** Median milliseconds of the forward pass, as a captured step, with waiting for it. */
  readonly forwardMs: number;
  /** 10⁹ operations per second of the forward pass. */
  readonly gflops: number;
  /** 10⁹ bytes per second of the forward pass. */
  readonly gbps: number;
  /** Of the ceiling that the forward pass comes nearer to, multiply-adds or bytes: 1 is all that the adapter can do. */
  readonly share: number;
  /** Forward and all gradients; undefined without gradients. */
  readonly totalMs: number | undefined;
  /** The slowest kernels of all that, where the adapter has timestamps. Each by its `key`, with its `milliseconds` per call. */
  readonly kernels: readonly { readonly key: string; readonly milliseconds: number }[];
}

/** All of a bench; plain data, for JSON. */
export interface BenchReport {
  /** Name of the adapter. */
  readonly device: string;
  /** What the adapter can do at best, measured in the same process. */
  readonly ceiling: Ceiling;
  /** A result for each case, in their order. */
  readonly results: readonly BenchResult[];
}

/** Options of `bench`. */
export interface BenchOptions {
  /** Only cases whose name contains this; default all. */
  readonly filter?: string;
  /** Milliseconds to measure each step for, at least five times; default 500. */
  readonly time?: number;
  /** What `measureCeiling` gave before; by default it is measured first. */
  readonly ceiling?: Ceiling;
  /** Told of each result as it comes, with the ceiling. */
  readonly onResult?: (result: BenchResult, ceiling: Ceiling) => void;
  /** Aborting keeps what was measured so far. */
  readonly signal?: AbortSignal;
}

/**
 * Times cases on a device: the forward pass and a step with all gradients, each captured, so that what is timed is kernels and one submit; and their share of the
 * ceiling that is measured first. Give cases of your own to time your own kernels. Other work on the device or the machine falsifies the numbers.
 *
 *     const report = await bench(device, [{ name: "softsign", inputs: { x: [4, 16, 128, 128] }, run: ({ x }) => softsign(x) }]);
 *     console.log(benchTable(report));
 *
 * @throws ConfigError if no case has the filter in its name; what the cases throw
 */
export async function bench(
  device: Device,
  cases: readonly BenchCase[] = benchCases,
  options: BenchOptions = {},
): Promise<BenchReport> {
  expectDevice("bench", device);
  expectArguments("bench", "objects", { cases });
  for (const [i, c] of cases.entries())
    expectFields("bench", `cases[${i}]`, c, { name: "text", inputs: "object", run: "function" });
  expectOptions("bench", options, "filter:text time:number ceiling onResult:function signal");
  const { filter = "", time = 500, onResult, signal } = options;
  const chosen = cases.filter((c) => c.name.includes(filter));
  if (chosen.length === 0) {
    throw new ConfigError(`bench: no case has "${filter}" in its name; there are ${cases.map((c) => c.name).join(", ")}`);
  }
  const top = options.ceiling ?? (await measureCeiling(device));
  const results: BenchResult[] = [];
  for (const item of chosen) {
    if (signal?.aborted) break;
    const result = await measure(device, top, item, time);
    results.push(result);
    onResult?.(result, top);
  }
  return { device: device.name, ceiling: top, results };
}

const inputsOf = (device: Device, { inputs }: BenchCase): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(inputs).map(([key, shape]) => {
      const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 0.37));
      return [key, device.tensor({ data, shape })];
    }),
  );

// What the forward pass says of itself, and what it reads and writes at least.
function workOf(item: BenchCase, tensors: Readonly<Record<string, Tensor>>): { flops: number; bytes: number } {
  let flops = 0;
  const written = scope(
    () =>
      observing(
        (_op, _inputs, _result, _args, n) => (flops += n),
        () => item.run(tensors),
      ).bytes,
  );
  const read = Object.values(tensors).reduce((n, t) => n + t.bytes, 0);
  return { flops: item.flops ?? flops, bytes: item.bytes ?? read + written };
}

/** A step as if its inputs had just been written: a plan keeps what depends on given memory alone, such as packed weights. */
const anew =
  <R>(step: () => R, inputs: readonly Tensor[]): (() => R) =>
  () => {
    for (const { storage } of inputs) storage.touch();
    return step();
  };

async function measure(device: Device, top: Ceiling, item: BenchCase, time: number): Promise<BenchResult> {
  const tensors = inputsOf(device, item);
  const { flops, bytes } = workOf(item, tensors);
  const forward = capture(device, () => item.run(tensors));
  const inputs = Object.values(tensors);
  const forwardMs = await median(device, anew(forward, inputs), time);
  const wanted = (item.differentiable ?? Object.keys(tensors)).map((key) => tensors[key]);
  for (const t of wanted) t.requiresGrad = true;
  const both = wanted.length > 0 ? capture(device, () => grad(sum(item.run(tensors)), wanted)) : undefined;
  const totalMs = both && (await median(device, anew(both, inputs), time));
  const timed = device.gpu.features.has("timestamp-query")
    ? await profile(device, () => void anew<unknown>(both ?? forward, inputs)())
    : [];
  forward.dispose();
  both?.dispose();
  for (const t of inputs) t.dispose();
  const gflops = flops / forwardMs / 1e6;
  const gbps = bytes / forwardMs / 1e6;
  return {
    name: item.name,
    forwardMs,
    gflops,
    gbps,
    share: Math.max(gflops / top.gflops, gbps / top.gbps),
    totalMs,
    kernels: timed.slice(0, 3).map(({ key, milliseconds }) => ({ key, milliseconds })),
  };
}
