/** @file Vitest's runner, to which a file of the op table (test/ops/rows) is a test file: its rows become tests. */

import { describe, test, TestRunner } from "vitest";
import { type OpRow, rowTests } from "../../src/testing/index.ts";
import { device } from "./device.ts";

export default class extends TestRunner {
  override async importFile(path: string, source: "collect" | "setup"): Promise<unknown> {
    const module = (await super.importFile(path, source)) as { readonly rows?: readonly OpRow<any>[] };
    if (source === "collect") for (const row of module.rows ?? []) this.testRow(row);
    return module;
  }

  /** The quick tier does everything for the first sample of a row and compares the others with the reference; the full tier does everything for all. */
  private testRow(row: OpRow<any>): void {
    const full = this.config.name === "full";
    describe(row.name, () => {
      for (const { title, run } of rowTests(row, { whole: full, errors: !full })) test(title, async () => run(await device()));
    });
  }
}
