/** @file GPU time per kernel, from timestamps around passes of one dispatch each. */

import { usage } from "./buffers.ts";
import type { Device } from "./device.ts";
import { ConfigError } from "../host/errors.ts";
import { expectArguments } from "../host/kinds.ts";
import { expectDevice } from "./kind.ts";

/** The dispatches of one program. */
export interface KernelTime {
  /** The program's readable key, such as `conv.gather TP12 TC16`. */
  readonly key: string;
  /** How many dispatches it had. */
  readonly count: number;
  /** Of all of them together, by the GPU's timestamps. */
  readonly milliseconds: number;
}

// A query set holds at most 4096 timestamps.
const most = 2048;

/**
 * Runs `fn` and times its first 2,048 dispatches, the slowest programs first. Passes of one dispatch cost a little more than shared ones, and
 * without the Dawn toggle `disable-dawn-features=timestamp_quantization` times are multiples of about 0.07 ms.
 * @throws ConfigError if the device has no timestamps
 */
export async function profile(device: Device, fn: () => void): Promise<KernelTime[]> {
  expectDevice("profile", device);
  expectArguments("profile", "function", { fn });
  const { gpu } = device;
  if (!gpu.features.has("timestamp-query")) throw new ConfigError(`profile: this device (${device.name}) has no timestamp-query`);
  await device.settle();
  const querySet = gpu.createQuerySet({ type: "timestamp", count: 2 * most });
  try {
    const keys = timed(device, querySet, fn);
    return byKey(keys, await stampsOf(gpu, querySet, keys.length));
  } finally {
    querySet.destroy();
  }
}

/** Runs `fn` with a pair of timestamps around each dispatch; their keys, in order. */
function timed({ eager }: Device, querySet: GPUQuerySet, fn: () => void): string[] {
  const keys: string[] = [];
  eager.timer = (key) => {
    if (keys.length === most) return undefined;
    const at = 2 * keys.length;
    keys.push(key);
    return { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
  };
  try {
    fn();
  } finally {
    eager.flush();
    eager.timer = undefined;
  }
  return keys;
}

/** Nanoseconds, two of each dispatch. */
async function stampsOf(gpu: GPUDevice, querySet: GPUQuerySet, count: number): Promise<BigUint64Array> {
  const bytes = Math.max(16, 16 * count);
  const resolved = gpu.createBuffer({ size: bytes, usage: usage.queryResolve | usage.copySrc });
  const staging = gpu.createBuffer({ size: bytes, usage: usage.mapRead | usage.copyDst });
  try {
    const encoder = gpu.createCommandEncoder();
    if (count > 0) encoder.resolveQuerySet(querySet, 0, 2 * count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
    gpu.queue.submit([encoder.finish()]);
    await staging.mapAsync(1);
    return new BigUint64Array(staging.getMappedRange().slice(0));
  } finally {
    for (const b of [resolved, staging]) b.destroy();
  }
}

function byKey(keys: readonly string[], stamps: BigUint64Array): KernelTime[] {
  const rows = new Map<string, { count: number; milliseconds: number }>();
  keys.forEach((key, i) => {
    const row = rows.get(key) ?? { count: 0, milliseconds: 0 };
    row.count++;
    row.milliseconds += Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e6;
    rows.set(key, row);
  });
  return [...rows].map(([key, row]) => ({ key, ...row })).sort((a, b) => b.milliseconds - a.milliseconds);
}
