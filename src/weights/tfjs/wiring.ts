/** @file Which layer of a Keras model reads which: chains and functional models, as Keras 2 and Keras 3 write them. */

import type { Fail } from "../../host/bytes/budget.ts";
import { isRecord, type JsonRecord, list, record } from "../../host/bytes/json.ts";
import { inputsFirst } from "../../host/topological.ts";

export interface Wired {
  readonly name: string;
  readonly type: string;
  readonly config: JsonRecord;
  /** Names of the layers whose results it reads. */
  readonly inputs: readonly string[];
}

/**
 * The layers that the output needs, each after what it reads.
 * @throws FormatError for models with several inputs or outputs, layers that are used twice, and what reads what is not there
 */
export function wired(topology: JsonRecord, fail: Fail): Wired[] {
  const config = isRecord(topology.config) ? topology.config : { layers: topology.config };
  const layers = list(config.layers).map(record);
  if (layers.length === 0) throw fail("the model has no layers");
  const chain = topology.class_name === "Sequential";
  const all = layers.map((layer, i): Wired => {
    const own = record(layer.config);
    const name = nameOf(layer);
    const inputs = chain ? layers.slice(Math.max(0, i - 1), i).map(nameOf) : callOf(layer, name, fail);
    return { name, type: String(layer.class_name), config: own, inputs };
  });
  const byName = new Map(all.map((layer) => [layer.name, layer]));
  if (byName.size < all.length) throw fail("two layers have the same name");
  const read = new Set(all.flatMap(({ inputs }) => inputs));
  const given = chain ? [] : inputNames(config.output_layers);
  const outputs = given.length > 0 ? given : all.map(({ name }) => name).filter((name) => !read.has(name));
  if (outputs.length !== 1)
    throw fail(`the model has ${outputs.length} outputs (${outputs.join(", ")}); only models with one are supported`);
  const ordered = order(outputs[0], byName, fail);
  const starts = ordered.filter(({ inputs }) => inputs.length === 0).map(({ name }) => name);
  if (starts.length !== 1)
    throw fail(`the model has ${starts.length} inputs (${starts.join(", ")}); only models with one are supported`);
  return ordered;
}

const nameOf = (layer: JsonRecord): string => String(record(layer.config).name ?? layer.name);

/** What the only call of a layer reads. */
function callOf(layer: JsonRecord, name: string, fail: Fail): string[] {
  const calls = list(layer.inbound_nodes);
  if (calls.length > 1) throw fail(`layer "${name}" is used ${calls.length} times; shared layers are not supported`);
  return inputNames(calls);
}

/** Names of the layers that feed one: of Keras 2, `[[["name", 0, 0, {}]]]`, or of Keras 3, inside of `keras_history`. */
function inputNames(nodes: unknown): string[] {
  const names: string[] = [];
  const search = (value: unknown, depth: number): void => {
    if (depth > 8) return;
    if (Array.isArray(value) && typeof value[0] === "string" && Number.isInteger(value[1])) names.push(value[0]);
    else if (Array.isArray(value)) for (const v of value) search(v, depth + 1);
    else if (isRecord(value)) for (const v of Object.values(value)) search(v, depth + 1);
  };
  search(nodes, 0);
  return names;
}

function order(output: string, byName: ReadonlyMap<string, Wired>, fail: Fail): Wired[] {
  const find = (name: string, reader: string): Wired => {
    const layer = byName.get(name);
    if (!layer) throw fail(`${reader} reads "${name}", which is no layer of the model`);
    return layer;
  };
  return inputsFirst(
    [find(output, "the list of outputs")],
    ({ name, inputs }) => inputs.map((input) => find(input, `layer "${name}"`)),
    ({ name }) => fail(`the layers form a cycle through "${name}"`),
  );
}
