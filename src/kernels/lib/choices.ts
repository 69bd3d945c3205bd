/**
 * @file Which variant of a kernel runs. Every kernel with variants has a table of them and a fixed rule that picks by the kind of adapter; `tune` measures
 * them on a device and notes the better ones in `device.choices` under the class of the problem.
 */

import type { Device } from "../../tensor/device.ts";

/** The power of two that a number of channels belongs to; 256 and more are one class. */
export const sizeClass = (n: number): number => Math.min(256, 2 ** Math.ceil(Math.log2(Math.max(1, n))));

/** Whether the positions of a problem fill a device. */
export const amount = (positions: number): "few" | "many" => (positions < 16_384 ? "few" : "many");

/** The variant noted for a class of problems, or else the one that the rule picks. */
export function chosen<T extends Readonly<Record<string, unknown>>>(
  device: Device,
  problem: string,
  variants: T,
  rule: keyof T & string,
): T[keyof T] {
  const name = device.choices.get(problem);
  return variants[name !== undefined && Object.hasOwn(variants, name) ? name : rule] as T[keyof T];
}
