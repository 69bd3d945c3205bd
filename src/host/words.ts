/** @file Options that are one of a few words. */

import { ConfigError } from "./errors.ts";

/**
 * Throws `ConfigError` for a word that is none of those known, which may be the keys of a table. An option that was left out is its default, which the caller
 * has put in its place.
 */
export function expectWord(op: string, name: string, word: unknown, known: readonly string[] | object): void {
  const words = Array.isArray(known) ? (known as readonly string[]) : Object.keys(known);
  if (!words.includes(word as string))
    throw new ConfigError(`${op}: unknown ${name} ${JSON.stringify(word)}; known are ${words.join(", ")}`);
}
