/** @file What a network is made of and what it costs for one size of input, from a traced run that executes nothing. */

import { expectFields } from "../host/kinds.ts";
import { mean } from "../autograd/reduce.ts";
import { backpropagate, noGrad, observing } from "../autograd/tape.ts";
import { full } from "../kernels/view.ts";
import type { Device } from "../tensor/device.ts";
import { ConfigError } from "../host/errors.ts";
import { Plan } from "../tensor/plan.ts";
import { expectOptions } from "../host/options.ts";
import { expectShape, type Shape, showShape } from "../host/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Module, expectModule } from "./module.ts";

/** One call of a module, with all that is inside it. */
export interface LayerSummary {
  /** Dotted name, empty for the network itself. */
  readonly name: string;
  /** Class of the module. */
  readonly type: string;
  /** Calls around this one. */
  readonly depth: number;
  /** Shape of what the call gave. */
  readonly outputShape: Shape;
  /** Trainable and frozen weights; buffers are not counted. */
  readonly parameters: number;
  /** Twice the multiply-adds of convolutions, transposed convolutions and matrix products; nothing else is counted. */
  readonly flops: number;
}

/** What `summary` finds. */
export interface ModuleSummary {
  /** Shape that the network was given. */
  readonly inputShape: Shape;
  /** Shape of what it gave. */
  readonly outputShape: Shape;
  /** In the order of the calls. */
  readonly layers: readonly LayerSummary[];
  /** Number of weights, trainable or frozen. */
  readonly parameters: number;
  /** Number of weights that are trained. */
  readonly trainable: number;
  /** Bytes of all parameters and buffers. */
  readonly stateBytes: number;
  /** Of one forward pass, as `LayerSummary.flops`. */
  readonly flops: number;
  /** Peak bytes that a captured forward pass plans for, with input and output, without `stateBytes`. */
  readonly inferenceBytes: number;
  /**
   * The same for a forward and backward pass in training, with the gradients of all trainable parameters, without an optimizer's state. In bytes, undefined
   * where it was not asked for.
   */
  readonly trainingBytes: number | undefined;
}

/** Options of `summary`. */
export interface SummaryOptions {
  /** Plan a training step too; default true. */
  readonly training?: boolean;
}

/**
 * The table of a network for one input: layers, shapes, parameters, FLOPs (2 per multiply-add of convolutions, transposed convolutions and matrix
 * products) and the memory that `capture` would plan. The network is traced in evaluation mode, then in training mode; no kernel runs, activations
 * take no memory, weights and running statistics stay as they are.
 * @param inputShape shape of the f32 input, such as `[1, 1, 64, 64, 64]`
 * @throws ConfigError for a module without parameters or inside a capture, and what the module throws for the input
 */
export function summary(module: Module, inputShape: Shape, options: SummaryOptions = {}): ModuleSummary {
  expectOptions("summary", options, "training");
  expectModule("summary", { module });
  const { training = true } = options;
  expectShape("summary", inputShape);
  const state = [...new Set([...module.namedTensors()].map(([, t]) => t))];
  if (state.length === 0) throw new ConfigError("summary: the module has no parameters");
  const { device } = state[0];
  if (device.capturing) throw new ConfigError("summary: call it outside of capture()");
  const modes = Array.from(module.modules(), (m) => [m, m.training] as const);
  try {
    module.eval();
    const calls = new Calls(module);
    const forward = (x: Tensor) => noGrad(() => module.forward(x));
    peak(device, inputShape, (x) => calls.watch(() => forward(x)));
    // Apart, because operations that do the work of two are two to who watches.
    const inferenceBytes = peak(device, inputShape, forward);
    const [top] = calls.layers;
    module.train();
    return {
      inputShape: [...inputShape],
      outputShape: top.outputShape,
      layers: calls.layers,
      parameters: top.parameters,
      trainable: module.parameterCount,
      stateBytes: state.reduce((n, t) => n + t.bytes, 0),
      flops: top.flops,
      inferenceBytes,
      trainingBytes: training ? peak(device, inputShape, (x) => gradients(module, x)) : undefined,
    };
  } finally {
    for (const [m, mode] of modes) m.training = mode;
  }
}

function peak(device: Device, shape: Shape, fn: (x: Tensor) => Tensor | Tensor[]): number {
  const plan = new Plan(device, [{ data: new Float32Array(0), shape }], fn); // nothing is loaded: only the shape counts
  plan.dispose();
  return plan.ownBytes;
}

