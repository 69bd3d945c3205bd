/** @file An ONNX graph as a module. */

import { expectDevice } from "../../tensor/kind.ts";
import { expectArguments, expectFields } from "../../host/kinds.ts";
import { parameter } from "../../autograd/tape.ts";
import { Module } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { sizeOf } from "../../host/array.ts";
import { keep } from "../../tensor/scope.ts";
import { expectOptions } from "../../host/options.ts";
import { showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Call } from "./call.ts";
import { type CheckedGraph, checkGraph } from "./graph.ts";
import { hostLimit, isHost, typed, type Value } from "../values.ts";
import { type OnnxFile, type OnnxNode, type OnnxValueInfo, parseOnnx } from "../model.ts";
import { operatorOf } from "./operators.ts";
import { toTensorIndices } from "./plane_indices.ts";
import type { Budget } from "../../host/bytes/budget.ts";
import { onnxBudget } from "../proto.ts";
import { decodeTensor, type External } from "../tensor_data.ts";

/** The values of a run by name. Tensors are freed when they are read last, unless they live on under another name or a gradient needs them. */
class Values {
  private readonly byName: Map<string, Value>;
  private readonly names = new Map<Value, number>();
  private readonly spared = new Set<Value>();

  constructor(constants: ReadonlyMap<string, Value>) {
    this.byName = new Map(constants);
  }

  get(name: string): Value | undefined {
    return this.byName.get(name);
  }

  set(name: string, v: Value): void {
    this.byName.set(name, v);
    this.names.set(v, (this.names.get(v) ?? 0) + 1);
  }

  spare(v: Value): void {
    this.spared.add(v);
  }

  spareAll(): void {
    for (const v of this.byName.values()) this.spare(v);
  }

  release(name: string): void {
    const v = this.byName.get(name);
    this.byName.delete(name);
    if (!v) return;
    const left = (this.names.get(v) ?? 0) - 1;
    this.names.set(v, left);
    if (left <= 0 && !isHost(v) && !this.spared.has(v) && v.origin === undefined) v.dispose();
  }
}

/** Options of `inspectOnnx`, `readOnnxFile`, `readOnnxWeights` and others. */
export interface OnnxOptions {
  /** For messages; default "the ONNX file". */
  readonly source?: string;
  /** The bytes of a file beside the model that holds tensors, by the name it has in the model. Without, such models are refused. `location` is that name. */
  readonly external?: (location: string) => Uint8Array;
}

/** The names of these options. @internal */
export const onnxNames = "source external";

/**
 * A network read from ONNX. Floating initializers that the graph computes with are its parameters, under their names in the file; the
 * statistics of batch norms are buffers, and batch norms use them in training too, as the file says. Shapes, axes and sizes are worked out on
 * the host each time, so inputs may have any shape that the graph allows. Everything floating is f32, integers are i32.
 */
export class OnnxModel extends Module {
  /** Inputs of the graph that are no initializers, in its order. */
  readonly inputs: readonly OnnxValueInfo[];
  /** Outputs of the graph, in its order. */
  readonly outputs: readonly OnnxValueInfo[];
  private readonly device: Device;
  private readonly graph: CheckedGraph;
  private readonly opset: number;
  /** What the graph starts from: parameters and buffers as tensors, other constants on the host. */
  private readonly constants = new Map<string, Value>();
  /** Host constants that are also read on the device, once uploaded. */
  private readonly uploads = new Map<string, Tensor>();

  /** @internal */
  constructor(device: Device, file: OnnxFile, budget: Budget, external: External | undefined) {
    super();
    expectDevice("OnnxModel", device);
    expectFields("OnnxModel", "file", file, { graph: "object", opsets: "map" });
    this.device = device;
    this.graph = checkGraph(file, (problem) => budget.fail(problem));
    this.opset = file.opsets.get("")!;
    this.inputs = file.graph.inputs;
    this.outputs = file.graph.outputs;
    const { initializers, known, computed, nodes } = this.graph;
    const own = new Set(file.graph.initializers.map((t) => t.name));
    const statistics = new Set(nodes.flatMap((n) => (operatorOf(n)?.statistics ?? []).map((i) => n.inputs[i])));
    for (const [name, t] of initializers) {
      const value = decodeTensor(t, budget, external);
      if (value.kind !== "float" || !own.has(name) || known.has(name) || !computed.has(name)) {
        this.constants.set(name, value);
        // Integers are indices and the like, but those of a few bits are weights, and whole in f32.
        const numbers = value.kind !== "int" || /^u?int[48]$/.test(value.type ?? "");
        if (computed.has(name) && sizeOf(value.shape) > 1 && numbers)
          this.uploads.set(name, typed(keep(device.tensor(value)), value.type));
      } else {
        const tensor = device.tensor(value);
        this.constants.set(name, statistics.has(name) ? keep(tensor) : parameter(tensor));
      }
    }
  }

  /** Initializers that are tensors, by their names in the file. Names begin with `prefix`, by default none. */
  override *namedTensors(prefix = ""): Iterable<readonly [string, Tensor]> {
    for (const [name, v] of this.constants) if (!isHost(v)) yield [prefix + name, v];
  }

  override dispose(): void {
    super.dispose();
    for (const t of this.uploads.values()) t.dispose();
  }

