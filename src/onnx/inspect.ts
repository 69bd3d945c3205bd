/** @file What is in an ONNX file, without running it. */

import { expectArguments } from "../host/kinds.ts";
import type { WeightTensor } from "../weights/elements.ts";
import { expectSomeRead, type SkippedEntry, type WeightsFile } from "../weights/file.ts";
import type { HostValue } from "./values.ts";
import { type OnnxTensor, type OnnxValueInfo, parseOnnx } from "./model.ts";
import { onnxNames, type OnnxOptions } from "./import/module.ts";
import { onnxBudget } from "./proto.ts";
import { decodeTensor, typeName, types, unsupportedType } from "./tensor_data.ts";
import { expectOptions } from "../host/options.ts";

/** Name, element type and shape of a tensor; sizes that are open are names. */
export interface OnnxTensorInfo {
  /** Name in the graph. */
  readonly name: string;
  /** Element type, such as "float32". */
  readonly type: string;
  /** Sizes, or names of sizes that are open; undefined if nothing is known. */
  readonly shape: readonly (number | string)[] | undefined;
}

/** What `inspectOnnx` tells of a file. */
export interface OnnxSummary {
  /** Version of the file format. */
  readonly irVersion: number;
  /** Program that wrote the file, empty if it does not say. */
  readonly producer: string;
  /** Versions of the operator sets by domain; "" is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Texts of the file by key. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Inputs of the graph that are no initializers. */
  readonly inputs: readonly OnnxTensorInfo[];
  /** Outputs of the graph. */
  readonly outputs: readonly OnnxTensorInfo[];
  /** How often each operator is used, the most frequent first. */
  readonly operators: ReadonlyMap<string, number>;
  /** Initializers of the graph. */
  readonly tensors: readonly OnnxTensorInfo[];
}

const describe = ({ name, type, shape }: OnnxValueInfo): OnnxTensorInfo => ({ name, type: typeName(type), shape });

/** Summarizes an ONNX file; operators may be any. Throws `FormatError` for a damaged one. `bytes` are the file's. */
export function inspectOnnx(bytes: Uint8Array, options: Pick<OnnxOptions, "source"> = {}): OnnxSummary {
  expectOptions("inspectOnnx", options, "source");
  expectArguments("inspectOnnx", "bytes", { bytes });
  const file = parseOnnx(bytes, onnxBudget(bytes.length, options.source ?? "the ONNX file"));
  const { irVersion, producer, opsets, metadata, graph } = file;
  const counts = new Map<string, number>();
  for (const { domain, op } of graph.nodes) {
    const name = domain === "" ? op : `${domain}::${op}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return {
    irVersion,
    producer,
    opsets,
    metadata,
    inputs: graph.inputs.map(describe),
    outputs: graph.outputs.map(describe),
    operators: new Map([...counts].sort((a, b) => b[1] - a[1])),
    tensors: graph.initializers.map((t) => ({ name: t.name, type: typeName(t.type), shape: t.dims })),
  };
}

/**
 * The initializers of an ONNX file by name, whatever its operators are: float16 and bfloat16 as float32, 64-bit integers as float64. Those of a
 * type that is not supported are left out; `inspectOnnx` lists them, and `readOnnxFile` says why.
 * @throws FormatError for a damaged file, and for one of which nothing can be read
 * @param bytes of the file
 */
export function readOnnxWeights(bytes: Uint8Array, options: OnnxOptions = {}): Map<string, HostValue> {
  expectOptions("readOnnxWeights", options, onnxNames);
  expectArguments("readOnnxWeights", "bytes", { bytes });
  return readAll(bytes, options).tensors;
}

/**
 * The initializers of an ONNX file as every weight file is read: with their own types, and those that were not read with the reason.
 * @throws FormatError as `readOnnxWeights`
 * @param bytes of the file
 */
export function readOnnxFile(bytes: Uint8Array, options: OnnxOptions = {}): WeightsFile {
  expectOptions("readOnnxFile", options, onnxNames);
  expectArguments("readOnnxFile", "bytes", { bytes });
  const { tensors, skipped, metadata } = readAll(bytes, options);
  const typed = new Map<string, WeightTensor>();
  for (const [name, value] of tensors) {
    const { element, bits } = Object.values(types).find((t) => t.name === value.type)!;
    const { data, shape, type } = value;
    if ((element === "I64" || element === "U64") && !data.every(Number.isSafeInteger))
      skipped.push({ name, dtype: type!, shape, reason: `it holds ${type} values beyond the exact integers of float64` });
    else typed.set(name, { dtype: element, data, shape, ...(bits === 4 ? { storedAs: type! } : {}) });
  }
  return { format: "ONNX", tensors: typed, metadata: new Map(metadata), skipped };
}

interface ReadAll {
  readonly tensors: Map<string, HostValue>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly skipped: SkippedEntry[];
}

function readAll(bytes: Uint8Array, options: OnnxOptions): ReadAll {
  const budget = onnxBudget(bytes.length, options.source ?? "the ONNX file");
  const { graph, metadata } = parseOnnx(bytes, budget);
  const readable = (t: OnnxTensor) => unsupportedType(t) === undefined;
  const tensors = new Map(
    graph.initializers.filter(readable).map((t) => [t.name, decodeTensor(t, budget, options.external)] as const),
  );
  const skipped = graph.initializers
    .filter((t) => !readable(t))
    .map((t): SkippedEntry => ({ name: t.name, dtype: typeName(t.type), shape: t.dims, reason: unsupportedType(t)! }));
  expectSomeRead(tensors, skipped, budget.fail);
  return { tensors, metadata, skipped };
}
