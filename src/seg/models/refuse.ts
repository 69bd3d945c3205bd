/** @file Options that a kind of model does not have. */

import { ConfigError } from "../../host/errors.ts";
import type { OpenModelOptions } from "./model.ts";

/** Throws `ConfigError` if an option was given that a model of this kind cannot follow. `known` may have `inference.mirror` and the like. */
export function refuseOthers(kind: string, { inference = {}, ...options }: OpenModelOptions, known: string): void {
  const names = known.split(" ");
  const given = [
    ...Object.entries(options),
    ...(names.includes("inference") ? [] : Object.entries(inference).map(([name, v]) => [`inference.${name}`, v] as const)),
  ];
  const stray = given.find(([name, value]) => value !== undefined && !names.includes(name));
  if (stray) throw new ConfigError(`a model of kind ${kind} does not take ${stray[0].replace("inference.", "")}`);
}
