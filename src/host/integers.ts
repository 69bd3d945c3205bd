/** @file Arguments that are whole numbers. */
import { ConfigError } from "./errors.ts";

/** `expectIntegers("RandRotate90", { maxK }, 1)`. @throws ConfigError unless all that is given are integers from `least` to `most` */
export function expectIntegers(op: string, values: Readonly<Record<string, number>>, least = -Infinity, most = Infinity): void {
  for (const [name, value] of Object.entries(values)) {
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    const range = most < Infinity ? ` from ${least} to ${most}` : least > -Infinity ? ` from ${least} up` : "";
    throw new ConfigError(`${op}: ${name} must be an integer${range}, got ${String(value)}`);
  }
}
