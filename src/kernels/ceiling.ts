/** @file Work that measures what an adapter can do at most: multiply-adds from registers, bytes through a plain copy. */

import type { Device } from "../tensor/device.ts";
import { write } from "../tensor/kernel.ts";
import { unary } from "./pointwise.ts";
import { multiplyAddsShader, ROUNDS } from "./shaders/ceiling/multiply_adds.gen.ts";

/** Work that can be run again and again, and how much it is. */
export interface Load {
  readonly run: () => void;
  /** Floating-point operations, or bytes moved. */
  readonly amount: number;
  readonly dispose: () => void;
}

/** Chains of multiply-adds in f32 or f16. */
export function multiplyAdds(device: Device, half: boolean): Load {
  const groups = device.software ? 256 : 8192;
  const y = device.empty([groups * 64], half ? "f16" : "f32");
  const call = multiplyAddsShader({ half, bind: { y: write(y) }, workgroups: [groups, 1, 1] });
  return { run: () => device.run(call), amount: groups * 64 * ROUNDS * 8 * 4 * 2, dispose: () => y.dispose() };
}

/** A tensor read and another of its size written. */
export function plainCopy(device: Device): Load {
  // Several times the cache of a large GPU, where a binding may be so large.
  const size = device.software ? 2 ** 24 : Math.min(2 ** 27, device.maxBindingSize / 4);
  const x = device.empty([size]);
  return { run: () => unary("affine", x, 1, 0).dispose(), amount: 2 * 4 * size, dispose: () => x.dispose() };
}
