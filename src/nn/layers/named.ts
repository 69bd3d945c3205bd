/** @file Layers that are chosen by a name. */

import { refused } from "../../host/kinds.ts";

/** A name as MONAI writes it, or in small letters. */
export type AnyCase<Name extends string> = Name | Lowercase<Name>;

/** A name alone or with its options, as both. Throws `ConfigError` for what is neither. */
export function named(what: string, spec: unknown): readonly [name: string, options: object] {
  const [name, options = {}] = (Array.isArray(spec) ? spec : [spec]) as readonly unknown[];
  if (typeof name !== "string" || typeof options !== "object" || options === null)
    refused(`${what}Layer`, "spec", `the name of a layer, or [name, { options }]`, spec);
  return [name, options];
}
