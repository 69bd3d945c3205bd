/** @file `voxgrad convert` and `voxgrad inspect`. */

import { counted, formatBytes } from "../../../host/text.ts";
import { ConfigError } from "../../../host/errors.ts";
import { ELEMENTS, type ElementType, type WeightTensor } from "../../../weights/elements.ts";
import { notATensor, type SkippedEntry } from "../../../weights/file.ts";
import { writeSafetensors } from "../../../weights/safetensors.ts";
import { type Command, flag, parse, say, text } from "../command_line.node.ts";
import { readWeightsFile } from "../../run/weight_files.node.ts";
import { expectFree, writeOutput } from "../outputs.node.ts";

const FLOATS: readonly ElementType[] = ["F64", "F32", "F16", "BF16"];

// Types that are widened here have half a byte per value.
const bytesOf = ({ data, dtype, storedAs }: WeightTensor) =>
  storedAs ? Math.ceil(data.length / 2) : data.length * ELEMENTS[dtype].bytes;

/** Format and totals in a line. */
function totals(format: string, tensors: ReadonlyMap<string, WeightTensor>): string {
  const all = [...tensors.values()];
  const [values, bytes] = [all.map((t) => t.data.length), all.map(bytesOf)].map((list) => list.reduce((a, b) => a + b, 0));
  return `${format}, ${counted(tensors.size, "tensor")}, ${counted(values, "value")}, ${formatBytes(bytes)}`;
}

// What a file says may hold codes that a terminal would obey.
const printable = (value: string) =>
  value.replace(/[\p{Cc}\p{Cf}]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

const typeOf = ({ dtype, storedAs }: WeightTensor) => storedAs?.toUpperCase() ?? dtype;

/** What was not read: names of what is no tensor in a line, and the rest one by one with the reason. */
function saySkipped(what: string, skipped: readonly SkippedEntry[]): void {
  const noTensor = skipped.filter(({ reason }) => reason === notATensor);
  if (noTensor.length > 0) say(`${what}, being no tensors: ${noTensor.map(({ name }) => printable(name)).join(", ")}`);
  for (const { name, dtype, shape, reason } of skipped) {
    if (reason === notATensor) continue;
    const kind = dtype === undefined ? "" : ` (${printable(dtype)}${shape ? ` [${shape.join(", ")}]` : ""})`;
    say(`${what}: ${printable(name)}${kind}: ${printable(reason)}`);
  }
}

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
  const rows = [...tensors].map(([name, t]) => [printable(name), typeOf(t), `[${t.shape.join(", ")}]`, formatBytes(bytesOf(t))]);
  const widths = [0, 1, 2].map((i) => rows.reduce((most, row) => Math.max(most, Math.min(row[i].length, 60)), 0));
  for (const row of rows) say(`  ${row.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]) : cell)).join("  ")}`);
  if (metadata.size > 0) say("metadata");
  for (const [name, value] of metadata)
    say(`  ${printable(name)}: ${printable(value.length > 200 ? `${value.slice(0, 200)}…` : value)}`);
  saySkipped("not read", skipped);
  return 0;
}

export const convertCommand: Command = {
  name: "convert",
  usage: [
    [
      "IN OUT.safetensors [--key NAME] [--dtype TYPE] [--overwrite]",
      "weights from PyTorch, ONNX or TensorFlow.js as safetensors",
    ],
  ],
  run: convert,
};

async function convert(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args, { key: text, dtype: text, overwrite: flag }, true);
  if (positionals.length !== 2) throw new ConfigError("convert needs two files: voxgrad convert IN OUT.safetensors");
  const [from, to] = positionals;
  if (!/\.safetensors$/i.test(to)) throw new ConfigError(`cannot write ${to}: the output must be named *.safetensors`);
  const dtype = values.dtype?.toUpperCase() as ElementType | undefined;
  if (dtype !== undefined && !FLOATS.includes(dtype))
    throw new ConfigError(`--dtype must be one of ${FLOATS.join(", ")}, got "${values.dtype}"`);
  expectFree({ outputs: [to], overwrite: values.overwrite, input: from });
  const { format, tensors, metadata, skipped } = await readWeightsFile(from, { key: values.key });
  // Whole numbers and masks keep their type.
  const stored = new Map(
    [...tensors].map(([name, { data, shape, dtype: own }]): [string, WeightTensor] => [
      name,
      { data, shape, dtype: dtype && FLOATS.includes(own) ? dtype : own },
    ]),
  );
  await writeOutput(to, writeSafetensors(stored, metadata));
  say(`${from}: ${totals(format, tensors)}`);
  saySkipped("left out", skipped);
  const widened = [...tensors].filter(([, t]) => t.storedAs);
  for (const [name, t] of widened) say(`${printable(name)}: ${typeOf(t)} as ${t.dtype}, the least type that holds it`);
  say(`${to}: ${totals("safetensors", stored)}`);
  return 0;
}
