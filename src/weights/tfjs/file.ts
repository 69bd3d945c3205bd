/**
 * @file TensorFlow.js models: a `model.json` with the layers, or the graph, and a manifest of weights, whose bytes lie in shards beside it
 * (https://github.com/tensorflow/tfjs/tree/master/tfjs-converter). Weights may be quantized to 8 or 16 bits.
 */
import { expectKinds } from "../../host/kinds.ts";
import { sizeOf, type TypedArray, viewOf } from "../../host/array.ts";
import { elements, elementsBy } from "../../host/elements.ts";
import { decodeElements, ELEMENTS, type ElementType, type WeightTensor } from "../elements.ts";
import { expectSomeRead, type SkippedEntry } from "../file.ts";
import { type Fail, failing } from "../../host/bytes/budget.ts";
import { isSizes, type JsonRecord, list, parseJson, record } from "../../host/bytes/json.ts";
import { joinedBytes } from "../../host/bytes/words.ts";

/** A layers model of TensorFlow.js: its topology and its weights by name. */
export interface TfjsModel {
  /** What error messages call the file. */
  readonly source: string;
  /** A layers model is run by `layersModel` of voxgrad/nn, a graph model by `importTfjsGraph` of voxgrad/onnx. */
  readonly format: "layers-model" | "graph-model";
  /** The Keras model, `class_name` and `config`; of a graph model the graph. */
  readonly topology: Readonly<Record<string, unknown>>;
  /** Inputs and outputs of a graph model by the names its users know; empty if it does not say. */
  readonly signature: Readonly<Record<string, unknown>>;
  /** What wrote the model, "tfjs-layers 4.22.0" if TensorFlow.js itself; empty if it does not say. */
  readonly kerasVersion: string;
  /** Weights by name (`layer/kernel`) in the layout of Keras, dequantized. */
  readonly weights: Map<string, WeightTensor>;
  /** Weights of types that are not supported: they were not read. */
  readonly skipped: readonly SkippedEntry[];
}

// Beside these TensorFlow.js has texts and complex numbers.
const dtypes = ["float32", "float16", "int32", "uint8", "uint16", "bool"];
const byDtype = elementsBy("numpy");

/**
 * Reads a model with its weights.
 * @param json the bytes of `model.json`
 * @param shard gives the bytes of a file beside it, by the path in the manifest
 * @throws FormatError for damaged files
 * @param source what errors call the model
 */
export async function readTfjs(
  json: Uint8Array,
  shard: (path: string) => Promise<Uint8Array>,
  source = "model.json",
): Promise<TfjsModel> {
  expectKinds("readTfjs", { bytes: { json }, function: { shard }, text: { source } });
  const fail = failing(source);
  const model = record(parseJson(json, "the file", 64, fail));
  const whole = record(model.modelTopology);
  const format = model.format === "graph-model" || Array.isArray(whole.node) ? "graph-model" : "layers-model";
  const topology = record(whole.model_config ?? whole);
  if (format === "layers-model" && typeof topology.class_name !== "string")
    throw fail("modelTopology has no class_name; this is neither a layers model nor a graph model");
  const weights = new Map<string, WeightTensor>();
  const skipped: SkippedEntry[] = [];
  for (const group of list(model.weightsManifest).map(record)) {
    const parts: Uint8Array[] = [];
    for (const path of list(group.paths)) parts.push(await shard(safePath(path, fail)));
    readGroup(list(group.weights).map(record), parts.length === 1 ? parts[0] : joinedBytes(parts), { weights, skipped }, fail);
  }
  expectSomeRead(weights, skipped, fail);
  const kerasVersion = typeof whole.keras_version === "string" ? whole.keras_version : "";
  const signature = record(model.signature ?? record(model.userDefinedMetadata).signature);
  return { source, format, topology, signature, kerasVersion, weights, skipped };
}

/** A relative path that stays in the folder of the model. */
function safePath(path: unknown, fail: Fail): string {
  if (typeof path !== "string" || /^$|^[/\\]|^[a-z]+:|(^|[/\\])\.\.([/\\]|$)|\0/i.test(path))
    throw fail(`the path ${JSON.stringify(path)} of a shard does not stay in the model's folder`);
  return path;
}

interface Read {
  readonly weights: Map<string, WeightTensor>;
  readonly skipped: SkippedEntry[];
}

function readGroup(specs: readonly JsonRecord[], bytes: Uint8Array, { weights, skipped }: Read, fail: Fail): void {
  let at = 0;
  const names = new Set([...weights.keys(), ...skipped.map(({ name }) => name)]);
  for (const { name, shape, dtype, quantization } of specs) {
    if (typeof name !== "string" || names.has(name))
      throw fail(`a weight has no name, or that of another: ${JSON.stringify(name)}`);
    names.add(name);
    const explain: Fail = (problem) => fail(`weight "${name}": ${problem}`);
    if (!isSizes(shape)) throw explain(`shape is ${JSON.stringify(shape)}; expected a list of sizes`);
    const { dtype: stored = dtype, scale = 1, min = 0 } = record(quantization);
    const known = dtypes.includes(stored as string) ? elements[byDtype.get(stored)!].safetensors : undefined;
    if (typeof scale !== "number" || typeof min !== "number") throw explain("its quantization has no scale and minimum");
    const size = known ? sizeOf(shape) * ELEMENTS[known].bytes : foreignBytes(stored, sizeOf(shape), bytes.subarray(at));
    if (size === undefined) throw explain(`dtype ${JSON.stringify(stored)} is not supported; supported are ${dtypes.join(", ")}`);
    const end = at + size;
    if (!(end <= bytes.length)) throw explain(`its bytes end at ${end}, but the shards have ${bytes.length}; one is cut short`);
    if (!known) skipped.push({ name, dtype: String(stored), shape, reason: `its dtype ${String(stored)} is not supported` });
    else {
      const values = decodeElements(known, bytes.subarray(at, end));
      const scaled = quantization !== undefined && (known === "U8" || known === "U16");
      weights.set(name, {
        shape,
        ...(scaled ? dequantized(values, scale, min, dtype === "int32") : { data: values, dtype: known }),
      });
    }
    at = end;
  }
  if (at !== bytes.length) throw fail(`the last ${bytes.length - at} bytes of the shards belong to no weight`);
}

/** The bytes of a weight that is passed over, of which those of texts have their lengths before them; undefined if they cannot be told. */
function foreignBytes(dtype: unknown, count: number, bytes: Uint8Array): number | undefined {
  if (dtype === "complex64") return 8 * count;
  if (dtype !== "string") return undefined;
  const view = viewOf(bytes);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > bytes.length) return Infinity;
    at += 4 + view.getUint32(at, true);
  }
  return at;
}

function dequantized(values: TypedArray, scale: number, min: number, whole: boolean): { data: TypedArray; dtype: ElementType } {
  // A loop: `from` with a function collects the values in a list first, a hundred times slower.
  const data = new (whole ? Int32Array : Float32Array)(values.length);
  for (let i = 0; i < data.length; i++) data[i] = whole ? Math.round(values[i] * scale + min) : values[i] * scale + min;
  return { data, dtype: whole ? "I32" : "F32" };
}
