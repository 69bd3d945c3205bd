/**
 * @file TensorFlow.js layers models: a `model.json` with the layers and a manifest of weights, whose bytes lie in shards beside it
 * (https://github.com/tensorflow/tfjs/tree/master/tfjs-converter). Weights may be quantized to 8 or 16 bits.
 */
import { sizeOf, type TypedArray } from "../../host/array.ts";
import { elements, elementsBy } from "../../host/elements.ts";
import { decodeElements, ELEMENTS, type ElementType, type WeightTensor } from "../elements.ts";
import { type Fail, failing } from "../../host/bytes/budget.ts";
import { isSizes, type JsonRecord, list, parseJson, record } from "../../host/bytes/json.ts";

export interface TfjsModel {
  /** What error messages call the file. */
  readonly source: string;
  /** The Keras model: `class_name` and `config`. */
  readonly topology: Readonly<Record<string, unknown>>;
  /** Weights by name (`layer/kernel`) in the layout of Keras, dequantized. */
  readonly weights: Map<string, WeightTensor>;
}

// TensorFlow.js has no others.
const dtypes = ["float32", "float16", "int32", "uint8", "uint16", "bool"];
const byDtype = elementsBy("numpy");

/**
 * Reads a layers model.
 * @param json the bytes of `model.json`
 * @param shard gives the bytes of a file beside it, by the path in the manifest
 * @throws FormatError for damaged files, graph models and types that are not supported
 */
export async function readTfjs(
  json: Uint8Array,
  shard: (path: string) => Promise<Uint8Array>,
  source = "model.json",
): Promise<TfjsModel> {
  const fail = failing(source);
  const model = record(parseJson(json, "the file", 64, fail));
  if (model.format === "graph-model") throw fail("graph models are not supported; convert the Keras model to a layers model");
  const topology = record(record(model.modelTopology).model_config ?? model.modelTopology);
  if (typeof topology.class_name !== "string") throw fail("modelTopology has no class_name; this is no layers model");
  const weights = new Map<string, WeightTensor>();
  for (const group of list(model.weightsManifest).map(record)) {
    const parts: Uint8Array[] = [];
    for (const path of list(group.paths)) parts.push(await shard(safePath(path, fail)));
    readGroup(list(group.weights).map(record), joined(parts), weights, fail);
  }
  return { source, topology, weights };
}

/** A relative path that stays in the folder of the model. */
function safePath(path: unknown, fail: Fail): string {
  if (typeof path !== "string" || /^$|^[/\\]|^[a-z]+:|(^|[/\\])\.\.([/\\]|$)|\0/i.test(path))
    throw fail(`the path ${JSON.stringify(path)} of a shard does not stay in the model's folder`);
  return path;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function readGroup(specs: readonly JsonRecord[], bytes: Uint8Array, weights: Map<string, WeightTensor>, fail: Fail): void {
  let at = 0;
  for (const { name, shape, dtype, quantization } of specs) {
    if (typeof name !== "string" || weights.has(name))
      throw fail(`a weight has no name, or that of another: ${JSON.stringify(name)}`);
    const explain: Fail = (problem) => fail(`weight "${name}": ${problem}`);
    if (!isSizes(shape)) throw explain(`shape is ${JSON.stringify(shape)}; expected a list of sizes`);
    const { dtype: stored = dtype, scale = 1, min = 0 } = record(quantization);
    if (!dtypes.includes(stored as string) || typeof scale !== "number" || typeof min !== "number")
      throw explain(`dtype ${JSON.stringify(stored)} is not supported; supported are ${dtypes.join(", ")}`);
    const type = elements[byDtype.get(stored)!].safetensors;
    const end = at + sizeOf(shape) * ELEMENTS[type].bytes;
    if (!(end <= bytes.length)) throw explain(`its bytes end at ${end}, but the shards have ${bytes.length}; one is cut short`);
    const values = decodeElements(type, bytes.subarray(at, end));
    const scaled = quantization !== undefined && (type === "U8" || type === "U16");
    weights.set(name, {
      shape,
      ...(scaled ? dequantized(values, scale, min, dtype === "int32") : { data: values, dtype: type }),
    });
    at = end;
  }
  if (at !== bytes.length) throw fail(`the last ${bytes.length - at} bytes of the shards belong to no weight`);
}

function dequantized(values: TypedArray, scale: number, min: number, whole: boolean): { data: TypedArray; dtype: ElementType } {
  // A loop: `from` with a function collects the values in a list first, a hundred times slower.
  const data = new (whole ? Int32Array : Float32Array)(values.length);
  for (let i = 0; i < data.length; i++) data[i] = whole ? Math.round(values[i] * scale + min) : values[i] * scale + min;
  return { data, dtype: whole ? "I32" : "F32" };
}
