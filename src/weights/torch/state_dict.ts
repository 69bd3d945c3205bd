/**
 * @file Where in a checkpoint the weights are. Training scripts save a state dict alone, one beside the optimizer's state under some name, or a
 * whole module; wrappers leave prefixes in the names.
 */
import type { Budget, Fail } from "../../host/bytes/budget.ts";
import { PickledObject } from "./pickle_values.ts";
import { notATensor, type SkippedEntry } from "../file.ts";
import { asTensor, type TensorRef } from "./objects.ts";

export interface FoundState {
  readonly tensors: Map<string, TensorRef>;
  /** Names beside the tensors whose values were not taken. */
  readonly skipped: readonly SkippedEntry[];
}

/** Where to look, and what becomes of the prefixes of the parts of a model. */
export interface FindOptions {
  readonly key?: string;
  readonly keepPrefixes?: boolean;
}

/** Names under which the weights of a model are kept, in the order they are looked for. */
const knownNames = [
  "state_dict",
  "model_state_dict",
  "network_weights", // nnU-Net
  "model_state",
  "model",
  "network",
  "net",
  "weights",
  "params",
  "module",
] as const;
const notWeights = /optim|sched|scaler|rng|random|loss|hyper|args|config/i;
// Names of the parts that make one model together, unlike those of two models (a generator and its critic) or two states of one (an average).
const partName =
  /encod|decod|backbone|bottleneck|^stem|^trunk|^neck|head$|^heads|body|embed|quanti[sz]er|codebook|classifier|segmentor|^fusion/i;
const copyName = /ema|average|teacher|best|swa/i;
const isPart = (name: string): boolean => partName.test(name) && !copyName.test(name);
const maxDepth = 6;

/**
 * The state dict of a checkpoint:
 * 1. with `key`, the one at that path of names, joined by "/";
 * 2. else the one under the first name of `knownNames` that has tensors, at any depth: `{ model: { state_dict: … } }`;
 * 3. else the tensors of the dict itself, with those of parts beside them, or of a list by position, or the parameters and buffers of a
 *    pickled module;
 * 4. else that of the only other entry with tensors, optimizers and schedulers aside; of several, if all are parts of one model
 *    (`{ encoder: …, decoder: … }`), all of them, under dotted prefixes.
 * @throws FormatError if there is none, or if there are several that are no parts of one model: `key` then chooses
 */
export function findStateDict(root: unknown, options: FindOptions, budget: Budget, fail: Fail): FoundState {
  const { key, keepPrefixes = false } = options;
  const start = key === undefined ? root : descend(root, key, fail);
  const found = new Finder(budget, fail, keepPrefixes).find(start, key ?? "", 0);
  if (found) return found;
  throw fail(`no tensors were found${key === undefined ? "" : ` under "${key}"`}; the file holds ${describe(start)}`);
}

/** Entries by name of what is a kind of dict or list. */
function entriesOf(value: unknown): [string, unknown][] | undefined {
  const items = value instanceof PickledObject ? value.items : value;
  if (items instanceof Map) return [...items].map(([k, v]) => [String(typeof k === "object" ? "?" : k), v]);
  return Array.isArray(items) ? items.map((v, i) => [String(i), v]) : undefined;
}

function descend(root: unknown, key: string, fail: Fail): unknown {
  let value = root;
  for (const name of key.split("/")) {
    const entry = entriesOf(value)?.find(([k]) => k === name);
    if (!entry) throw fail(`there is no "${name}" of the key "${key}"; the file holds ${describe(value)}`);
    value = entry[1];
  }
  return value;
}

function describe(value: unknown): string {
  if (value instanceof PickledObject) return `an object of the class ${value.type.slice(0, 100)}`;
  const names = entriesOf(value)?.map(([name]) => name.slice(0, 40));
  return names ? `${names.slice(0, 12).join(", ") || "nothing"}${names.length > 12 ? ", …" : ""}` : "neither a dict nor a module";
}

/** Why an entry beside the tensors is not among them. */
function passedOver(name: string, value: unknown): SkippedEntry {
  if (value instanceof PickledObject)
    return { name, reason: `it is ${/^an? /.test(value.type) ? "" : "of the class "}${value.type.slice(0, 100)}` };
  return { name, reason: holdsTensors(value) ? "it is another group of tensors; the option key (--key) chooses it" : notATensor };
}

