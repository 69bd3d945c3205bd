/** @file The nodes of a TensorFlow graph as TensorFlow.js keeps it in JSON (https://github.com/tensorflow/tfjs/tree/master/tfjs-converter). */

import type { Fail } from "../../host/bytes/budget.ts";
import { type JsonRecord, list, record } from "../../host/bytes/json.ts";
import type { TfjsModel } from "../../weights/tfjs/file.ts";

/** A result of a node: the first one of "conv" is "conv", the second one "conv:1". */
export type TfName = string;

/** A node and its attributes, whose texts are base64 and whose integers may be texts. */
export class TfNode {
  readonly name: string;
  readonly op: string;
  /** Without what only orders the work ("^name"). */
  readonly inputs: readonly TfName[];
  readonly fail: Fail;
  private readonly attributes: JsonRecord;

  constructor(node: JsonRecord, modelFail: Fail) {
    const { name, op } = node;
    if (typeof name !== "string" || typeof op !== "string") throw modelFail("a node of the graph has no name or operation");
    this.name = name;
    this.op = op;
    this.fail = (problem) => modelFail(`${op} "${name}": ${problem}`);
    const inputs = list(node.input);
    if (!inputs.every((v) => typeof v === "string")) throw this.fail("its inputs are no list of names");
    this.inputs = (inputs as string[]).filter((v) => !v.startsWith("^")).map(tfName);
    this.attributes = record(node.attr);
  }

  /** @throws FormatError if the node has fewer inputs */
  input(i: number): TfName {
    const name = this.inputs[i];
    if (name === undefined) throw this.fail(`it has ${this.inputs.length} inputs, and number ${i} is needed`);
    return name;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.attributes, key);
  }

  private attribute(key: string): JsonRecord {
    return record(this.attributes[key]);
  }

  text(key: string, fallback: string): string {
    const { s } = this.attribute(key);
    return s === undefined ? fallback : this.textOf(s, key);
  }

  texts(key: string): string[] {
    return list(record(this.attribute(key).list).s).map((s) => this.textOf(s, key));
  }

  flag(key: string): boolean {
    return this.attribute(key).b === true;
  }

  number(key: string, fallback: number): number {
    const { i, f } = this.attribute(key);
    return i === undefined && f === undefined ? fallback : this.numberOf(i ?? f, key);
  }

  /** A list of integers; undefined if it is missing or empty. */
  integers(key: string): number[] | undefined {
    const values = list(record(this.attribute(key).list).i).map((v) => this.numberOf(v, key));
    return values.length > 0 ? values : undefined;
  }

  /** A type such as "DT_FLOAT". */
  type(key: string): string {
    const { type } = this.attribute(key);
    const known: Readonly<Record<number, string>> = {
      1: "DT_FLOAT",
      2: "DT_DOUBLE",
      3: "DT_INT32",
      9: "DT_INT64",
      10: "DT_BOOL",
    };
    return typeof type === "number" ? (known[type] ?? `type ${type}`) : String(type);
  }

  /** Sizes of a shape, −1 for one that is open; undefined if nothing is known. */
  shape(key: string): number[] | undefined {
    return sizesOf(record(this.attribute(key).shape), this.fail);
  }

  private numberOf(v: unknown, key: string): number {
    const n = typeof v === "string" && v !== "" ? Number(v) : v;
    if (typeof n !== "number" || Number.isNaN(n)) throw this.fail(`${key} is ${JSON.stringify(v)}; expected a number`);
    return n;
  }

  private textOf(v: unknown, key: string): string {
    // Some writers keep a list of bytes.
    if (Array.isArray(v)) return String.fromCharCode(...(v as number[]));
    try {
      return atob(v as string);
    } catch (error) {
      throw Object.assign(this.fail(`${key} is no text in base64`), { cause: error });
    }
  }
}

const tfName = (name: string): TfName => name.replace(/:0$/, "");

function sizesOf(shape: JsonRecord, fail: Fail): number[] | undefined {
  if (shape.unknownRank === true || (shape.dim === undefined && Object.keys(shape).length > 0)) return undefined;
  return list(shape.dim).map((dim) => {
    const n = Number(record(dim).size ?? 0);
    if (!Number.isSafeInteger(n)) throw fail(`a size of its shape is ${JSON.stringify(record(dim).size)}`);
    return n < 1 ? -1 : n;
  });
}

/** All nodes in the order of the file. Throws `FormatError` for nodes of one name. */
export function graphNodes(model: TfjsModel, fail: Fail): TfNode[] {
  const nodes = list(model.topology.node).map((node) => new TfNode(record(node), fail));
  if (nodes.length === 0) throw fail("the graph has no nodes");
  if (new Set(nodes.map(({ name }) => name)).size < nodes.length) throw fail("two nodes have the same name");
  return nodes;
}

/** Results that the model gives by its signature, else what no node reads. */
export function graphOutputs(model: TfjsModel, nodes: readonly TfNode[]): TfName[] {
  const signed = Object.values(record(model.signature.outputs)).map((v) => record(v).name);
  if (signed.length > 0 && signed.every((name) => typeof name === "string")) return signed.map((name) => tfName(name as string));
  const read = new Set(nodes.flatMap(({ inputs }) => inputs.map((name) => name.replace(/:\d+$/, ""))));
  return nodes.filter(({ name, op }) => !read.has(name) && op !== "NoOp" && op !== "Const").map(({ name }) => name);
}

/** The nodes that lead to the outputs, each after what it reads. Throws `FormatError` for cycles and names that no node has. */
export function ordered(nodes: readonly TfNode[], outputs: readonly TfName[], fail: Fail): TfNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const state = new Map<TfNode, "open" | "done">();
  const found: TfNode[] = [];
  // A stack of our own: a deep network would overflow that of calls.
  const stack: { readonly node: TfNode; next: number }[] = [];
  const visit = (name: TfName, reader: string) => {
    const node = byName.get(name.replace(/:\d+$/, ""));
    if (!node) throw fail(`${reader} reads "${name}", which no node makes`);
    if (state.get(node) === "done") return;
    if (state.get(node) === "open") throw fail(`the graph has a cycle through "${node.name}"`);
    state.set(node, "open");
    stack.push({ node, next: 0 });
  };
  for (const output of outputs) {
    visit(output, "the list of outputs");
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { node } = top;
      if (top.next < node.inputs.length) visit(node.inputs[top.next++], `"${node.name}"`);
      else {
        state.set(node, "done");
        found.push(node);
        stack.pop();
      }
    }
  }
  return found;
}