/** Gradients of the mean output; parameters that it does not depend on have none. */
function gradients(module: Module, x: Tensor): Tensor[] {
  const loss = mean(module.forward(x));
  return noGrad(() => backpropagate(loss, full(loss.device, loss.shape, 1), module.parameters())).filter((g) => g !== undefined);
}

/** Every module with all its names. */
function namesOf(module: Module): Map<Module, string[]> {
  const found = new Map<Module, string[]>();
  for (const [name, m] of module.namedModules()) {
    const names = found.get(m);
    if (names) names.push(name);
    else found.set(m, [name]);
  }
  return found;
}

type Draft = { -readonly [K in keyof LayerSummary]: LayerSummary[K] };

class Calls {
  readonly layers: Draft[] = [];
  private readonly open: Draft[] = [];
  private readonly names: Map<Module, string[]>;

  constructor(module: Module) {
    this.names = namesOf(module);
  }

  /** Runs `fn`, noting every call of a module's `forward`. */
  watch<T>(fn: () => T): T {
    for (const [module, names] of this.names) {
      module.forward = (...inputs) => this.call(module, names, inputs);
    }
    try {
      return observing((_op, _inputs, _result, _args, flops) => {
        for (const layer of this.open) layer.flops += flops;
      }, fn);
    } finally {
      for (const module of this.names.keys()) delete (module as { forward?: unknown }).forward;
    }
  }

  private call(module: Module, names: readonly string[], inputs: Tensor[]): Tensor {
    const { open } = this;
    // A module known under several names is meant by the one below its caller.
    const around = open.at(-1)?.name;
    const name = names.find((n) => around === undefined || around === "" || n.startsWith(`${around}.`)) ?? names[0];
    const weights = new Set([...module.namedTensors()].filter(([key]) => !isBuffer(key)).map(([, t]) => t));
    const layer: Draft = {
      name,
      type: module.constructor.name,
      depth: open.length,
      outputShape: [],
      parameters: [...weights].reduce((n, t) => n + t.size, 0),
      flops: 0,
    };
    this.layers.push(layer);
    open.push(layer);
    const forward = Object.getPrototypeOf(module).forward as Module["forward"];
    const result = forward.apply(module, inputs);
    open.pop();
    layer.outputShape = firstTensor(result)?.shape ?? [];
    return result;
  }
}

/** Some networks return several tensors; the first stands for them. */
function firstTensor(result: unknown): Tensor | undefined {
  if (result instanceof Tensor) return result;
  return typeof result === "object" && result !== null ? Object.values(result).find((v) => v instanceof Tensor) : undefined;
}

const isBuffer = (key: string): boolean => /(^|\.)(running_mean|running_var|num_batches_tracked)$/.test(key);

/** Options of `summaryText`. */
export interface SummaryTextOptions {
  /** Show calls up to this depth; default all. */
  readonly depth?: number;
}

/** The summary as lines of text. */
export function summaryText(summary: ModuleSummary, options: SummaryTextOptions = {}): string {
  expectOptions("summaryText", options, "depth");
  expectFields("summaryText", "summary", summary, { layers: "objects", inputShape: "numbers", outputShape: "numbers" });
  const { depth = Infinity } = options;
  const rows = summary.layers
    .filter((layer) => layer.depth <= depth)
    .map((layer) => [
      "  ".repeat(layer.depth) +
        (layer.depth === 0 ? layer.type : `${layer.name.slice(layer.name.lastIndexOf(".") + 1)}: ${layer.type}`),
      layer.outputShape.join("×"),
      layer.parameters.toLocaleString("en"),
      (layer.flops / 1e9).toFixed(3),
    ]);
  const table = [["layer", "output", "parameters", "GFLOP"], ...rows];
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd();
  const rule = "-".repeat(widths.reduce((n, w) => n + w + 2, -2));
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return [
    line(table[0]),
    rule,
    ...rows.map(line),
    rule,
    `input ${showShape(summary.inputShape)}, output ${showShape(summary.outputShape)}`,
    `parameters ${summary.parameters.toLocaleString("en")} (${summary.trainable.toLocaleString("en")} trainable), with buffers ${mib(summary.stateBytes)}`,
    `forward ${(summary.flops / 1e9).toFixed(3)} GFLOP (2 per multiply-add of convolutions and matrix products)`,
    `planned peak memory beside them: inference ${mib(summary.inferenceBytes)}` +
      (summary.trainingBytes === undefined ? "" : `, training step ${mib(summary.trainingBytes)}`),
  ].join("\n");
}
