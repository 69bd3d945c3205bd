/** @file What is in an ONNX file, without running it. */

import type { HostValue } from "./values.ts";
import { type OnnxValueInfo, parseOnnx } from "./model.ts";
import type { OnnxOptions } from "./import/module.ts";
import { onnxBudget } from "./proto.ts";
import { decodeTensor, typeName } from "./tensor_data.ts";

/** Name, element type and shape of a tensor; sizes that are open are names. */
export interface OnnxTensorInfo {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[] | undefined;
}

export interface OnnxSummary {
  readonly irVersion: number;
  readonly producer: string;
  /** Versions of the operator sets by domain; "" is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly inputs: readonly OnnxTensorInfo[];
  readonly outputs: readonly OnnxTensorInfo[];
  /** How often each operator is used, the most frequent first. */
  readonly operators: ReadonlyMap<string, number>;
  readonly tensors: readonly OnnxTensorInfo[];
}

const describe = ({ name, type, shape }: OnnxValueInfo): OnnxTensorInfo => ({ name, type: typeName(type), shape });

/** Summarizes an ONNX file; operators may be any. Throws `FormatError` for a damaged one. */
export function inspectOnnx(bytes: Uint8Array, options: Pick<OnnxOptions, "source"> = {}): OnnxSummary {
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
 * The initializers of an ONNX file by name, whatever its operators are: float16 and bfloat16 as float32, 64-bit integers as float64.
 * @throws FormatError for a damaged file, and for element types that are not supported
 */
export function readOnnxWeights(bytes: Uint8Array, options: OnnxOptions = {}): Map<string, HostValue> {
  const budget = onnxBudget(bytes.length, options.source ?? "the ONNX file");
  const { graph } = parseOnnx(bytes, budget);
  return new Map(graph.initializers.map((t) => [t.name, decodeTensor(t, budget, options.external)]));
}
