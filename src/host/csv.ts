/** @file Tables with commas (RFC 4180). */

import { expectArguments } from "./kinds.ts";

/** `value` as a field of a line, in quotes where it must be. */
export function csvField(value: string): string {
  expectArguments("csvField", "text", { value });
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
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
