/** @file What the adapter at hand can do at most. Shares of it say how good a kernel is. */

import { type Load, multiplyAdds, plainCopy } from "../kernels/ceiling.ts";
import type { Device } from "../tensor/device.ts";
import { fastest } from "./time.ts";
import { expectDevice } from "../tensor/kind.ts";

/** Rates that no kernel of the adapter exceeds. */
export interface Ceiling {
  /** Multiply-adds in f32, two operations each, 10⁹ per second. */
  readonly gflops: number;
  /** The same in f16; undefined without `shader-f16`. */
  readonly halfGflops: number | undefined;
  /** Bytes read and written by a plain copy, 10⁹ per second. */
  readonly gbps: number;
}

/** Measures the ceilings: chains of multiply-adds from registers, and a plain copy, the fastest of several runs each. Takes about a second. */
export async function measureCeiling(device: Device): Promise<Ceiling> {
  expectDevice("measureCeiling", device);
  const rate = async (load: Load): Promise<number> => {
    const seconds = await fastest(device, load.run);
    load.dispose();
    return load.amount / seconds / 1e9;
  };
  return {
    gflops: await rate(multiplyAdds(device, false)),
    halfGflops: device.gpu.features.has("shader-f16") ? await rate(multiplyAdds(device, true)) : undefined,
    gbps: await rate(plainCopy(device)),
  };
}
