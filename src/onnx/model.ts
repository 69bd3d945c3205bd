/** @file The messages of an ONNX file as objects. Field numbers are those of onnx.proto (ONNX IR, version 3 and later). */

import type { Budget } from "../host/bytes/budget.ts";
import { append, bytesOf, entryBytes, type Field, fields, objectBytes, textOf } from "./proto.ts";

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: number;
  /** The values as bytes, or one by one in `numbers`. */
  readonly raw: Uint8Array | undefined;
  readonly numbers: readonly number[];
  /** Keys and values that name a place in another file; empty if the values are here. */
  readonly external: readonly (readonly [string, string])[];
}

export interface OnnxAttribute {
  readonly name: string;
  /** What it says it holds, by number; 0 where it does not say. */
  readonly type: number;
  readonly i: number;
  readonly f: number;
  readonly s: string;
  readonly ints: readonly number[];
  readonly floats: readonly number[];
  readonly tensor: OnnxTensor | undefined;
  /** What else it holds that is not read here: graphs, lists of strings or tensors. */
  readonly other: boolean;
}

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  /** Names of values; "" for one that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** An input or output of a graph. */
export interface OnnxValueInfo {
  /** Name in the graph. */
  readonly name: string;
  /** Element type by number; 0 for what is no tensor. */
  readonly type: number;
  /** Sizes, or names of sizes that are open; undefined if nothing is known. */
  readonly shape: readonly (number | string)[] | undefined;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  /** Inputs that are no initializers. */
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly sparse: boolean;
}

export interface OnnxFile {
  readonly irVersion: number;
  readonly producer: string;
  /** Versions of the operator sets by domain; "" is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
  /** Functions that the file defines and nodes may call. */
  readonly functions: number;
  readonly metadata: ReadonlyMap<string, string>;
}

type Handlers = Readonly<Record<number, (field: Field) => void>>;

/** Reads a message: one handler per field, others are skipped. */
function read(bytes: Uint8Array, budget: Budget, handlers: Handlers): void {
  budget.take(objectBytes, "unpacked it");
  for (const field of fields(bytes, budget)) handlers[field.id]?.(field);
}

/** Parses a tensor, which may be a file of its own (.pb). Throws `FormatError`. */
export function parseTensor(bytes: Uint8Array, budget: Budget): OnnxTensor {
  const dims: number[] = [];
  const numbers: number[] = [];
  const external: [string, string][] = [];
  const out = { name: "", type: 0, raw: undefined as Uint8Array | undefined, elsewhere: 0 };
  read(bytes, budget, {
    1: (f) => append(dims, f, "varint", budget),
    2: (f) => (out.type = f.number),
    4: (f) => append(numbers, f, "float", budget),
    5: (f) => append(numbers, f, "varint", budget),
    7: (f) => append(numbers, f, "varint", budget),
    8: (f) => (out.name = textOf(f, budget)),
    9: (f) => (out.raw = bytesOf(f, budget)),
    10: (f) => append(numbers, f, "double", budget),
    11: (f) => append(numbers, f, "varint", budget),
    13: (f) => external.push(readPair(bytesOf(f, budget), budget)),
    14: (f) => (out.elsewhere = f.number),
  });
  const { name, type, raw, elsewhere } = out;
  return { name, dims, type, raw, numbers, external: elsewhere === 1 ? external : [] };
}

function readPair(bytes: Uint8Array, budget: Budget): [string, string] {
  const pair: [string, string] = ["", ""];
  read(bytes, budget, { 1: (f) => (pair[0] = textOf(f, budget)), 2: (f) => (pair[1] = textOf(f, budget)) });
  return pair;
}

function readAttribute(bytes: Uint8Array, budget: Budget): OnnxAttribute {
  const ints: number[] = [];
  const floats: number[] = [];
  const out = { name: "", type: 0, i: 0, f: 0, s: "", tensor: undefined as OnnxTensor | undefined, other: false };
  const other = () => (out.other = true);
  read(bytes, budget, {
    1: (f) => (out.name = textOf(f, budget)),
    2: (f) => (out.f = f.number),
    3: (f) => (out.i = f.number),
    4: (f) => (out.s = textOf(f, budget)),
    5: (f) => (out.tensor = parseTensor(bytesOf(f, budget), budget)),
    // Graphs inside of nodes are not read: no operator here has one, and so nothing can nest.
    6: other,
    7: (f) => append(floats, f, "float", budget),
    8: (f) => append(ints, f, "varint", budget),
    9: other,
    10: other,
    11: other,
    20: (f) => (out.type = f.number),
  });
  return { ...out, ints, floats };
}