/** Whether a value is a state dict or a list of tensors, and not something that has one deeper down. */
function holdsTensors(value: unknown): boolean {
  const items = value instanceof PickledObject ? value.items : value;
  if (isOptimizer(items) || !(items instanceof Map || Array.isArray(items))) return false;
  // No more than some: a file may refer to one dict from many places.
  let looked = 0;
  for (const v of items.values()) {
    if (asTensor(v)) return true;
    if (++looked === 256) return false;
  }
  return false;
}

type Entries = readonly (readonly [string, unknown])[];
type Groups = readonly (readonly [string, FoundState])[];

class Finder {
  private readonly budget: Budget;
  private readonly fail: Fail;
  private readonly keepPrefixes: boolean;
  // A file may refer to one dict from many places: each is searched once.
  private readonly results = new Map<unknown, FoundState | undefined>();

  constructor(budget: Budget, fail: Fail, keepPrefixes: boolean) {
    this.budget = budget;
    this.fail = fail;
    this.keepPrefixes = keepPrefixes;
  }

  find(value: unknown, path: string, depth: number): FoundState | undefined {
    const tensor = asTensor(value);
    if (tensor) return { tensors: new Map([["tensor", tensor]]), skipped: [] };
    if (typeof value !== "object" || value === null || depth > maxDepth) return undefined;
    if (!this.results.has(value)) {
      this.results.set(value, undefined);
      this.results.set(value, this.search(value, path, depth));
    }
    return this.results.get(value);
  }

  private search(value: object, path: string, depth: number): FoundState | undefined {
    if (value instanceof PickledObject && value.state !== undefined && !value.items) return this.module(value);
    const entries = entriesOf(value);
    if (!entries) return undefined;
    this.budget.take(64 * entries.length, "the search for tensors");
    const inner = entries.filter(([, v]) => !asTensor(v));
    const at = (name: string) => (path === "" ? name : `${path}/${name}`);
    const known = Array.isArray(value) ? undefined : this.known(inner, at, depth);
    if (known) return known;
    const tensors = new Map(entries.flatMap(([name, v]) => (asTensor(v) ? [[name, asTensor(v)!] as const] : [])));
    // Counters and the like say nothing of what lies beside them.
    if ([...tensors.values()].some((t) => t.shape.length > 0)) return this.withParts(tensors, inner, at, depth);
    const groups = this.groups(inner, at, depth, () => true);
    if (groups.length === 0) return tensors.size > 0 ? { tensors, skipped: inner.map((e) => passedOver(...e)) } : undefined;
    const found = groups.length === 1 ? groups[0][1] : this.merged(groups, at);
    const beside = [...tensors.keys()].map((name) => ({ name, reason: "it is a single number beside groups of tensors" }));
    return { ...found, skipped: [...found.skipped, ...beside] };
  }

  /** The state under the first known name that has one; what lies beside it is named, but may not be a part of the same model. */
  private known(inner: Entries, at: (name: string) => string, depth: number): FoundState | undefined {
    for (const known of knownNames) {
      const entry = inner.find(([name]) => name === known);
      const found = entry && this.find(entry[1], at(known), depth + 1);
      if (!found) continue;
      const others = inner.filter(([name, v]) => name !== known && holdsTensors(v) && !notWeights.test(name));
      if (others.some(([name]) => isPart(name))) throw this.several([known, ...others.map(([name]) => name)].map(at));
      return { ...found, skipped: [...found.skipped, ...others.map((e) => passedOver(...e))] };
    }
    return undefined;
  }

  /** Tensors of a dict with those of its entries that are parts of the same model. */
  private withParts(tensors: Map<string, TensorRef>, inner: Entries, at: (name: string) => string, depth: number): FoundState {
    const parts = this.groups(inner, at, depth, isPart);
    const names = new Set(parts.map(([name]) => name));
    const skipped = inner.filter(([name]) => !names.has(name)).map((e) => passedOver(...e));
    const { tensors: more, skipped: inside } = this.prefixed(parts);
    return { tensors: new Map([...tensors, ...more]), skipped: [...skipped, ...inside] };
  }

