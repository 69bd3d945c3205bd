/** @file Choosing parameters by name. */

import { expectArguments } from "../host/kinds.ts";

/** Dotted names: a name with all below it ("model.0" has "model.0.weight", not "model.01"), an expression, or a function. */
export type NameFilter = string | RegExp | ((name: string) => boolean);

/** The filter as a function. */
export function nameMatcher(filter: NameFilter): (name: string) => boolean {
  if (typeof filter === "function") return filter;
  // search, not test: it does not remember where the last name of a global expression ended.
  if (!(filter instanceof RegExp)) expectArguments("a filter of names", "text", { filter });
  if (filter instanceof RegExp) return (name) => name.search(filter) >= 0;
  return (name) => name === filter || name.startsWith(`${filter}.`);
}
