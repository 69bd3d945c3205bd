/** @file `voxgrad convert` and `voxgrad inspect`. */

import { formatBytes, formatCount } from "../../../host/text.ts";
import { writeFileAtomic } from "../../../host/files.node.ts";
import { ConfigError } from "../../../host/errors.ts";
import { ELEMENTS, type ElementType, type WeightTensor } from "../../../weights/elements.ts";
import { writeSafetensors } from "../../../weights/safetensors.ts";
import { type Command, parse, say, text } from "../command_line.node.ts";
import { readWeightsFile } from "../../run/weight_files.node.ts";

const FLOATS: readonly ElementType[] = ["F64", "F32", "F16", "BF16"];

const bytesOf = ({ data, dtype }: WeightTensor) => data.length * ELEMENTS[dtype].bytes;
/** Format and totals in a line. */
function totals(format: string, tensors: ReadonlyMap<string, WeightTensor>): string {
  const all = [...tensors.values()];
  const [values, bytes] = [all.map((t) => t.data.length), all.map(bytesOf)].map((list) => list.reduce((a, b) => a + b, 0));
  return `${format}, ${formatCount(tensors.size)} tensors, ${formatCount(values)} values, ${formatBytes(bytes)}`;
}

// What a file says may hold codes that a terminal would obey.
const printable = (value: string) =>
  value.replace(/[\p{Cc}\p{Cf}]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

export const inspectCommand: Command = {
  name: "inspect",
  usage: [["FILE [--key NAME]", "tensors and metadata of a file of weights"]],
  run: inspect,
};

async function inspect(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args, { key: text }, true);
  if (positionals.length !== 1) throw new ConfigError("inspect needs one file: voxgrad inspect FILE [--key NAME]");
  const [path] = positionals;
  const { format, tensors, metadata, skipped } = await readWeightsFile(path, values);
  say(`${path}: ${totals(format, tensors)}`);
  const rows = [...tensors].map(([name, t]) => [printable(name), t.dtype, `[${t.shape.join(", ")}]`, formatBytes(bytesOf(t))]);
  const widths = [0, 1, 2].map((i) => Math.max(0, ...rows.map((row) => Math.min(row[i].length, 60))));
  for (const row of rows) say(`  ${row.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]) : cell)).join("  ")}`);
  if (metadata.size > 0) say("metadata");
  for (const [name, value] of metadata)
    say(`  ${printable(name)}: ${printable(value.length > 200 ? `${value.slice(0, 200)}…` : value)}`);
  if (skipped.length > 0) say(`not read, being no tensors: ${skipped.map(printable).join(", ")}`);
  return 0;
}

export const convertCommand: Command = {
  name: "convert",
  usage: [["IN OUT.safetensors [--key NAME] [--dtype TYPE]", "weights from PyTorch, ONNX or TensorFlow.js as safetensors"]],
  run: convert,
};

async function convert(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args, { key: text, dtype: text }, true);
  if (positionals.length !== 2) throw new ConfigError("convert needs two files: voxgrad convert IN OUT.safetensors");
  const [from, to] = positionals;
  if (!/\.safetensors$/i.test(to)) throw new ConfigError(`cannot write ${to}: the output must be named *.safetensors`);
  const dtype = values.dtype?.toUpperCase() as ElementType | undefined;
  if (dtype !== undefined && !FLOATS.includes(dtype))
    throw new ConfigError(`--dtype must be one of ${FLOATS.join(", ")}, got "${values.dtype}"`);
  const { format, tensors, metadata, skipped } = await readWeightsFile(from, values);
  // Whole numbers and masks keep their type.
  const stored = new Map([...tensors].map(([name, t]) => [name, dtype && FLOATS.includes(t.dtype) ? { ...t, dtype } : t]));
  await writeFileAtomic(to, writeSafetensors(stored, metadata));
  say(`${from}: ${totals(format, tensors)}`);
  if (skipped.length > 0) say(`left out, being no tensors: ${skipped.map(printable).join(", ")}`);
  say(`${to}: ${totals("safetensors", stored)}`);
  return 0;
}