function readNode(bytes: Uint8Array, budget: Budget): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  const out = { name: "", op: "", domain: "" };
  read(bytes, budget, {
    1: (f) => inputs.push(textOf(f, budget)),
    2: (f) => outputs.push(textOf(f, budget)),
    3: (f) => (out.name = textOf(f, budget)),
    4: (f) => (out.op = textOf(f, budget)),
    5: (f) => {
      const attribute = readAttribute(bytesOf(f, budget), budget);
      attributes.set(attribute.name, attribute);
    },
    7: (f) => (out.domain = textOf(f, budget)),
  });
  // Two names of one operator set.
  return { ...out, domain: out.domain === "ai.onnx" ? "" : out.domain, inputs, outputs, attributes };
}

function readDimension(bytes: Uint8Array, budget: Budget): number | string {
  let size: number | string = "?";
  read(bytes, budget, { 1: (f) => (size = f.number), 2: (f) => (size = textOf(f, budget)) });
  return size;
}

function readValueInfo(bytes: Uint8Array, budget: Budget): OnnxValueInfo {
  const out = { name: "", type: 0, shape: undefined as (number | string)[] | undefined };
  const tensorType: Handlers = {
    1: (f) => (out.type = f.number),
    2: (f) => {
      const shape: (number | string)[] = (out.shape = []);
      read(bytesOf(f, budget), budget, { 1: (dim) => shape.push(readDimension(bytesOf(dim, budget), budget)) });
    },
  };
  read(bytes, budget, {
    1: (f) => (out.name = textOf(f, budget)),
    2: (f) => read(bytesOf(f, budget), budget, { 1: (t) => read(bytesOf(t, budget), budget, tensorType) }),
  });
  return out;
}

function readGraph(bytes: Uint8Array, budget: Budget): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValueInfo[] = [];
  const outputs: OnnxValueInfo[] = [];
  const out = { name: "", sparse: false };
  read(bytes, budget, {
    1: (f) => nodes.push(readNode(bytesOf(f, budget), budget)),
    2: (f) => (out.name = textOf(f, budget)),
    5: (f) => initializers.push(parseTensor(bytesOf(f, budget), budget)),
    11: (f) => inputs.push(readValueInfo(bytesOf(f, budget), budget)),
    12: (f) => outputs.push(readValueInfo(bytesOf(f, budget), budget)),
    15: () => (out.sparse = true),
  });
  const given = new Set(initializers.map((t) => t.name));
  return { ...out, nodes, initializers, inputs: inputs.filter((v) => !given.has(v.name)), outputs };
}

/**
 * Parses an ONNX file. Values of tensors stay in `bytes` until they are asked for.
 * @throws FormatError for what is no ONNX file or a damaged one
 */
export function parseOnnx(bytes: Uint8Array, budget: Budget): OnnxFile {
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  const out = { irVersion: 0, producer: "", graph: undefined as OnnxGraph | undefined, functions: 0 };
  const producer = ["", ""];
  read(bytes, budget, {
    1: (f) => (out.irVersion = f.number),
    2: (f) => (producer[0] = textOf(f, budget)),
    3: (f) => (producer[1] = textOf(f, budget)),
    7: (f) => {
      if (out.graph) throw budget.fail("it holds two graphs; the file is damaged");
      out.graph = readGraph(bytesOf(f, budget), budget);
    },
    8: (f) => {
      const set = { domain: "", version: 0 };
      read(bytesOf(f, budget), budget, { 1: (d) => (set.domain = textOf(d, budget)), 2: (v) => (set.version = v.number) });
      opsets.set(set.domain === "ai.onnx" ? "" : set.domain, set.version);
    },
    14: (f) => {
      budget.take(entryBytes, "unpacked it");
      metadata.set(...readPair(bytesOf(f, budget), budget));
    },
    25: () => out.functions++,
  });
  if (!out.graph || !opsets.has("")) {
    throw budget.fail(`it has no ${out.graph ? "operator set" : "graph"}; this is no ONNX model, or a truncated one`);
  }
  return { ...out, graph: out.graph, producer: producer.join(" ").trim(), opsets, metadata };
}
