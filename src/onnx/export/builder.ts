/** @file A graph under construction, and its bytes. */

import { sizeOf } from "../../host/array.ts";
import { elements } from "../../host/elements.ts";
import { type HostValue, hostInts, type Kind } from "../values.ts";
import type { AttributeValue } from "../native.ts";
import { Writer } from "../proto.ts";

export interface BuiltNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** "" leaves an input out. */
export type Inputs = readonly (string | undefined)[];

export class GraphBuilder {
  readonly nodes: BuiltNode[] = [];
  readonly constants = new Map<string, HostValue>();
  private readonly counts = new Map<string, number>();

  /** A name that is not taken: `stem_0`, `stem_1` … */
  name(stem: string): string {
    const n = this.counts.get(stem) ?? 0;
    this.counts.set(stem, n + 1);
    return `${stem}_${n}`;
  }

  /** Adds a node with one output and gives its name. */
  node(op: string, inputs: Inputs, attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    return this.several(op, inputs, attributes, 1)[0];
  }

  several(op: string, inputs: Inputs, attributes: Readonly<Record<string, AttributeValue>>, count: number): string[] {
    const used = inputs.slice(0, inputs.findLastIndex((name) => name !== undefined) + 1);
    const outputs = Array.from({ length: count }, () => this.name(op));
    this.nodes.push({ op, inputs: used.map((name) => name ?? ""), outputs, attributes });
    return outputs;
  }

  /** The name of a constant; equal ones share it. */
  constant(value: HostValue): string {
    // Long ones are no names, and seldom equal.
    const text =
      value.data.length < 30 ? `${value.kind}_${value.shape.join("x")}_${Array.from(value.data).join("_")}` : undefined;
    const key = text !== undefined && text.length < 60 ? `const_${text}` : this.name("const");
    this.constants.set(key, value);
    return key;
  }

  ints(list: readonly number[]): string {
    return this.constant(hostInts(list));
  }

  float(value: number): string {
    return this.constant({ kind: "float", data: Float32Array.of(value), shape: [] });
  }

  filled(shape: readonly number[], value: number): string {
    const key = `const_${value}_${shape.join("x")}`;
    this.constants.set(key, { kind: "float", data: new Float32Array(sizeOf(shape)).fill(value), shape });
    return key;
  }

  /** Drops nodes that do not lead to `output`, and second outputs that nobody reads. */
  prune(output: string): void {
    const wanted = new Set([output]);
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some((name) => wanted.has(name))) this.nodes.splice(this.nodes.indexOf(node), 1);
      else for (const name of node.inputs) wanted.add(name);
    }
    for (const { outputs } of this.nodes) while (outputs.length > 1 && !wanted.has(outputs.at(-1)!)) outputs.pop();
    for (const name of this.constants.keys()) if (!wanted.has(name)) this.constants.delete(name);
  }
}

function attribute(name: string, value: AttributeValue): Writer {
  const w = new Writer().text(1, name);
  if (typeof value === "string") return w.text(4, value).int(20, 3);
  if (typeof value === "number") return w.int(3, value).int(20, 2);
  if ("float" in value) return w.float(2, value.float).int(20, 1);
  for (const v of value) w.int(8, v);
  return w.int(20, 7);
}

function nodeMessage({ op, inputs, outputs, attributes }: BuiltNode): Writer {
  const w = new Writer();
  for (const name of inputs) w.text(1, name);
  for (const name of outputs) w.text(2, name);
  w.text(3, outputs[0]).text(4, op);
  for (const [name, value] of Object.entries(attributes)) w.message(5, attribute(name, value));
  return w;
}

// Integers, and truth values with them, are 64 bits wide: as ONNX has shapes and axes.
const typeOf = (kind: Kind): number => elements[kind === "float" ? "f32" : "i64"].onnx;

function tensorMessage(name: string, { kind, data, shape }: HostValue): Writer {
  const w = new Writer();
  for (const d of shape) w.int(1, d);
  const words = kind === "float" ? new Float32Array(data) : BigInt64Array.from(Array.from(data, BigInt));
  return w.int(2, typeOf(kind)).text(8, name).bytes(9, new Uint8Array(words.buffer));
}

/** An input or output: a tensor whose open sizes have names. */
export interface Port {
  readonly name: string;
  readonly type: "float" | "int";
  readonly shape: readonly (number | string)[];
}

function portMessage({ name, type, shape }: Port): Writer {
  const dims = new Writer();
  for (const d of shape) dims.message(1, typeof d === "string" ? new Writer().text(2, d) : new Writer().int(1, d));
  const tensor = new Writer().int(1, typeOf(type)).message(2, dims);
  return new Writer().text(1, name).message(2, new Writer().message(1, tensor));
}

/** Operator set 19 and IR version 8: read by onnxruntime from 1.15 on. */
const opset = 19;
const irVersion = 8;

export interface BuiltGraph {
  readonly name: string;
  readonly nodes: readonly BuiltNode[];
  readonly initializers: ReadonlyMap<string, HostValue>;
  readonly input: Port;
  readonly output: Port;
}

/** The bytes of an ONNX file. */
export function encodeOnnx({ name, nodes, initializers, input, output }: BuiltGraph): Uint8Array<ArrayBuffer> {
  const graph = new Writer();
  for (const node of nodes) graph.message(1, nodeMessage(node));
  graph.text(2, name);
  for (const [key, value] of initializers) graph.message(5, tensorMessage(key, value));
  graph.message(11, portMessage(input)).message(12, portMessage(output));
  return new Writer()
    .int(1, irVersion)
    .text(2, "voxgrad")
    .message(7, graph)
    .message(8, new Writer().text(1, "").int(2, opset))
    .finish();
}
