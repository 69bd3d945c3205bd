/** @file Options that a metric does not know are errors, so that a misspelled one is not silently a default. */

import { ConfigError } from "../../host/errors.ts";

/** Throws `ConfigError` for an option that is not among the known. */
export function expectOptions(op: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw new ConfigError(`${op}: unknown option "${name}"; known are ${known.join(", ")}`);
}
