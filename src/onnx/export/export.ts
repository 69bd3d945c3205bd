/**
 * @file Modules as ONNX files. The tape tells of every operation while the module runs once, and each becomes a few nodes (emitters/).
 *
 * The alternative was to walk the notes for gradients backwards from the output. They hold no options, leave out what has no gradient
 * (comparisons, indices) and all that does not lead to a parameter, and would need both; an observer sees the same calls with less.
 */

import { expectArguments, expectFields } from "../../host/kinds.ts";
import { noGrad, type Observer, observing } from "../../autograd/tape.ts";
import { evaluating } from "../../nn/evaluating.ts";
import type { Module } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError } from "../../host/errors.ts";
import { sizeOf } from "../../host/array.ts";
import { keep, scope } from "../../tensor/scope.ts";
import { expectOptions } from "../../host/options.ts";
import { normalizeAxis, type Shape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { encodeOnnx, GraphBuilder } from "./builder.ts";
import type { Emitters, Names } from "./emission.ts";
import { emit } from "./emit.ts";
import { type OwnOpExport, ownEmitters } from "./own_op.ts";
import type { HostValue } from "../values.ts";

/** Options of `exportOnnx`. */
export interface ExportOptions {
  /** Axes of the input whose size is left open in the file, such as 0 for batches of any size; default none. */
  readonly dynamicAxes?: readonly number[];
  /** Default "input". */
  readonly inputName?: string;
  /** Default "output". */
  readonly outputName?: string;
  /** Needed for a module without parameters only. */
  readonly device?: Device;
  /** ONNX nodes for operations of `defineOp`, by their names; they come before those of voxgrad. */
  readonly ownOps?: Readonly<Record<string, OwnOpExport>>;
}

interface Traced {
  readonly builder: GraphBuilder;
  readonly output: string;
  readonly shape: Shape;
  readonly type: "float" | "int";
}

/** Names of the tensors of a run; those that nothing made are constants. */
class Tracer implements Names {
  readonly builder = new GraphBuilder();
  readonly unknown = new Set<string>();
  private readonly names = new Map<Tensor, string>();
  private readonly indices = new Set<string>();
  private readonly found: [string, Tensor][] = [];

  constructor(state: Iterable<readonly [string, Tensor]>) {
    for (const [name, t] of state) if (!this.names.has(t)) this.names.set(t, name);
  }

  has(t: Tensor): boolean {
    return this.names.has(t);
  }

  set(t: Tensor, name: string): void {
    this.names.set(t, name);
  }

  setIndices(t: Tensor, name: string): void {
    this.names.set(t, name);
    this.indices.add(name);
  }

  get(t: Tensor): string {
    const name = this.indicesOf(t);
    if (this.indices.has(name)) this.unknown.add("indices of a max pool that go elsewhere than to maxUnpool");
    return name;
  }

  indicesOf(t: Tensor): string {
    let name = this.names.get(t);
    if (name === undefined) {
      name = this.builder.name("constant");
      this.names.set(t, name);
      // Of our own: the module may dispose its tensor before it can be read.
      this.found.push([name, keep(t.view(t.shape))]);
    }
    return name;
  }

  /** Reads the constants. */
  async finish(): Promise<void> {
    for (const [name, t] of this.found) {
      const kind = t.dtype === "f32" ? "float" : "int";
      this.builder.constants.set(name, { kind, data: await t.data(), shape: t.shape });
      t.dispose();
    }
  }
}

// Numbers without a pattern that a network could mistake for a constant; other ones each time.
const wave = (size: number, seed: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(0.7 * i + seed));

interface TraceOptions {
  readonly device: Device;
  readonly inputName: string;
  readonly own: Emitters;
}

async function trace(module: Module, shape: Shape, seed: number, { device, inputName, own }: TraceOptions): Promise<Traced> {
  const tracer = new Tracer(module.namedTensors());
  const x = device.tensor({ data: wave(sizeOf(shape), seed), shape });
  tracer.set(x, inputName);
  const y = scope(() =>
    noGrad(() => {
      const watch: Observer = (op, inputs, result, args) => emit(tracer, op, inputs, result, args, own);
      return observing(watch, () => evaluating([module], () => module.forward(x)));
    }),
  );
  const output = tracer.get(y);
  await tracer.finish();
  if (y !== x) y.dispose();
  x.dispose();
  if (tracer.unknown.size > 0) {
    throw new ConfigError(`exportOnnx: no ONNX for ${[...tracer.unknown].sort().join(", ")}`);
  }
  tracer.builder.prune(output);
  return { builder: tracer.builder, output, shape: y.shape, type: y.dtype === "f32" ? "float" : "int" };
}

const text = (v: HostValue | undefined): string => JSON.stringify(v && [v.kind, v.shape, Array.from(v.data)]);

/** What two runs did differently, if anything. */
function difference(a: GraphBuilder, b: GraphBuilder): string | undefined {
  const at = a.nodes.findIndex((node, i) => JSON.stringify(node) !== JSON.stringify(b.nodes[i]));
  if (at >= 0) return `node ${at} (${a.nodes[at].op})`;
  const name = [...a.constants.keys()].find((key) => text(a.constants.get(key)) !== text(b.constants.get(key)));
  return a.nodes.length === b.nodes.length
    ? name && `the constant ${name}`
    : `node ${a.nodes.length} (${b.nodes[a.nodes.length].op})`;
}

/**
 * A module, in evaluation, as an ONNX file (operator set 19). Initializers have the names of the state dict.
 *
 * The module runs once on an input of `inputShape`. What no operation made is a constant of the file; to see that it does not depend on
 * the input after all, and that the graph holds for other sizes of the dynamic axes, the module then runs again on other numbers and
 * twice the size along these axes, and both runs must give the same graph. Sizes for which a module does something else (a row of padding for odd ones)
 * are not in the file: export with such a size, or keep to multiples of this one.
 * @throws ConfigError naming all operations that ONNX has no nodes for, for graphs that depend on the input, and without a device;
 *   what the module throws for this shape
 */
export async function exportOnnx(
  module: Module,
  inputShape: Shape,
  options: ExportOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  expectOptions("exportOnnx", options, "dynamicAxes inputName outputName device ownOps");
  expectFields("exportOnnx", "module", module, { namedTensors: "function", forward: "function" });
  expectArguments("exportOnnx", "numbers", { inputShape });
  const { inputName = "input", outputName = "output" } = options;
  const state = new Map(module.namedTensors());
  const device = state.values().next().value?.device ?? options.device;
  if (!device) throw new ConfigError("exportOnnx: the module has no tensors; name its device with the option device");
  const open = (options.dynamicAxes ?? []).map((a) => normalizeAxis("exportOnnx", a, inputShape.length));
  const larger = inputShape.map((d, i) => (open.includes(i) ? 2 * d : d));
  const how = { device, inputName, own: ownEmitters(options.ownOps ?? {}) };
  const first = await trace(module, inputShape, 1, how);
  const again = open.length > 0 || [...first.builder.constants.keys()].some((name) => name.startsWith("constant_"));
  const second = again ? await trace(module, larger, 2, how) : first;
  const { builder, output } = first;
  const differs = difference(builder, second.builder);
  if (differs) {
    throw new ConfigError(
      `exportOnnx: ${differs} depends on the input${open.length > 0 ? " or its size: leave out dynamicAxes" : ""}; ONNX would fix it as it was for one`,
    );
  }
  builder.nodes.push({ op: "Identity", inputs: [output], outputs: [outputName], attributes: {} });
  const used = new Set(builder.nodes.flatMap((node) => node.inputs));
  const initializers = new Map<string, HostValue>();
  for (const [name, t] of state) {
    if (used.has(name))
      initializers.set(name, { kind: t.dtype === "f32" ? "float" : "int", data: await t.data(), shape: t.shape });
  }
  for (const [name, value] of builder.constants) initializers.set(name, value);
  const sizes = (a: Shape, b: Shape, stem: string) => a.map((d, i) => (d === b[i] ? d : `${stem}_${i}`));
  return encodeOnnx({
    name: module.constructor.name || "module",
    nodes: builder.nodes,
    initializers,
    input: { name: inputName, type: "float", shape: sizes(inputShape, larger, inputName) },
    output: { name: outputName, type: first.type, shape: sizes(first.shape, second.shape, outputName) },
  });
}