  /** The operator that makes the first output, such as "Softmax"; one that changes nothing does not count. */
  get lastOperator(): string | undefined {
    const makes = (name: string) => this.graph.nodes.find((n) => n.outputs.includes(name));
    let node = makes(this.outputs[0].name);
    while (node?.op === "Identity") node = makes(node.inputs[0]);
    return node?.op;
  }

  /** The output of a model with one input and one output. Throws `ConfigError` for another, and what `run` throws. */
  forward(x: Tensor): Tensor {
    if (this.inputs.length !== 1 || this.outputs.length !== 1) {
      throw new ConfigError(
        `OnnxModel: the model has inputs ${showNames(this.inputs)} and outputs ${showNames(this.outputs)}; call run with names`,
      );
    }
    return this.run({ [this.inputs[0].name]: x })[this.outputs[0].name];
  }

  /**
   * All outputs by name; the order of the graph is that of `outputs`, since JavaScript puts names that are numbers first.
   * @param inputs a tensor for each input of the graph
   * @throws ConfigError for missing or unknown inputs and for what the operators do not support, ShapeError for shapes that do not fit,
   *   FormatError for nodes that contradict themselves
   */
  run(inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    const values = new Values(this.constants);
    for (const info of this.inputs) values.set(info.name, this.expectInput(info, inputs[info.name]));
    const unknown = Object.keys(inputs).filter((name) => !this.inputs.some((v) => v.name === name));
    if (unknown.length > 0)
      throw new ConfigError(`OnnxModel: no inputs ${unknown.join(", ")}; there are ${showNames(this.inputs)}`);
    values.spareAll();
    this.graph.nodes.forEach((node, i) => {
      this.step(node, values);
      for (const name of this.graph.lastReads[i]) values.release(name);
    });
    return Object.fromEntries(this.outputs.map(({ name }) => [name, this.result(name, values)]));
  }

  private expectInput({ name, shape }: OnnxValueInfo, x: Tensor | undefined): Tensor {
    if (!x) throw new ConfigError(`OnnxModel: input "${name}" is missing; the model has ${showNames(this.inputs)}`);
    // Open sizes have names in the file, or −1 or 0 in some.
    const fits = (d: number | string, i: number) => typeof d === "string" || d < 1 || d === x.shape[i];
    if (shape && (shape.length !== x.rank || !shape.every(fits))) {
      throw new ShapeError(`OnnxModel: input "${name}" is [${shape.join(", ")}], got ${showShape(x.shape)}`);
    }
    return x;
  }

  private step(node: OnnxNode, values: Values): void {
    const inputs = node.inputs.map((name) => {
      if (name === "") return undefined;
      const v = values.get(name);
      if (v === undefined)
        throw new ConfigError(`OnnxModel: ${node.op} needs "${name}", an output that its operator does not make here`);
      return v;
    });
    const results = this.compute(node, inputs);
    const list = Array.isArray(results) ? (results as readonly Value[]) : [results as Value];
    node.outputs.forEach((name, i) => {
      if (name !== "" && list[i] !== undefined) values.set(name, list[i]);
    });
    // A noted result may need its inputs for the gradient.
    if (list.some((v) => !isHost(v) && v.origin !== undefined)) for (const v of inputs) if (v) values.spare(v);
  }

  private compute(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | readonly Value[] {
    const { shape, host, device, planes } = operatorOf(node)!;
    if (shape) return shape(this.call(node, inputs));
    const small = (v: Value | undefined) => v === undefined || (isHost(v) && v.data.length <= hostLimit);
    if (host && inputs.every(small)) return host(this.call(node, inputs));
    if (!device) {
      throw new ConfigError(`OnnxModel: ${node.op} "${node.outputs[0]}" of values that depend on the data is not supported`);
    }
    const ready = inputs.map((v, i) => (v && isHost(v) ? (this.uploads.get(node.inputs[i]) ?? v) : v));
    const c = this.call(node, ready);
    if (planes) return device(c);
    return device(
      this.call(
        node,
        ready.map((v) => (v && !isHost(v) ? toTensorIndices(c, v) : v)),
      ),
    );
  }

  private call(node: OnnxNode, inputs: readonly (Value | undefined)[]): Call {
    return new Call(this.device, this.opset, node, inputs);
  }

  private result(name: string, values: Values): Tensor {
    const v = values.get(name);
    if (v === undefined) throw new ConfigError(`OnnxModel: the operator of output "${name}" does not make it here`);
    const node: OnnxNode = { name, op: "output", domain: "", inputs: [name], outputs: [name], attributes: new Map() };
    const c = this.call(node, [v]);
    return isHost(v) ? c.tensor(0) : toTensorIndices(c, v);
  }
}

const showNames = (list: readonly OnnxValueInfo[]): string => list.map((v) => `"${v.name}"`).join(", ") || "none";

/**
 * Reads an ONNX model (operator sets 7 and later) into a module that runs and can be trained further.
 * @throws FormatError for damaged files, ConfigError naming all operators that are not supported
 * @param bytes of the file
 */
export function importOnnx(device: Device, bytes: Uint8Array, options: OnnxOptions = {}): OnnxModel {
  expectOptions("importOnnx", options, onnxNames);
  expectDevice("importOnnx", device);
  expectArguments("importOnnx", "bytes", { bytes });
  const budget = onnxBudget(bytes.length, options.source ?? "the ONNX file");
  return new OnnxModel(device, parseOnnx(bytes, budget), budget, options.external);
}
