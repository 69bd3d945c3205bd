/** @file Options of public functions: one table per function says their names and what they are when left out. */
import { expectNames, missing } from "./options.ts";

/** In a table of defaults: the option has none. */
export const required: unique symbol = Symbol("required");

/** A default, or `required`, for each option. */
export type Defaults<O> = { readonly [K in keyof O]-?: O[K] | typeof required };

/**
 * Options with the defaults of those left out or undefined. An option that the table does not name would be passed over in silence otherwise.
 * @throws ConfigError for an unknown option, and for a required one that is missing
 */
export function withDefaults<O extends object>(op: string, options: O, defaults: Defaults<O>): Required<O> {
  const given = options as Readonly<Record<string, unknown>>;
  const known = defaults as Readonly<Record<string, unknown>>;
  expectNames(op, options, Object.keys(known));
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(known)) {
    out[name] = given[name] === undefined ? value : given[name];
    if (out[name] === required) missing(op, name);
  }
  return out as Required<O>;
}
