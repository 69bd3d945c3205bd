/**
 * @file A graph of TensorFlow, whose images have the channels last, as one of ONNX, whose images have them first. A value is known under a name for
 * each layout that it has been brought to; an operation asks for the layout that it works in, so that a chain of convolutions moves nothing.
 */

import { bytesOf } from "../../host/array.ts";
import type { Fail } from "../../host/bytes/budget.ts";
import type { WeightTensor } from "../../weights/elements.ts";
import { transposed } from "../../weights/tfjs/fields.ts";
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor, OnnxValueInfo } from "../model.ts";
import type { TfName } from "./graph_def.ts";

/** A value in the layouts that it has: names of ONNX. */
export interface Layouts {
  /** As TensorFlow has it. */
  last?: string;
  /** With the last axis second, of a value of `rank` axes. */
  first?: string;
  rank?: number;
  /** What it holds, of constants and what is made of them. */
  readonly constant?: WeightTensor;
}

export type AttributeInput = number | string | readonly number[] | { readonly float: number };

const empty: OnnxAttribute = { name: "", type: 0, i: 0, f: 0, s: "", ints: [], floats: [], tensor: undefined, other: false };

function attributeOf(name: string, value: AttributeInput): OnnxAttribute {
  if (typeof value === "number") return { ...empty, name, i: value };
  if (typeof value === "string") return { ...empty, name, s: value };
  return "float" in value ? { ...empty, name, f: value.float } : { ...empty, name, ints: value };
}

/** The element type of ONNX that holds values as they were read: halves are f32 by now. */
function codeOf({ dtype, data }: WeightTensor): number | undefined {
  if (data instanceof Float32Array) return 1;
  if (data instanceof Int32Array) return 6;
  return dtype === "BOOL" ? 9 : data instanceof Uint8Array ? 2 : undefined;
}

/** Axes that put the channels second: [0, 3, 1, 2]. */
const toFirst = (rank: number): number[] => [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)];
const toLast = (rank: number): number[] => [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];

/** Where axis `a` of a value with the channels last is when they are second. */
export const axisInFirst = (a: number, rank: number): number => {
  const at = a < 0 ? a + rank : a;
  return at === 0 ? 0 : at === rank - 1 ? 1 : at + 1;
};

/** With axes of one element before the others, as TensorFlow stretches it. */
const stretched = (t: WeightTensor, rank: number): WeightTensor => ({
  ...t,
  shape: [...Array.from({ length: Math.max(0, rank - t.shape.length) }, () => 1), ...t.shape],
});

export class GraphBuilder {
  readonly fail: Fail;
  private readonly nodes: OnnxNode[] = [];
  private readonly initializers: OnnxTensor[] = [];
  private readonly inputs: OnnxValueInfo[] = [];
  private readonly values = new Map<TfName, Layouts>();
  /** How many numbers lists of sizes have that are put together one by one. */
  readonly counts = new Map<TfName, number>();
  /** Constants with the channels second, by name and number of axes. */
  private readonly stretched = new Map<string, string>();
  private readonly names = new Set<string>();

  /** @param reserved names that inputs and outputs are to have, whatever else is made */
  constructor(reserved: Iterable<string>, fail: Fail) {
    for (const name of reserved) this.names.add(name);
    this.fail = fail;
  }

  get(name: TfName): Layouts {
    const value = this.values.get(name);
    if (!value) throw this.fail(`"${name}" is a second result, which its operation does not make here`);
    return value;
  }

  set(name: TfName, value: Layouts): void {
    this.values.set(name, value);
  }

  /** A result in one layout, with its number of axes if that is known. */
  give(
    name: TfName,
    made: string,
    { first = false, rank }: { readonly first?: boolean; readonly rank?: number | undefined },
  ): void {
    this.set(name, { ...(first ? { first: made } : { last: made }), ...(rank !== undefined && { rank }) });
  }

  /** An input of the model; images of 4 and 5 axes come with the channels second. */
  input(name: TfName, shape: readonly number[] | undefined): void {
    const image = shape !== undefined && (shape.length === 4 || shape.length === 5);
    const sizes = image ? toFirst(shape.length).map((a) => shape[a]) : shape;
    this.inputs.push({ name, type: 1, shape: sizes?.map((n, i) => (n < 1 ? `${name}_${i}` : n)) });
    this.give(name, name, { first: image, rank: shape?.length });
  }

