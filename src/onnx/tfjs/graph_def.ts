/** @file The nodes of a TensorFlow graph as TensorFlow.js keeps it in JSON (https://github.com/tensorflow/tfjs/tree/master/tfjs-converter). */

import type { Fail } from "../../host/bytes/budget.ts";
import { type JsonRecord, list, record } from "../../host/bytes/json.ts";
import { inputsFirst } from "../../host/topological.ts";
import type { TfjsModel } from "../../weights/tfjs/file.ts";

/** A result of a node: the first one of "conv" is "conv", the second one "conv:1". */
export type TfName = string;

// Names of results are made before anything runs.
const mostResults = 4096;

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

  /** How many results a node has, so many that a graph can have them. Throws `FormatError`. */
  count(key: string): number {
    const n = this.number(key, 1);
    if (!Number.isInteger(n) || n < 1 || n > mostResults) throw this.fail(`${key} is ${n}; expected 1 to ${mostResults}`);
    return n;
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
    if (Array.isArray(v)) return v.map((code) => String.fromCharCode(Number(code))).join("");
    try {
      return atob(v as string);
    } catch (error) {
      throw Object.assign(this.fail(`${key} is no text in base64`), { cause: error });
    }
  }
}

const tfName = (name: string): TfName => name.replace(/:0$/, "");
const nodeOf = (name: TfName): string => name.replace(/:\d+$/, "");

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
  // One result may have two names in a signature.
  if (signed.length > 0 && signed.every((name) => typeof name === "string"))
    return [...new Set(signed.map((name) => tfName(name as string)))];
  const read = new Set(nodes.flatMap(({ inputs }) => inputs.map(nodeOf)));
  return nodes.filter(({ name, op }) => !read.has(name) && op !== "NoOp" && op !== "Const").map(({ name }) => name);
}

/** The nodes that lead to the outputs, each after what it reads. Throws `FormatError` for cycles and names that no node has. */
export function ordered(nodes: readonly TfNode[], outputs: readonly TfName[], fail: Fail): TfNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const find = (name: TfName, reader: string): TfNode => {
    const node = byName.get(nodeOf(name));
    if (!node) throw fail(`${reader} reads "${name}", which no node makes`);
    return node;
  };
  return inputsFirst(
    outputs.map((name) => find(name, "the list of outputs")),
    ({ name, inputs }) => inputs.map((input) => find(input, `"${name}"`)),
    ({ name }) => fail(`the graph has a cycle through "${name}"`),
  );
}
