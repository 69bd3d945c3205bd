/** @file Numbers that nothing can be computed with. */

import type { HostArray } from "./array.ts";
import { DataError } from "./errors.ts";

/**
 * Throws `DataError` with the place of the first element that is not finite, or not as a 32-bit float, in which networks compute.
 * @param image `[C, x, y, z]`
 * @param where what the message begins with, such as `case "a": `
 * @param advice what it ends with
 */
export function expectFinite({ data, shape }: HostArray, where = "", advice = "repair the image"): void {
  const bad = data.findIndex((v: number) => !Number.isFinite(Math.fround(v)));
  if (bad < 0) return;
  const at: number[] = [];
  for (let rest = bad, axis = shape.length - 1; axis >= 0; rest = Math.floor(rest / shape[axis--]))
    at.unshift(rest % shape[axis]);
  const beyond = Number.isFinite(data[bad]) ? ", which no 32-bit float holds" : "";
  throw new DataError(`${where}the image has the value ${data[bad]} at [${at}] (channel, x, y, z)${beyond}; ${advice}`);
}
