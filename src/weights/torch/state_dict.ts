/**
 * @file Where in a checkpoint the weights are. Training scripts save a state dict alone, one beside the optimizer's state under some name, or a
 * whole module; wrappers leave prefixes in the names.
 */
import type { Budget, Fail } from "../../host/bytes/budget.ts";
import { PickledObject } from "./pickle_values.ts";
import { asTensor, type TensorRef } from "./objects.ts";

export interface FoundState {
  readonly tensors: Map<string, TensorRef>;
  /** Names beside the tensors whose values are no tensors. */
  readonly skipped: readonly string[];
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
const maxDepth = 6;

/**
 * The state dict of a checkpoint:
 * 1. with `key`, the one at that path of names, joined by "/";
 * 2. else the one under the first name of `knownNames` that has tensors, at any depth: `{ model: { state_dict: … } }`;
 * 3. else the tensors of the dict itself, or of a list by position, or the parameters and buffers of a pickled module;
 * 4. else that of the only other entry with tensors, optimizers and schedulers aside.
 * @throws FormatError if there is none, or if there are several: `key` then chooses
 */
export function findStateDict(root: unknown, key: string | undefined, budget: Budget, fail: Fail): FoundState {
  const start = key === undefined ? root : descend(root, key, fail);
  const found = new Finder(budget, fail).find(start, key ?? "", 0);
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

class Finder {
  private readonly budget: Budget;
  private readonly fail: Fail;
  // A file may refer to one dict from many places: each is searched once.
  private readonly results = new Map<unknown, FoundState | undefined>();

  constructor(budget: Budget, fail: Fail) {
    this.budget = budget;
    this.fail = fail;
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
    for (const known of Array.isArray(value) ? [] : knownNames) {
      const entry = inner.find(([name]) => name === known);
      const found = entry && this.find(entry[1], at(known), depth + 1);
      if (found) return found;
    }
    const tensors = new Map(entries.flatMap(([name, v]) => (asTensor(v) ? [[name, asTensor(v)!] as const] : [])));
    if (tensors.size > 0) return { tensors, skipped: inner.map(([name]) => name) };
    const groups = inner.flatMap(([name, v]) => {
      const found = notWeights.test(name) || isOptimizer(v) ? undefined : this.find(v, at(name), depth + 1);
      return found ? [[at(name), found] as const] : [];
    });
    if (groups.length > 1) {
      const names = groups.map(([name]) => `"${name}"`);
      throw this.fail(`there are several groups of tensors: ${names.slice(0, 12).join(", ")}; choose one with the option key`);
    }
    return groups[0]?.[1];
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