  private groups(inner: Entries, at: (name: string) => string, depth: number, wanted: (name: string) => boolean): Groups {
    return inner.flatMap(([name, v]) => {
      if (!wanted(name) || notWeights.test(name) || isOptimizer(v)) return [];
      const found = this.find(v, at(name), depth + 1);
      return found ? [[name, found] as const] : [];
    });
  }

  private merged(groups: Groups, at: (name: string) => string): FoundState {
    if (!groups.every(([name]) => isPart(name))) throw this.several(groups.map(([name]) => at(name)));
    return this.prefixed(groups);
  }

  private prefixed(groups: Groups): FoundState {
    const under = (group: string, name: string) => `${group}.${name}`;
    const length = groups.reduce((n, [group, { tensors }]) => n + tensors.size * (64 + group.length), 0);
    this.budget.take(length, "the names of the parts");
    const tensors = groups.flatMap(([group, found]) => {
      // Each part may have a wrapper of its own.
      const named = this.keepPrefixes ? found.tensors : withoutPrefixes(found.tensors);
      return [...named].map(([name, t]) => [under(group, name), t] as const);
    });
    const skipped = groups.flatMap(([group, found]) => found.skipped.map((e) => ({ ...e, name: under(group, e.name) })));
    return { tensors: new Map(tensors), skipped };
  }

  private several(names: readonly string[]): Error {
    const shown = names.slice(0, 12).map((name) => `"${name}"`);
    const more = names.length > 12 ? ", …" : "";
    return this.fail(`there are several groups of tensors: ${shown.join(", ")}${more}; choose one with the option key (--key)`);
  }

  /** Parameters and buffers of a pickled `torch.nn.Module` in the order of its state dict, or those of a TorchScript module. */
  private module(root: PickledObject): FoundState | undefined {
    const tensors = new Map<string, TensorRef>();
    const visit = (module: unknown, prefix: string, depth: number): void => {
      if (!(module instanceof PickledObject) || !(module.state instanceof Map) || depth > 64) return;
      const { state } = module;
      const scripted = !(state.get("_parameters") instanceof Map);
      const passing = state.get("_non_persistent_buffers_set");
      const left = new Set(Array.isArray(passing) ? (passing as unknown[]) : []);
      const own = scripted ? [...state] : [...entriesOfMap(state.get("_parameters")), ...entriesOfMap(state.get("_buffers"))];
      this.budget.take(64 + prefix.length + 16 * (own.length + left.size + state.size), "a module");
      for (const [name, value] of own) {
        const tensor = asTensor(value);
        if (!tensor || typeof name !== "string" || left.has(name)) continue;
        this.budget.take(64 + prefix.length + name.length, "a module");
        tensors.set(prefix + name, tensor);
      }
      const children = scripted ? [...state] : entriesOfMap(state.get("_modules"));
      for (const [name, child] of children) visit(child, `${prefix}${String(name)}.`, depth + 1);
    };
    visit(root, "", 0);
    return tensors.size > 0 ? { tensors, skipped: [] } : undefined;
  }
}

/** What `torch.optim.Optimizer.state_dict` gives, under whatever name. */
const isOptimizer = (value: unknown): boolean => value instanceof Map && value.has("state") && value.has("param_groups");

const entriesOfMap = (value: unknown): [unknown, unknown][] => (value instanceof Map ? [...value] : []);

/**
 * Names without what wrappers put before them: `_orig_mod.` of torch.compile wherever it stands, and `module.` of (Distributed)DataParallel when
 * all names have it (the counter of torch's AveragedModel, `n_averaged`, aside).
 */
export function withoutPrefixes<T>(named: ReadonlyMap<string, T>): Map<string, T> {
  const rename = (map: ReadonlyMap<string, T>, change: (name: string) => string): Map<string, T> | undefined => {
    const renamed = new Map([...map].map(([name, value]) => [change(name), value]));
    return renamed.size === map.size ? renamed : undefined; // two names that become one are no prefix
  };
  let result = new Map(named);
  for (;;) {
    result = rename(result, (name) => name.replaceAll(/(^|\.)_orig_mod\./g, "$1")) ?? result;
    const rest = new Map([...result].filter(([name]) => name !== "n_averaged"));
    const wrapped = rest.size > 0 && [...rest.keys()].every((name) => name.startsWith("module."));
    if (!wrapped) return result;
    result = rename(rest, (name) => name.slice("module.".length))!;
  }
}
