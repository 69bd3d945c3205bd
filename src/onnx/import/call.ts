/** @file What an operator of a graph sees of its node: inputs as tensors or as known numbers, and attributes with their defaults. */

import { cast } from "../../autograd/cast.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError, FormatError } from "../../host/errors.ts";
import { sizeOf } from "../../host/array.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type HostValue, isHost, type Value } from "../values.ts";
import type { OnnxAttribute, OnnxNode, OnnxTensor } from "../model.ts";
import { onnxBudget } from "../proto.ts";
import { decodeTensor } from "../tensor_data.ts";

/** Computes the outputs of a node. Throws `FormatError` for what the operator does not allow, `ConfigError` for what is not supported. */
export type Op = (c: Call) => Value | readonly Value[];

// By onnx.proto.
const kinds = { FLOAT: 1, INT: 2, STRING: 3, INTS: 7 } as const;

export class Call {
  readonly device: Device;
  readonly opset: number;
  readonly inputs: readonly (Value | undefined)[];
  readonly node: OnnxNode;

  constructor(device: Device, opset: number, node: OnnxNode, inputs: readonly (Value | undefined)[]) {
    this.device = device;
    this.opset = opset;
    this.node = node;
    this.inputs = inputs;
  }

  get where(): string {
    const { op, name, outputs } = this.node;
    return `${op} "${name || outputs[0]}"`;
  }

  /** The file asks for something that the operator does not allow. */
  wrong(problem: string): FormatError {
    return new FormatError(`${this.where}: ${problem}`);
  }

  /** The file asks for something that is not built here. */
  unsupported(what: string): ConfigError {
    return new ConfigError(`${this.where}: ${what} is not supported`);
  }

  has(i: number): boolean {
    return this.inputs[i] !== undefined;
  }

  input(i: number): Value {
    const v = this.inputs[i];
    if (v === undefined) throw this.wrong(`input ${i} is missing`);
    return v;
  }

  shape(i: number): readonly number[] {
    return this.input(i).shape;
  }

  /** Input `i` on the device: integers as i32, all else as f32. */
  tensor(i: number): Tensor {
    const v = this.input(i);
    if (!isHost(v)) return v;
    return v.kind === "int" ? this.device.tensor({ shape: v.shape, data: new Int32Array(v.data) }, "i32") : this.device.tensor(v);
  }

  /** Input `i` as f32: kernels compute in no other type. */
  float(i: number): Tensor {
    const v = this.input(i);
    return isHost(v) ? this.device.tensor(v) : v.dtype === "f32" ? v : cast(v, "f32");
  }

  optional(i: number): Tensor | undefined {
    return this.has(i) ? this.float(i) : undefined;
  }

  /** Input `i` where it must be known before anything runs: shapes, axes, scales. Throws `ConfigError` if it depends on the data. */
  known(i: number): HostValue {
    const v = this.input(i);
    if (!isHost(v)) {
      throw this.unsupported(`input ${i} ("${this.node.inputs[i]}"), which depends on the data and not on shapes alone,`);
    }
    return v;
  }

  /** The numbers of a known input, undefined if it is left out. */
  list(i: number): number[] | undefined {
    return this.has(i) ? Array.from(this.known(i).data) : undefined;
  }

  /** The number of a known input, `fallback` if it is left out. */
  number(i: number, fallback: number): number {
    if (!this.has(i)) return fallback;
    const v = this.known(i);
    if (sizeOf(v.shape) !== 1) throw this.wrong(`input ${i} has the shape [${v.shape.join(", ")}] where one number is expected`);
    return v.data[0];
  }

  attribute(name: string): OnnxAttribute | undefined {
    return this.node.attributes.get(name);
  }

  /** An attribute that must be of a kind, unless it does not say. Throws `FormatError`: read as another it would be 0 or empty. */
  private attributeOf(name: string, kind: keyof typeof kinds): OnnxAttribute | undefined {
    const given = this.attribute(name);
    if (given && given.type !== 0 && given.type !== kinds[kind])
      throw this.wrong(`the attribute ${name} is of kind ${given.type}; expected ${kinds[kind]} (${kind})`);
    return given;
  }

  /** The values of a tensor that is an attribute. */
  constant(t: OnnxTensor): HostValue {
    return decodeTensor(t, onnxBudget(0, this.where));
  }

  int(name: string, fallback: number): number {
    return this.attributeOf(name, "INT")?.i ?? fallback;
  }

  flag(name: string, fallback = false): boolean {
    return this.int(name, fallback ? 1 : 0) !== 0;
  }

  floatAttribute(name: string, fallback: number): number {
    return this.attributeOf(name, "FLOAT")?.f ?? fallback;
  }

  ints(name: string): readonly number[] | undefined {
    return this.attributeOf(name, "INTS")?.ints;
  }

  /** A string attribute that must be one of `values`, the first by default. */
  choice<const T extends string>(name: string, values: readonly T[]): T {
    const s = this.attributeOf(name, "STRING")?.s ?? values[0];
    if (!values.includes(s as T)) throw this.unsupported(`${name} "${s}" (known are ${values.join(", ")})`);
    return s as T;
  }

  /** A list that is an attribute up to some operator set, and input `i` from `since` on. */
  listOr(name: string, i: number, since: number): readonly number[] | undefined {
    this.expectMoved([name], i, since);
    return this.opset < since ? this.ints(name) : this.list(i);
  }

  /** Throws `FormatError` for attributes that are inputs, `i` and later ones, from operator set `since` on, or the reverse: they would be passed over. */
  expectMoved(names: readonly string[], i: number, since: number): void {
    const given = names.find((name) => this.attribute(name));
    if (this.opset >= since && given !== undefined)
      throw this.wrong(`the attribute ${given} is an input from operator set ${since} on; the file says ${this.opset}`);
    if (this.opset < since && this.inputs.length > i && this.has(i))
      throw this.wrong(`input ${i} is there from operator set ${since} on; the file says ${this.opset}`);
  }

  /** Axis `a` counted from the start. */
  axis(a: number, rank: number): number {
    const at = a < 0 ? a + rank : a;
    if (!Number.isInteger(a) || at < 0 || at >= rank) throw this.wrong(`axis ${a} is outside of a tensor of ${rank} axes`);
    return at;
  }
}
