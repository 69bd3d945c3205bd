/** @file Reading JSON that nobody vouches for. */

import type { Fail } from "./budget.ts";

/** An object of JSON; nothing is known of its values. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Whether a value is an object, and no list. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as a record, empty if it is none: its fields then fail by name. */
export const record = (value: unknown): JsonRecord => (isRecord(value) ? value : {});
/** The value as a list, empty if it is none. */
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/** A field that must be a record. @throws FormatError (by `fail`) naming it */
export function recordField(value: unknown, field: string, fail: Fail): JsonRecord {
  if (isRecord(value)) return value;
  throw fail(`${field} is missing or not an object`);
}

/** Whether a value is a list of integers of at least 0. */
export function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && (v as number) >= 0);
}

/**
 * Parses JSON of no more than `maxDepth` levels. Objects and lists must be eight bytes apart on average, far less than they are in weight files:
 * `[],[],[],…` would make JSON.parse take many times the file's size.
 * @throws FormatError
 */
export function parseJson(bytes: Uint8Array, what: string, maxDepth: number, fail: Fail): unknown {
  checkNesting(bytes, what, maxDepth, fail);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw fail(`${what} is no JSON (${(error as Error).message})`);
  }
}

function checkNesting(bytes: Uint8Array, what: string, maxDepth: number, fail: Fail): void {
  const [quote, backslash] = [0x22, 0x5c];
  let [depth, opened, inString] = [0, 0, false];
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i];
    if (inString) {
      if (c === backslash) i++;
      else if (c === quote) inString = false;
    } else if (c === quote) inString = true;
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > maxDepth) throw fail(`${what} is nested more than ${maxDepth} levels deep`);
      if (++opened > 64 + bytes.length / 8) throw fail(`${what} has more lists than a file of weights`);
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
}
