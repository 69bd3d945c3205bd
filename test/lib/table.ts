/** @file The op table: the rows of all files in test/ops/rows. */

import { readdirSync } from "node:fs";
import type { Row } from "./row.ts";

export const allRows: Row<any>[] = [];
for (const file of readdirSync(new URL("../ops/rows/", import.meta.url)).sort()) {
  const module = (await import(`../ops/rows/${file.slice(0, -3)}.ts`)) as { rows: Row<any>[] };
  allRows.push(...module.rows);
}
