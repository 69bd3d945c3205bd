/** @file Vitest's runner, to which a file of the op table (test/ops/rows) is a test file: its rows become tests. */

import { TestRunner } from "vitest";
import { testRows } from "./op_tests.ts";
import type { Row } from "./row.ts";

export default class extends TestRunner {
  override async importFile(path: string, source: "collect" | "setup"): Promise<unknown> {
    const module = (await super.importFile(path, source)) as { readonly rows?: readonly Row<any>[] };
    if (source === "collect" && module.rows) testRows(module.rows, this.config.name === "full" ? "full" : "quick");
    return module;
  }
}
