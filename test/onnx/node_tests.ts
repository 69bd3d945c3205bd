/**
 * @file Runs ONNX's own node tests through the importer: `node --conditions=voxgrad-source test/onnx/node_tests.ts FOLDER [NAME PART]`. The folder
 * comes from `python -m onnx.backend.test.cmd_tools generate-data -o FOLDER` (Python package onnx).
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openDevice } from "../../src/index.ts";
import { supported } from "../../src/onnx/import/operators.ts";
import { readCase, runCase } from "./node_case.ts";

const [root, part = ""] = process.argv.slice(2);
const device = await openDevice();
const counts: Record<string, number> = {};
const count = (what: string) => (counts[what] = (counts[what] ?? 0) + 1);
const failures: string[] = [];
const read = new Set([1, 2, 3, 4, 5, 6, 7, 9, 21, 22]);

for (const name of readdirSync(root)
  .filter((n) => n.includes(part))
  .sort()) {
  let known;
  try {
    known = readCase(join(root, name));
  } catch {
    count("not read: sequences, optionals, strings");
    continue;
  }
  const { file, inputs, outputs } = known;
  if (!file.graph.nodes.every(supported)) count("other operators");
  else if (![...inputs, ...outputs].every((t) => read.has(t.type))) count("other element types");
  else if ([...inputs, ...outputs].some((t) => t.dims.length > 6)) count("more than six axes");
  else {
    try {
      const e = await runCase(device, known);
      count(e <= 1 ? "passed" : "failed");
      if (e > 1) failures.push(`${name}: error ${e}`);
    } catch (e) {
      count("failed");
      failures.push(`${name}: ${(e as Error).name}: ${(e as Error).message.slice(0, 200)}`);
    }
  }
}
console.log(failures.join("\n"));
console.log(counts);
device.close();
