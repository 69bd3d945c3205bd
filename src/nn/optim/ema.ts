/** @file Exponential moving average of weights. */

import { expectTensorList } from "../../tensor/kind.ts";
import * as kernels from "../../kernels/optim/ema.ts";
import type { Device } from "../../tensor/device.ts";
import { CheckpointError, ConfigError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import { keep } from "../../tensor/scope.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { StateDict } from "../state_dict.ts";
import { Optimizer, requireRange } from "./optimizer.ts";

/**
 * Keeps averages of weights beside them: average ← decay · average + (1 − decay) · weight at each `update`, beginning with the weights as they
 * are (Polyak and Juditsky 1992; the mean teacher of Tarvainen and Valpola 2017). `update` may be part of a captured step.
 */
export class EMA {
  private readonly device: Device;
  private readonly source: Optimizer | readonly Tensor[];
  private readonly decay: number;
  private readonly averages: readonly Tensor[];
  private backup: readonly Tensor[] | undefined;

  /**
   * Weights may have any shape.
   * @param source an optimizer, whose parameters are averaged in one dispatch per flat buffer, or any tensors, one dispatch each
   * @param decay share of the past, in [0, 1]
   * @throws ConfigError
   */
  constructor(source: Optimizer | readonly Tensor[], decay: number) {
    if (!(source instanceof Optimizer)) expectTensorList("EMA", "source", source);
    requireRange("EMA", "decay", decay, 0, 1);
    this.source = source;
    this.decay = decay;
    if (source instanceof Optimizer) source.gather();
    const { weights } = this;
    if (weights.length === 0) throw new ConfigError("EMA: needs at least one tensor");
    this.device = weights[0].device;
    if (this.device.capturing) throw new ConfigError("create an EMA outside of capture()");
    this.averages = weights.map((w) => this.copyOf(w));
  }

  private get weights(): readonly Tensor[] {
    return this.source instanceof Optimizer ? this.source.weights : this.source;
  }

  // Parameters may have left the flat buffers of their optimizer.
  private gather(): void {
    if (this.source instanceof Optimizer) this.source.gather();
  }

  private put(values: readonly Tensor[]): void {
    this.weights.forEach((w, i) => this.device.stream.copy(values[i], w, 0));
    if (this.source instanceof Optimizer) this.source.scatter();
  }

  private copyOf(t: Tensor): Tensor {
    const copy = keep(this.device.empty(t.shape, t.dtype));
    this.device.stream.copy(t, copy, 0);
    return copy;
  }

  /** Moves the averages towards the weights. Throws `ConfigError` while the averages are applied. */
  update(): void {
    if (this.backup) throw new ConfigError("EMA: call restore() before update()");
    this.gather();
    this.weights.forEach((w, i) => kernels.ema(this.averages[i], w, this.decay));
  }

  /** Puts the averages in place of the weights until `restore`: for evaluation, or to save them. */
  apply(): void {
    if (this.backup) throw new ConfigError("EMA: the averages are applied already");
    this.gather();
    this.backup = this.weights.map((w) => this.copyOf(w));
    this.put(this.averages);
  }

  /** Puts the weights back. */
  restore(): void {
    if (!this.backup) throw new ConfigError("EMA: apply() comes before restore()");
    this.put(this.backup);
    for (const t of this.backup) t.dispose();
    this.backup = undefined;
  }

  /** The averages, in the order of the weights. */
  async stateDict(): Promise<StateDict> {
    const entries = this.averages.map(async (t, i) => [String(i), { data: await t.data(), shape: t.shape }] as const);
    return new Map(await Promise.all(entries));
  }

  /** Restores what `stateDict` gave. Throws `CheckpointError` if it is of other weights; then nothing is written. Each array has the shape of its weight. */
  loadStateDict(state: ReadonlyMap<string, HostArray>): void {
    this.averages.forEach((t, i) => {
      const given = state.get(String(i));
      if (!given || !sameShape(given.shape, t.shape)) {
        throw new CheckpointError(
          `EMA state ${i}: expected ${showShape(t.shape)}, got ${given ? showShape(given.shape) : "nothing"}`,
        );
      }
    });
    if (state.size !== this.averages.length)
      throw new CheckpointError(`EMA state: ${state.size} arrays given, ${this.averages.length} expected`);
    this.averages.forEach((t, i) => this.device.write(t, state.get(String(i))!));
  }

  /** Frees the averages; the weights stay. */
  dispose(): void {
    for (const t of [...this.averages, ...(this.backup ?? [])]) t.dispose();
  }
}
