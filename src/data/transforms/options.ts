/** @file Options of transforms: a name that a transform does not have is an error, not something that silently does nothing. */
import { ConfigError } from "../../host/errors.ts";

/** @throws ConfigError for an option that is not among `known` */
export function checkOptions(op: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new ConfigError(`${op}: unknown option "${unknown}"; known: ${known.join(", ")}`);
}

/** One value per axis: one number is repeated. @throws ConfigError for another count */
export function perAxis(op: string, name: string, value: number | readonly number[], dims: number): number[] {
  const list = typeof value === "number" ? new Array<number>(dims).fill(value) : value;
  if (list.length === dims) return [...list];
  if (list.length === 1) return new Array<number>(dims).fill(list[0]);
  throw new ConfigError(`${op}: ${name} has ${list.length} values for ${dims} spatial axes; give one or ${dims}`);
}
