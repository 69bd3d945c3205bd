/** @file A graph that was checked: every name has one origin, nodes come after what they read, and all operators are known here. */

import { ConfigError, type FormatError } from "../../host/errors.ts";
import { inputsFirst } from "../../host/topological.ts";
import type { OnnxFile, OnnxNode, OnnxTensor } from "../model.ts";
import { fullName, isKnownInput, operatorOf, supported } from "./operators.ts";

export interface CheckedGraph {
  /** What the outputs need, in an order in which it can run. */
  readonly nodes: readonly OnnxNode[];
  /** Initializers that the nodes read, and values of Constant nodes. */
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  /** Names of values that must be known on the host: what shapes, axes and sizes are made of. */
  readonly known: ReadonlySet<string>;
  /** Names that are read on the device. */
  readonly computed: ReadonlySet<string>;
  /** Names whose last reader is the node of this index. */
  readonly lastReads: readonly (readonly string[])[];
}

type Fail = (problem: string) => FormatError;

/** Which node makes each name. Throws `FormatError` for a name with two origins. */
function producers(file: OnnxFile, fail: Fail): Map<string, OnnxNode | undefined> {
  const made = new Map<string, OnnxNode | undefined>();
  const add = (name: string, node: OnnxNode | undefined) => {
    if (made.has(name)) throw fail(`the value "${name}" is made twice`);
    made.set(name, node);
  };
  const { graph } = file;
  for (const { name } of [...graph.inputs, ...graph.initializers]) add(name, undefined);
  for (const node of graph.nodes) for (const name of node.outputs) if (name !== "") add(name, node);
  return made;
}

/** Nodes that lead to the outputs, each after what it reads. Throws `FormatError` for cycles and names without origin. */
function ordered(file: OnnxFile, fail: Fail): OnnxNode[] {
  const made = producers(file, fail);
  const origins = (names: readonly string[], reader: string): OnnxNode[] => {
    const missing = names.find((name) => !made.has(name));
    if (missing !== undefined) throw fail(`${reader} reads "${missing}", which nothing makes`);
    return names.flatMap((name) => made.get(name) ?? []);
  };
  const roots = origins(
    file.graph.outputs.map(({ name }) => name),
    "the list of outputs",
  );
  return inputsFirst(
    roots,
    (node) =>
      origins(
        node.inputs.filter((name) => name !== ""),
        `${node.op} "${node.outputs[0]}"`,
      ),
    (node) => fail(`the graph has a cycle through ${node.op} "${node.outputs[0]}"`),
  );
}

function expectSupported(file: OnnxFile, nodes: readonly OnnxNode[]): void {
  const missing = new Set(nodes.filter((n) => !supported(n)).map(fullName));
  if (missing.size === 0) return;
  const hint = file.functions > 0 ? "; functions in the file are not expanded: inline them first (onnx.inliner)" : "";
  throw new ConfigError(`importOnnx: operators that are not supported: ${[...missing].sort().join(", ")}${hint}`);
}

/** A Constant node as the tensor it holds. */
function constantOf(node: OnnxNode, fail: Fail): OnnxTensor {
  const name = node.outputs[0];
  const at = (key: string) => node.attributes.get(key);
  const whole = at("value")?.tensor;
  if (whole) return { ...whole, name };
  const list = (type: number, dims: readonly number[], numbers: readonly number[]): OnnxTensor => ({
    name,
    dims,
    type,
    raw: undefined,
    numbers,
    external: [],
  });
  const { value_int, value_ints, value_float, value_floats } = Object.fromEntries(node.attributes);
  if (value_int) return list(7, [], [value_int.i]);
  if (value_ints) return list(7, [value_ints.ints.length], value_ints.ints);
  if (value_float) return list(1, [], [value_float.f]);
  if (value_floats) return list(1, [value_floats.floats.length], value_floats.floats);
  throw fail(`Constant "${name}" holds ${[...node.attributes.keys()].join(", ") || "nothing"}, which is not supported`);
}

// Backwards: what a known value is made of is known too, but of the input of Shape only the shape matters.
function demands(nodes: readonly OnnxNode[]): { known: Set<string>; computed: Set<string> } {
  const known = new Set<string>();
  const computed = new Set<string>();
  for (const node of nodes.toReversed()) {
    const host = node.outputs.some((name) => known.has(name));
    const device = node.outputs.some((name) => computed.has(name)) || !host;
    if (operatorOf(node)?.shape) continue;
    node.inputs.forEach((name, i) => {
      if (host || isKnownInput(node, i)) known.add(name);
      if (device && !isKnownInput(node, i)) computed.add(name);
    });
  }
  return { known, computed };
}

/**
 * Checks and sorts the graph of a file.
 * @throws FormatError for graphs that are none, ConfigError naming all operators that are not supported
 */
export function checkGraph(file: OnnxFile, fail: Fail): CheckedGraph {
  const { graph } = file;
  const version = file.opsets.get("")!;
  // Up to 6 operands could be aligned along a named axis; without that 6 means what 7 does.
  const aligned = graph.nodes.some(({ attributes }) => attributes.has("broadcast") && attributes.has("axis"));
  if (version < 6 || (version === 6 && aligned)) {
    throw new ConfigError(
      `importOnnx: operator set ${version} is too old; convert the model to 7 or later (onnx.version_converter)`,
    );
  }
  if (graph.sparse) throw new ConfigError("importOnnx: sparse initializers are not supported; store them densely");
  if (graph.outputs.length === 0) throw fail("the graph has no outputs");
  const all = ordered(file, fail);
  expectSupported(file, all);
  const nodes = all.filter((n) => n.op !== "Constant");
  const used = new Set([...nodes.flatMap((n) => n.inputs), ...graph.outputs.map((o) => o.name)]);
  const constants = all.filter((n) => n.op === "Constant").map((n) => constantOf(n, fail));
  const initializers = new Map([...graph.initializers, ...constants].filter((t) => used.has(t.name)).map((t) => [t.name, t]));
  const lastReads = nodes.map((): string[] => []);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const seen = new Set<string>(outputs);
  nodes.forEach((_, back) => {
    const i = nodes.length - 1 - back;
    // What nobody reads goes at once.
    for (const name of [...nodes[i].inputs, ...nodes[i].outputs]) {
      if (name === "" || seen.has(name)) continue;
      seen.add(name);
      lastReads[i].push(name);
    }
  });
  return { nodes, initializers, ...demands(nodes), lastReads };
}
