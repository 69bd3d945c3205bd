/**
 * @file A folder of image files against its table of expectations: `npm run conformance:images -- FOLDER`, where the table is
 * `expected_files.json` or `expected.json` in it. Ends with 1 if a file differs.
 */

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readImageFile } from "../../src/data/formats/images.node.ts";
import { FormatError } from "../../src/host/errors.ts";
import { differences, type Expected } from "../data/formats/expected.ts";

const folder = resolve(process.argv[2] ?? ".");
const table = ["expected_files.json", "expected.json"].map((name) => join(folder, name)).find(existsSync);
if (!table) throw new Error(`${folder} has no expected_files.json`);

/** What is wrong with a file, undefined if nothing is. */
async function problem(name: string, want: Expected): Promise<string | undefined> {
  try {
    const volume = await readImageFile(resolve(folder, name));
    if (want.expect === "reject") return `was read as [${volume.shape}], expected a FormatError`;
    const found = want.expect === "ok" ? differences(volume, want) : [];
    return found.length > 0 ? found.join("; ") : undefined;
  } catch (error) {
    if (error instanceof FormatError && want.expect !== "ok") return undefined;
    return error instanceof FormatError ? error.message : ((error as Error).stack ?? String(error));
  }
}

const rows = Object.entries(JSON.parse(readFileSync(table, "utf8")) as Record<string, Expected>);
let failed = 0;
for (const [name, want] of rows) {
  const found = await problem(name, want);
  if (found === undefined) continue;
  failed++;
  console.log(`${name} (${want.expect}): ${found}`);
}
console.log(`${rows.length - failed} of ${rows.length} as expected`);
process.exitCode = failed > 0 ? 1 : 0;
