/** @file The command line inside of the process of a test. */

import { vi } from "vitest";
import { main } from "../../src/seg/cli/main.node.ts";

/** The command line in this process, which is faster. */
export async function callCli(args: readonly string[]) {
  let [stdout, stderr] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((stderr += String(text)), true));
  try {
    await main(args);
    return { code: process.exitCode, stdout, stderr };
  } finally {
    process.exitCode = undefined;
    vi.restoreAllMocks();
  }
}
