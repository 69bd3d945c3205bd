/**
 * @file Whole images through networks that look only so far, such as MeshNet, in bounded memory: windows whose cores tile the image, each voxel from one of them.
 * The outputs of all classes never exist together: the last, pointwise convolution runs for some planes and classes at a time, and the largest so far is kept.
 */

import { expectWord } from "../../host/words.ts";
import { expectDevice } from "../../tensor/kind.ts";
import { conv } from "../../autograd/conv.ts";
import { cast } from "../../autograd/cast.ts";
import { withPrecision } from "../../autograd/precision.ts";
import { noGrad } from "../../autograd/tape.ts";
import { slice } from "../../autograd/view.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { ConfigError, OutOfMemoryError, ShapeError, TensorTooLargeError } from "../../host/errors.ts";
import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal } from "../../host/platform.ts";
import { formatBytes } from "../../host/text.ts";
import { codesPerWord, type Decision, decidePart } from "../../kernels/window.ts";
import { evaluating } from "../../nn/evaluating.ts";
import type { Conv } from "../../nn/layers/conv.ts";
import { type Module, expectModule } from "../../nn/module.ts";
import { capture, type Captured } from "../../tensor/capture.ts";
import type { Device } from "../../tensor/device.ts";
import { Plan } from "../../tensor/plan.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type CoreChoice, coreChoices, type CoreWindow, coreWindows } from "./core_plan.ts";
import { type Locality, localityOf } from "./locality.ts";
import { forEachRow } from "./padding.ts";

/** Options of `CoreWindows`. */
export interface CoreWindowsOptions {
  /** Default "largest". */
  readonly decision?: Decision | undefined;
  /** Arithmetic of the network but its last convolution. Default "f32". */
  readonly precision?: "f32" | "f16" | undefined;
  /** Bytes of device memory that all of it may take, the network included. Default 2 GiB. */
  readonly maxBytes?: number | undefined;
}

/** What is told while windows run, and how to stop them. */
export interface CoreWindowsRun {
  /** Aborting stops between windows. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each window: `done` of `total`. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What a run will do, known before it starts. */
export interface CoreWindowsPlan {
  /** How many windows there are. */
  readonly windows: number;
  /** Size of each window. */
  readonly window: readonly number[];
  /** Voxels that are computed, over those of the image. */
  readonly work: number;
  /** Bytes on the device at most, weights included. */
  readonly peakBytes: number;
}

// Bytes of features, and of outputs, that the last convolution is given at a time.
const headBytes = 2 ** 26;

interface Job extends CoreWindowsPlan {
  readonly choice: CoreChoice;
  readonly halo: readonly number[];
}

/** A network over whole images, `[C, ...spatial]` to the class of each voxel. */
export class CoreWindows {
  private readonly device: Device;
  private readonly network: Module;
  private readonly options: CoreWindowsOptions;
  private readonly step: Captured<readonly Tensor[]>;
  private locality: Locality | undefined;
  private channels = 0;
  private readonly jobs = new Map<string, Job>();
  // What was found when windows of a shape were traced: planes in a group, classes.
  private readonly traced = new Map<string, { readonly group: number; readonly classes: number }>();

  constructor(device: Device, network: Module, options: CoreWindowsOptions = {}) {
    expectOptions("CoreWindows", options, "decision precision maxBytes");
    expectDevice("CoreWindows", device);
    expectModule("CoreWindows", { network });
    expectWord("CoreWindows", "decision", options.decision ?? "largest", ["largest", "positive"]);
    expectWord("CoreWindows", "precision", options.precision ?? "f32", ["f32", "f16"]);
    this.device = device;
    this.network = network;
    this.options = options;
    this.step = capture(device, (x) => this.forward(x));
  }

  private get decision(): Decision {
    return this.options.decision ?? "largest";
  }

  /** What `run` will do for images of `shape`, `[C, ...spatial]`. @throws as `run` */
  async plan(shape: readonly number[]): Promise<CoreWindowsPlan> {
    return this.jobOf(shape);
  }

  /**
   * The class of each voxel, or the set of channels that are positive, `[1, ...spatial]`. The network evaluates meanwhile.
   * @throws ConfigError for a network that is not local, ShapeError; OutOfMemoryError if `maxBytes` is not enough; the signal's reason
   */
  async run(image: HostArray, run: CoreWindowsRun = {}): Promise<HostArray<Uint8Array | Uint32Array>> {
    expectOptions("CoreWindows.run", run, "signal onProgress");
    expectArguments("CoreWindows.run", "array", { image });
    run.signal?.throwIfAborted();
    return this.predict(image, this.jobOf(image.shape), run);
  }

