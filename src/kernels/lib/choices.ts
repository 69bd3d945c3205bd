/**
 * @file Which variant of a kernel runs. Every kernel with variants has a table of them and a fixed rule that picks by the kind of adapter; `tune` measures
 * them on a device and notes the better ones in `device.choices` under the class of the problem.
 */

import type { Device } from "../../tensor/device.ts";

/** The power of two that a number of channels belongs to; `most` and more are one class. */
export const sizeClass = (n: number, most = 256): number => Math.min(most, 2 ** Math.ceil(Math.log2(Math.max(1, n))));

/** Whether the positions of a problem fill a device. */
export const amount = (positions: number): "few" | "many" => (positions < 16_384 ? "few" : "many");

/** The variant noted for a class of problems, or for all of its family (the first word of the class), or else the one that the rule picks. */
export function chosen<T extends Readonly<Record<string, unknown>>>(
  device: Device,
  problem: string,
  variants: T,
  rule: keyof T & string,
): T[keyof T] {
  const names = [problem, problem.split(" ", 1)[0]].map((key) => device.choices.get(key));
  const name = names.find((name) => name !== undefined && Object.hasOwn(variants, name));
  return variants[name ?? rule] as T[keyof T];
}

/** A problem that `tune` times with each of its variants. Families of kernels with variants export some that cover the classes. */
export interface Trial {
  /** The class that the choice is noted under. */
  readonly problem: string;
  readonly variants: readonly string[];
  /** The one that the rule picks. */
  readonly rule: string;
  /** Makes the operands. */
  readonly prepare: () => { readonly run: () => void; readonly dispose: () => void };
}

/** The trials of a family; of f16 tensors too if `half`. */
export type Trials = (device: Device, half: boolean) => readonly Trial[];