  private unique(name: string): string {
    let own = name;
    for (let i = 1; this.names.has(own); i++) own = `${name}_${i}`;
    this.names.add(own);
    return own;
  }

  /** An operation of ONNX with one result, whose name it gives. */
  add(op: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeInput>> = {}, name = op): string {
    return this.addAll(op, inputs, [name], attributes)[0];
  }

  addAll(
    op: string,
    inputs: readonly string[],
    wanted: readonly string[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
  ): readonly string[] {
    const outputs = wanted.map((name) => this.unique(name));
    this.push(op, inputs, outputs, attributes);
    return outputs;
  }

  private push(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
  ): void {
    const list = new Map(Object.entries(attributes).map(([key, value]) => [key, attributeOf(key, value)]));
    this.nodes.push({ name: outputs[0], op, domain: "", inputs, outputs, attributes: list });
  }

  /** A constant; weights keep their names. */
  constant(t: WeightTensor, wanted = "constant"): string {
    const { shape, data } = t;
    const type = codeOf(t);
    if (type === undefined) throw this.fail(`a constant of type ${t.dtype} is not supported in a graph`);
    const raw = bytesOf(data);
    const name = this.unique(wanted);
    this.initializers.push({ name, dims: shape, type, raw, numbers: [], external: [] });
    return name;
  }

  integers(list: readonly number[]): string {
    return this.constant({ shape: [list.length], data: Int32Array.from(list), dtype: "I32" });
  }

  scalar(value: number): string {
    return this.constant({ shape: [], data: Float32Array.of(value), dtype: "F32" });
  }

  /** The name of a value as TensorFlow has it. */
  asLast(name: TfName): string {
    const value = this.get(name);
    if (value.last === undefined && value.constant) value.last = this.constant(value.constant, name);
    return (value.last ??= this.add("Transpose", [value.first!], { perm: toLast(value.rank!) }));
  }

  /** The name of a value of `rank` axes, or of a constant that is stretched to as many, with the channels second. */
  asFirst(name: TfName, rank: number): string {
    const value = this.get(name);
    if (value.constant) return this.constantFirst(name, value.constant, rank);
    if (value.rank !== undefined && value.rank !== rank)
      throw this.fail(`"${name}" has ${value.rank} axes, and ${rank} are needed`);
    value.rank = rank;
    return (value.first ??= this.add("Transpose", [this.asLast(name)], { perm: toFirst(rank) }));
  }

  private constantFirst(name: TfName, constant: WeightTensor, rank: number): string {
    const key = `${name}/${rank}`;
    const made = this.stretched.get(key) ?? this.constant(transposed(stretched(constant, rank), toFirst(rank)), name);
    this.stretched.set(key, made);
    return made;
  }

  /** What a constant holds. Throws `FormatError` where the value is made by the data. */
  known(name: TfName, what: string, fail: Fail): WeightTensor {
    const { constant } = this.get(name);
    if (!constant) throw fail(`${what} must be a constant`);
    return constant;
  }

  numbers(name: TfName, what: string, fail: Fail): number[] {
    return Array.from(this.known(name, what, fail).data);
  }

  /** The graph, whose outputs of 4 and 5 axes have the channels second as its inputs do. */
  graph(outputs: readonly TfName[]): OnnxGraph {
    const named = outputs.map((name): OnnxValueInfo => {
      const { first, rank } = this.get(name);
      const from = first ?? this.outputOf(name, rank);
      // An input that is an output too has its name already.
      if (from !== name) this.push("Identity", [from], [name]);
      return { name, type: 1, shape: undefined };
    });
    const { nodes, initializers, inputs } = this;
    return { name: "", nodes, initializers, inputs, outputs: named, sparse: false };
  }

  private outputOf(name: TfName, rank: number | undefined): string {
    return rank === 4 || rank === 5 ? this.asFirst(name, rank) : this.asLast(name);
  }
}
