/**
 * @file Which layer of a Keras model reads which: chains and functional models, as Keras 2 and Keras 3 write them. Models that are layers of others are
 * unfolded, and a layer that is used several times is listed once for each use.
 */

import type { Fail } from "../../host/bytes/budget.ts";
import { isRecord, type JsonRecord, list, record } from "../../host/bytes/json.ts";
import { inputsFirst } from "../../host/topological.ts";

/** One use of a layer. */
export interface Wired {
  /** The layer, behind the names of the models that it is in: "encoder/conv". */
  readonly layer: string;
  /** The name of what this use gives: that of the layer, and of later uses "conv:1", "conv:2". */
  readonly name: string;
  readonly type: string;
  readonly config: JsonRecord;
  /** Names of the results that it reads; those of the model's inputs are its `inputs`. */
  readonly inputs: readonly string[];
}

/** A model as uses of its layers, each after what it reads. */
export interface Wiring {
  /** Names of the inputs; `""` for the only one. */
  readonly inputs: readonly string[];
  /** Names of the outputs, those of their layers, with the results that they are. */
  readonly outputs: readonly (readonly [name: string, result: string])[];
  readonly uses: readonly Wired[];
}

/** A result: of a use of a layer, counted, and which of several. */
interface Ref {
  readonly layer: string;
  readonly use: number;
  readonly index: number;
}

interface Node {
  readonly layer: JsonRecord;
  readonly name: string;
  readonly reads: readonly Ref[];
}

interface Level {
  /** Uses of each layer. */
  readonly nodes: ReadonlyMap<string, readonly Node[]>;
  /** The number that the first use of a layer has, where that is not 0. */
  readonly firsts: ReadonlyMap<string, number>;
  readonly inputs: readonly string[];
  readonly outputs: readonly Ref[];
}

const deepest = 16;
const mostUses = 65536;

/**
 * @throws FormatError for models without layers, layers of one name, cycles, and what reads what is not there
 */
export function wired(topology: JsonRecord, fail: Fail): Wiring {
  const level = levelOf(topology, fail);
  const inputs = level.inputs.length === 1 ? [""] : level.inputs;
  const unfolder = new Unfolder(fail);
  const results = unfolder.unfold(level, "", inputs, 0);
  const names = level.outputs.map(({ layer }, i) => {
    const before = level.outputs.slice(0, i).filter((o) => o.layer === layer).length;
    return before === 0 ? layer : `${layer}:${before}`;
  });
  return { inputs, outputs: names.map((name, i) => [name, results[i]] as const), uses: unfolder.uses };
}

class Unfolder {
  readonly uses: Wired[] = [];
  private readonly counts = new Map<string, number>();
  private readonly fail: Fail;

  constructor(fail: Fail) {
    this.fail = fail;
  }

  /** Adds the uses of a model's layers and gives the names of its results. `args` are what it reads, in the order of its inputs. */
  unfold(level: Level, prefix: string, args: readonly string[], depth: number): string[] {
    if (depth > deepest) throw this.fail(`models lie in each other more than ${deepest} deep`);
    if (args.length !== level.inputs.length)
      throw this.fail(`${args.length} layers feed a model with ${level.inputs.length} inputs (${level.inputs.join(", ")})`);
    const find = (ref: Ref, reader: string): Node => {
      const node = level.nodes.get(ref.layer)?.[ref.use - (level.firsts.get(ref.layer) ?? 0)];
      if (!node) throw this.fail(`${reader} reads "${ref.layer}", which is no layer of the model, or not that often`);
      return node;
    };
    const ordered = inputsFirst(
      level.outputs.map((ref) => find(ref, "the list of outputs")),
      ({ name, reads }) => reads.map((ref) => find(ref, `layer "${name}"`)),
      ({ name }) => this.fail(`the layers form a cycle through "${name}"`),
    );
    const results = new Map<Node, readonly string[]>();
    const resultOf = (ref: Ref): string => {
      const all = results.get(find(ref, ""))!;
      if (all[ref.index] === undefined) throw this.fail(`layer "${ref.layer}" has ${all.length} results, not ${ref.index + 1}`);
      return all[ref.index];
    };
    for (const node of ordered) results.set(node, this.use(node, level, prefix, args, node.reads.map(resultOf), depth));
    return level.outputs.map(resultOf);
  }

