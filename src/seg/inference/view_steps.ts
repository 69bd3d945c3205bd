/** @file The network of a view as captured steps: slices in, what is added up (and classes of its own, under dropout) out. */

import { argmax } from "../../autograd/indexing.ts";
import { mul } from "../../autograd/pointwise.ts";
import { type Precision, withPrecision } from "../../autograd/precision.ts";
import { softmax } from "../../autograd/softmax.ts";
import { noGrad } from "../../autograd/tape.ts";
import { permute, reshape } from "../../autograd/view.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";
import { evaluating } from "../../nn/evaluating.ts";
import { drawingFrom } from "../../nn/layers/dropout.ts";
import type { Module } from "../../nn/module.ts";
import { capture, type Captured, type CapturedPlan } from "../../tensor/capture.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { TestDropout } from "./monte_carlo.ts";

/** What a step gives of slices, axes in the order of the volume. */
export interface ViewOutputs extends Readonly<Record<string, Tensor>> {
  /** `[slices · classes, rows, columns]` */
  readonly scores: Tensor;
}

/** A network and how the slices that it sees lie in the volume. */
export interface View {
  readonly network: Module;
  /** Axes of the volume that are slice, row and column. */
  readonly axes: readonly [number, number, number];
  /** Of its scores in the sum. */
  readonly factor: number;
}

/** What is wanted of a step beside scores. */
export interface StepKind {
  /** Dropout stays on, and `labels` `[slices, rows, columns]` (i32) are what this draw says. */
  readonly sampled: boolean;
  /** `squares` of the scores. */
  readonly squares: boolean;
}

export class ViewSteps {
  readonly view: View;
  private readonly device: Device;
  private readonly probabilities: boolean;
  private readonly precision: Precision;
  private readonly steps = new Map<string, Captured<ViewOutputs>>();
  private readonly draws: Tensor;
  private found = 0;

  /** @param draws generator of the dropout of draws, u32 `[4]` */
  constructor(device: Device, view: View, probabilities: boolean, precision: Precision, draws: Tensor) {
    this.device = device;
    this.draws = draws;
    this.view = view;
    this.probabilities = probabilities;
    this.precision = precision;
  }

  /** Channels of the network's output; known once a step was planned. */
  get classes(): number {
    return this.found;
  }

  /** Traces and compiles the step for slices `[B, C, rows, columns]`. @throws ShapeError for an output that does not fit */
  prepare(kind: StepKind, shape: readonly number[]): Promise<CapturedPlan> {
    return this.stepOf(kind).prepare([{ data: new Float32Array(sizeOf(shape)), shape }]);
  }

  /** The network evaluates; its dropout takes care of itself. */
  run(kind: StepKind, slices: HostArray): ViewOutputs {
    return this.stepOf(kind)(slices);
  }

  dispose(): void {
    for (const step of this.steps.values()) step.dispose();
    this.steps.clear();
  }

  private stepOf(kind: StepKind): Captured<ViewOutputs> {
    const key = `${kind.sampled} ${kind.squares}`;
    let step = this.steps.get(key);
    if (!step) {
      step = capture(this.device, (x) => noGrad(() => this.outputs(kind, x)));
      this.steps.set(key, step);
    }
    return step;
  }

  private outputs({ sampled, squares }: StepKind, x: Tensor): ViewOutputs {
    const { network, axes } = this.view;
    const seen = sampled ? new TestDropout(network) : network;
    const raw = drawingFrom(this.draws, () => withPrecision(this.precision, () => evaluating([network], () => seen.forward(x))));
    const [slices, , rows, columns] = x.shape;
    const [count, classes, ...size] = raw.shape;
    if (count !== slices || size.join() !== [rows, columns].join()) {
      throw new ShapeError(
        `QuickNatViews: a network made [${raw.shape}] of slices [${x.shape}]; expected one score per class and pixel`,
      );
    }
    this.found = classes;
    const scored = this.probabilities ? softmax(raw) : raw;
    const y = axes[1] < axes[2] ? scored : permute(scored, [0, 1, 3, 2]);
    const flat = (t: Tensor): Tensor => reshape(t, [slices * classes, ...y.shape.slice(2)]);
    return {
      scores: flat(y),
      ...(squares && { squares: flat(mul(y, y)) }),
      ...(sampled && { labels: argmax(y, 1) }),
    };
  }
}