  /** Frees the captured steps, not the network. */
  dispose(): void {
    this.step.dispose();
  }

  /** The codes of groups of planes of a window `[1, C, …]`. */
  private forward(x: Tensor): readonly Tensor[] {
    const { precision = "f32" } = this.options;
    const head = this.locality!.head;
    return noGrad(() => {
      const pass = () => evaluating([this.network], () => this.network.forward(x));
      const features = withPrecision(precision, () => (head ? without(head, pass) : pass()));
      const classes = head ? head.weight.shape[0] : features.shape[1];
      const planes = features.shape[2];
      const group = groupOf(features.shape, classes, this.device.maxBindingSize);
      this.traced.set(x.shape.join(), { group, classes });
      const codes: Tensor[] = [];
      for (let first = 0; first < planes; first += group)
        codes.push(this.decided(planesOf(features, first, Math.min(group, planes - first)), head, classes));
      return codes;
    });
  }

  /** The codes of some planes of features. */
  private decided(features: Tensor, head: Conv | undefined, classes: number): Tensor {
    const { device } = this;
    const { decision } = this;
    const [planes, ...plane] = features.shape.slice(2);
    const kept = { first: 0, planes, ring: planes, firstRow: 0, rows: sizeOf(plane), columns: 1 };
    const voxels = planes * kept.rows;
    const codes = device.empty([Math.ceil(voxels / codesPerWord(decision, classes))], "u32");
    const best = device.empty([voxels]);
    const x = cast(features, "f32");
    const most = head ? partOf(features.shape[1], classes) : classes;
    for (let first = 0; first < classes; first += most) {
      const channels = Math.min(most, classes - first);
      const y = head ? headPart(head, x, first, channels) : x;
      decidePart(y.view([channels, planes, kept.rows, 1]), { first, total: classes }, kept, decision, codes, best);
    }
    return codes;
  }

  private jobOf([channels, ...size]: readonly number[]): Job {
    if (size.length < 1 || size.length > 3)
      throw new ShapeError(
        `CoreWindows: the image is [${[channels, ...size]}]; expected [C, ...spatial] with one to three spatial axes`,
      );
    const key = [channels, ...size].join();
    const known = this.jobs.get(key);
    if (known) return known;
    if (!this.locality || this.channels !== channels) {
      this.locality = localityOf(this.device, this.network, channels, size.length);
      this.channels = channels;
    }
    const { locality } = this;
    if (!locality)
      throw new ConfigError("CoreWindows: the network does not look only so far, in the same way everywhere; use DeviceWindows");
    const job = this.choose(channels, size, locality.halo);
    this.jobs.set(key, job);
    return job;
  }

  /** The windows with the least to compute that fit. */
  private choose(channels: number, size: readonly number[], halo: readonly number[]): Job {
    const { maxBytes = 2 ** 31 } = this.options;
    let perVoxel = 0;
    let least = Infinity;
    for (const choice of coreChoices(size, halo)) {
      const voxels = sizeOf(choice.window);
      // Memory grows with a window; so what is far from fitting need not be traced.
      if (0.9 * perVoxel * voxels > maxBytes) continue;
      const peakBytes = this.peakOf([1, channels, ...choice.window]);
      if (peakBytes === undefined) continue;
      perVoxel = peakBytes / voxels;
      least = Math.min(least, peakBytes);
      if (peakBytes > maxBytes) continue;
      const windows = sizeOf(choice.counts);
      return { choice, halo, windows, window: choice.window, work: choice.voxels / sizeOf(size), peakBytes };
    }
    const needs = least === Infinity ? "larger buffers than the device binds" : formatBytes(least);
    throw new OutOfMemoryError(
      `CoreWindows: an image [${size}] needs ${needs} with windows that reach [${halo}] beyond their cores, ${formatBytes(maxBytes)} are allowed: allow ` +
        "more memory, or use DeviceWindows",
    );
  }

  /** What windows of a shape take; undefined if the device cannot bind what they need. */
  private peakOf(shape: readonly number[]): number | undefined {
    try {
      const plan = new Plan(this.device, [{ data: new Float32Array(0), shape }], (x) => this.forward(x)); // nothing is loaded
      plan.dispose();
      // Results come back by way of staging, those of two windows at a time.
      return plan.peakBytes + 2 * plan.memory.results;
    } catch (error) {
      if (error instanceof TensorTooLargeError) return undefined;
      throw error;
    }
  }