  private use(
    { layer, name }: Node,
    level: Level,
    prefix: string,
    args: readonly string[],
    read: readonly string[],
    depth: number,
  ): readonly string[] {
    const at = level.inputs.indexOf(name);
    const path = prefix + name;
    if (isInput(layer)) {
      if (at < 0) throw this.fail(`"${path}" is an input that the list of inputs lacks`);
      return [args[at]];
    }
    // A chain may begin without a layer for its input.
    const inputs = at >= 0 ? [args[at]] : read;
    const config = configOf(layer);
    if (isModel(layer)) return this.unfold(levelOf(layer, this.fail), `${path}/`, inputs, depth + 1);
    if (inputs.length === 0) throw this.fail(`layer "${path}" reads nothing`);
    const count = this.counts.get(path) ?? 0;
    this.counts.set(path, count + 1);
    const result = count === 0 ? path : `${path}:${count}`;
    if (this.uses.length >= mostUses) throw this.fail(`layers are used more than ${mostUses} times`);
    this.uses.push({ layer: path, name: result, type: String(layer.class_name), config, inputs });
    return [result];
  }
}

const isInput = (layer: JsonRecord): boolean => layer.class_name === "InputLayer";
const nameOf = (layer: JsonRecord): string => String(record(layer.config).name ?? layer.name);
// Of chains that old writers made the list of layers itself.
const configOf = ({ config }: JsonRecord): JsonRecord => (isRecord(config) ? config : { layers: config });
const isModel = (layer: JsonRecord): boolean => list(configOf(layer).layers).length > 0;

/** The layers of one model, with what each use of them reads. */
function levelOf(model: JsonRecord, fail: Fail): Level {
  const config = configOf(model);
  const layers = list(config.layers).map(record);
  if (layers.length === 0) throw fail("the model has no layers");
  const chain = model.class_name === "Sequential";
  const nodes = new Map<string, readonly Node[]>();
  layers.forEach((layer, i) => {
    const name = nameOf(layer);
    if (nodes.has(name)) throw fail("two layers have the same name");
    const before = i === 0 ? [] : [{ layer: nameOf(layers[i - 1]), use: 0, index: 0 }];
    const uses = chain ? [before] : list(layer.inbound_nodes).map(refs);
    nodes.set(
      name,
      (uses.length > 0 ? uses : [[]]).map((reads) => ({ layer, name, reads })),
    );
  });
  const reads = [...nodes.values()].flatMap((uses) => uses.flatMap((use) => use.reads));
  const read = new Set(reads.map((ref) => ref.layer));
  const given = chain ? [] : refs(config.output_layers);
  const unread = [...nodes.keys()].filter((name) => !read.has(name));
  const outputs = given.length > 0 ? given : unread.map((layer): Ref => ({ layer, use: 0, index: 0 }));
  const named = chain ? [] : refs(config.input_layers).map((ref) => ref.layer);
  const starts = chain ? [nameOf(layers[0])] : layers.filter(isInput).map(nameOf);
  return { nodes, firsts: firstUses(nodes, [...reads, ...outputs]), inputs: named.length > 0 ? named : starts, outputs };
}

/** A model counts as its first use how it was made itself, which is not listed, unless its writer left that out: the last use that is read tells. */
function firstUses(nodes: Level["nodes"], all: readonly Ref[]): Map<string, number> {
  const last = new Map<string, number>();
  for (const { layer, use } of all) last.set(layer, Math.max(use, last.get(layer) ?? 0));
  const models = [...nodes].filter(([, uses]) => isModel(uses[0].layer));
  return new Map(models.filter(([name, uses]) => last.get(name) === uses.length).map(([name]) => [name, 1]));
}

/** Results that a use reads, or that a model gives: of Keras 2, `[["name", 0, 0, {}]]`, or of Keras 3, inside of `keras_history`. */
function refs(nodes: unknown): Ref[] {
  const found: Ref[] = [];
  const search = (value: unknown, depth: number): void => {
    if (depth > 8) return;
    if (Array.isArray(value) && typeof value[0] === "string" && Number.isInteger(value[1]))
      found.push({ layer: value[0], use: value[1] as number, index: Number.isInteger(value[2]) ? (value[2] as number) : 0 });
    else if (Array.isArray(value)) for (const v of value) search(v, depth + 1);
    else if (isRecord(value)) for (const v of Object.values(value)) search(v, depth + 1);
  };
  search(nodes, 0);
  return found;
}
