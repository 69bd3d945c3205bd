/** @file Options of transforms that have a value for each axis. */
import { ConfigError } from "../../host/errors.ts";

/** One value per axis: one number is repeated. @throws ConfigError for another count */
export function perAxis(op: string, name: string, value: number | readonly number[], dims: number): number[] {
  const list = typeof value === "number" ? new Array<number>(dims).fill(value) : value;
  if (list.length === dims) return [...list];
  if (list.length === 1) return new Array<number>(dims).fill(list[0]);
  throw new ConfigError(`${op}: ${name} has ${list.length} values for ${dims} spatial axes; give one or ${dims}`);
}