  private async predict(
    image: HostArray,
    job: Job,
    { signal, onProgress }: CoreWindowsRun,
  ): Promise<HostArray<Uint8Array | Uint32Array>> {
    const [channels, ...size] = image.shape;
    const windows = coreWindows(size, job.halo, job.choice);
    const { group, classes } = this.traced.get([1, channels, ...job.window].join())!;
    const bytes = codesPerWord(this.decision, classes) === 4;
    const codes = bytes ? new Uint8Array(sizeOf(size)) : new Uint32Array(sizeOf(size));
    let pending: Promise<void> | undefined;
    for (const [i, window] of windows.entries()) {
      const parts = this.step({ data: cut(image, window.start, job.window), shape: [1, channels, ...job.window] });
      const reads = parts.map((part, g) => (inCore(window, g * group, group) ? part.data() : undefined));
      const before = pending;
      pending = Promise.all(reads).then((words) => {
        for (const [g, w] of words.entries())
          if (w) store(bytes ? new Uint8Array(w.buffer) : (w as Uint32Array), codes, size, window, job.window, g * group, group);
        onProgress?.(i + 1, windows.length);
      });
      pending.catch(() => {});
      // One window ahead of the device, so that it does not wait for the host.
      await before;
      signal?.throwIfAborted();
    }
    await pending;
    return { data: codes, shape: [1, ...size] };
  }
}

/** Whether a window's core has some of its planes `first` to `first + count`. */
const inCore = ({ start, from, to }: CoreWindow, first: number, count: number): boolean =>
  start[0] + first < to[0] && start[0] + first + count > from[0];

/** What a module makes of an image with one of its convolutions left out. */
function without(head: Conv, run: () => Tensor): Tensor {
  head.forward = (x) => x;
  try {
    return run();
  } finally {
    delete (head as { forward?: unknown }).forward;
  }
}

/** Classes that the last convolution gives at a time: about as many as it is given channels. */
const partOf = (features: number, classes: number): number => Math.min(classes, Math.max(features, 16));

/** Planes that the last convolution is given at a time. */
function groupOf([, features, planes, ...plane]: readonly number[], classes: number, maxBinding: number): number {
  const bytes = 4 * sizeOf(plane) * Math.max(features, partOf(features, classes));
  return Math.max(1, Math.min(planes, Math.floor(Math.min(headBytes, maxBinding) / bytes)));
}

const planesOf = (x: Tensor, first: number, count: number): Tensor =>
  count === x.shape[2] ? x : slice(x, [undefined, undefined, [first, first + count]]);

/** Some channels of what a pointwise convolution makes of features. */
function headPart({ weight, bias }: Conv, x: Tensor, first: number, channels: number): Tensor {
  const range = [[first, first + channels]] as const;
  const all = channels === weight.shape[0];
  return all ? conv(x, weight, bias) : conv(x, slice(weight, range), bias && slice(bias, range));
}

/** A window of an image, converted to floats. */
function cut({ data, shape: [channels, ...size] }: HostArray, start: readonly number[], window: readonly number[]): Float32Array {
  const [all, voxels] = [sizeOf(size), sizeOf(window)];
  if (all === voxels && data instanceof Float32Array) return data;
  const out = new Float32Array(channels * voxels);
  for (let c = 0; c < channels; c++)
    forEachRow(size, start, window, (at, row, length) =>
      out.set(data.subarray(c * all + at, c * all + at + length), c * voxels + row),
    );
  return out;
}

/** Puts the core of a window's planes `first` to `first + count` in its place. */
function store(
  codes: Uint8Array | Uint32Array,
  to: Uint8Array | Uint32Array,
  size: readonly number[],
  core: CoreWindow,
  window: readonly number[],
  first: number,
  count: number,
): void {
  const [begin, end] = [Math.max(core.from[0], core.start[0] + first), Math.min(core.to[0], core.start[0] + first + count)];
  const place = [begin, ...core.from.slice(1)];
  const extent = [end - begin, ...core.to.slice(1).map((t, i) => t - core.from[i + 1])];
  const inside = place.map((p, axis) => p - core.start[axis] - (axis === 0 ? first : 0));
  const group = [Math.min(count, window[0] - first), ...window.slice(1)];
  const targets: number[] = [];
  forEachRow(size, place, extent, (at) => targets.push(at));
  let i = 0;
  forEachRow(group, inside, extent, (at, _row, length) => to.set(codes.subarray(at, at + length), targets[i++]));
}
