/** @file Tables with commas (RFC 4180). */

import { expectArguments } from "./kinds.ts";

/** `value` as a field of a line, in quotes where it must be. */
export function csvField(value: string): string {
  expectArguments("csvField", "text", { value });
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/**
 * Where the rows of `id` go in a table whose rows are of `ids`: behind those of the cases that come before it in `order`, or before those of the first one that
 * comes later; at the end where there is neither.
 */
export function placeInOrder(ids: readonly string[], id: string, order: readonly string[]): number {
  const at = order.indexOf(id);
  const earlier = new Set(order.slice(0, Math.max(0, at)));
  const later = new Set(order.slice(at + 1));
  const behind = ids.findLastIndex((other) => earlier.has(other)) + 1;
  const before = at < 0 ? -1 : ids.findIndex((other) => later.has(other));
  return behind > 0 ? behind : before < 0 ? ids.length : before;
}

/** The fields of each line, the first of which are the names of the columns; lines without a field are left out. A field in quotes may have commas and line breaks. */
export function csvRows(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  // A quoted field or a plain one, and what ends it.
  for (const [, quoted, plain, end] of text.replace(/^\uFEFF/, "").matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    row.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ",") continue;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}
