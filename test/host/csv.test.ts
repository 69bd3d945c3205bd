/** @file Tables with commas. */

import { expect, test } from "vitest";
import { csvField, csvRows } from "../../src/host/csv.ts";

test("fields of any text come back", () => {
  const rows = [
    ["case", "a,b", 'say "no"', "two\nlines", ""],
    ["", "x"],
    ["ü", "\r\n", '"', ",", "1.5"],
  ];
  for (const end of ["\n", "\r\n"]) expect(csvRows(rows.map((row) => row.map(csvField).join(",") + end).join(""))).toEqual(rows);
});

test("empty lines and a mark of the byte order are no rows; the last line needs no end", () => {
  expect(csvRows("\uFEFFa,b\n\n1,2\n\r\n3,4")).toEqual([
    ["a", "b"],
    ["1", "2"],
    ["3", "4"],
  ]);
  expect(csvRows("")).toEqual([]);
});
