/** @file What of an image, its sums and its result is in memory while windows go through it; see `window_plan.ts` for which part that is. */

import { type HostArray, sizeOf } from "../../host/array.ts";
import {
  addWeights,
  addWindow,
  clearPlanes,
  codesPerWord,
  cutWindow,
  decidePlanes,
  type Decision,
  type Kept,
  meanOfPlanes,
  type Planes,
} from "../../kernels/window.ts";
import { zeros } from "../../kernels/create.ts";
import { full } from "../../kernels/view.ts";
import { rows as planesOf } from "../../kernels/lib/pieces.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { KeptScores } from "./kept_scores.ts";
import type { Size3, WindowBand, WindowLayout } from "./window_plan.ts";

/** How predictions of windows are added up, and what becomes of the sums. */
export interface WindowSums {
  readonly layout: WindowLayout;
  /** Channels of predictions. */
  readonly classes: number;
  readonly decision?: Decision | undefined;
  /** Sums, weights and means are rounded to f16, as nnU-Net keeps them. */
  readonly halfSums?: boolean | undefined;
}

interface WindowMemoryOptions extends WindowSums {
  /** `[1, C, planes, rows, columns]` with its padding. */
  readonly image: HostArray;
  readonly roi: Size3;
  /** `[roi…]` */
  readonly weights: HostArray;
  /** Where scores go `[classes, planes, rows, columns]`, if they are asked for. */
  readonly scores?: KeptScores | undefined;
}

/** Results of planes on their way back. */
interface Pending {
  readonly values: Promise<ArrayLike<number> & { readonly buffer: ArrayBufferLike }>;
  readonly take: (values: ArrayLike<number> & { readonly buffer: ArrayBufferLike }) => void;
}

// Values that come back at once, unless those of one plane of one channel are more.
const mostAtOnce = 2 ** 20;
// Bytes that are uploaded before the device is waited for.
const mostUploads = 2 ** 27;

/** Channels of the tensors that sums of `voxels` voxels are in, none larger than the device binds. */
export function sumParts(device: Device, classes: number, voxels: number): number[] {
  const together = Math.max(1, Math.min(classes, Math.floor(device.maxBindingSize / (voxels * 4))));
  return Array.from({ length: Math.ceil(classes / together) }, (_, i) => Math.min(together, classes - i * together));
}

/** Planes of so many voxels whose results come back at once, and channels of their scores. */
function atOnce(plane: number, most: number, channels: number): { readonly planes: number; readonly channels: number } {
  const planes = Math.min(most, Math.max(1, Math.floor(mostAtOnce / plane)));
  return { planes, channels: Math.min(channels, Math.max(1, Math.floor(mostAtOnce / (planes * plane)))) };
}

/** Bytes of results on their way back, for planes of so many voxels of which `most` end together. Each is on the device, and twice in staging. */
export function resultBytes(
  plane: number,
  most: number,
  {
    classes,
    decision,
    scores,
    parts,
  }: Pick<WindowSums, "classes" | "decision"> & {
    readonly scores: boolean | undefined;
    readonly parts: number;
  },
): number {
  const { planes, channels } = atOnce(plane, most, classes);
  const voxels = planes * plane;
  const codes = decision ? 4 * Math.ceil(voxels / codesPerWord(decision, classes)) : 0;
  const best = decision && parts > 1 ? 4 * voxels : 0;
  const means = scores ? 4 * channels * voxels : 0;
  return codes + best + means + 2 * Math.max(codes, means);
}

export class WindowMemory {
  /** `[planes, rows, columns]` of the image that was given. */
  readonly codes: Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | undefined;
  private readonly device: Device;
  private readonly options: WindowMemoryOptions;
  private readonly size: Size3;
  private readonly weights: Tensor;
  private band: WindowBand | undefined;
  // Their sizes are those of the band, of which they hold the beginning: `[ring · rows · columns]`, `[channels, …]`.
  private readonly image: readonly Tensor[];
  private readonly sums: readonly Tensor[];
  private readonly counts: Tensor | undefined;
  private ones: Tensor | undefined;
  private loaded = 0;
  private readonly atOnce: ReturnType<typeof atOnce>;
  // Free buffers that were there before.
  private readonly pooled: number;
  private readonly pending: Pending[] = [];

  constructor(device: Device, options: WindowMemoryOptions) {
    this.device = device;
    this.options = options;
    this.size = options.image.shape.slice(2) as unknown as Size3;
    this.weights = device.tensor({ data: options.weights.data, shape: options.roi });
    const { decision, classes, scores, layout, image } = options;
    const voxels = sizeOf(this.size);
    if (decision) this.codes = codesPerWord(decision, classes) === 4 ? new Uint8Array(voxels) : new Uint32Array(voxels);
    this.atOnce = atOnce(layout.rows * this.size[2], layout.ring, classes);
    this.pooled = device.memory.pooled;
    // For the largest band: buffers of another size for each would all be there at last.
    const [reads, sums] = [layout.reads, layout.rows].map((rows) => layout.ring * rows * this.size[2]);
    this.image = Array.from({ length: image.shape[1] }, () => device.empty([reads]));
    this.sums = sumParts(device, classes, sums).map((channels) => device.empty([channels, sums]));
    if (scores) this.counts = device.empty([1, sums]);
  }

  /** Makes room for a band of rows. */
  begin(band: WindowBand): void {
    this.band = band;
    this.loaded = 0;
    this.clear({ ...this.summed, first: 0, planes: this.options.layout.ring });
  }

  /** Uploads planes that are not there yet. */
  async load([, to]: readonly [number, number]): Promise<void> {
    const { image, layout } = this.options;
    const [first, last] = this.band!.reads;
    const [depth, height, width] = this.size;
    let behind = 0;
    for (let z = this.loaded; z < to;) {
      // Planes that lie one after the other both in the image and in the ring.
      const run = last - first === height ? Math.min(to - z, layout.ring - (z % layout.ring)) : 1;
      for (const [c, tensor] of this.image.entries()) {
        const from = ((c * depth + z) * height + first) * width;
        const plane = (last - first) * width;
        const there = planesOf(tensor, (z % layout.ring) * plane, run * plane);
        this.device.write(there, { data: asFloats(image.data.subarray(from, from + there.size)), shape: there.shape });
        behind += there.bytes;
        there.dispose();
      }
      z += run;
      if (behind < mostUploads) continue;
      behind = 0;
      await this.device.settle();
    }
    this.loaded = Math.max(this.loaded, to);
  }

  /** Windows `[count, C, roi…]`, of which those behind the last of `starts` have any values. */
  cut(starts: readonly Size3[], flips: number, count: number): Tensor {
    const { roi } = this.options;
    const windows = this.device.empty([count, this.image.length, ...roi]);
    const kept = this.keptImage;
    let at = 0;
    for (const start of starts) {
      for (const channel of this.image) {
        cutWindow(channel, kept, windows, at, { roi, start, flips });
        at += sizeOf(roi);
      }
    }
    return windows;
  }

  /** Adds predictions `[starts · classes, roi…]`. */
  add(prediction: Tensor, starts: readonly Size3[], flips: number, scale: number): void {
    const { roi, classes } = this.options;
    const kept = this.summed;
    for (const [i, start] of starts.entries()) {
      const place = { roi, start, flips };
      let c = i * classes;
      for (const part of this.sums) {
        addWindow(prediction, c, this.weights, part, kept, place, scale);
        c += part.shape[0];
      }
      // Weights belong to places of the image, whichever way the network saw it.
      if (this.counts) addWeights(this.weights, this.counts, kept, { roi, start, flips: 0 }, scale);
    }
  }

  /** Zeros `[starts · classes, roi…]`, for `merge`. */
  windowSums(starts: number): Tensor {
    const { roi, classes } = this.options;
    return zeros(this.device, [starts * classes, ...roi]);
  }

  /** Adds scaled predictions of mirrored windows to the others' sums, as the unmirrored ones lie. */
  merge(prediction: Tensor, sums: Tensor, flips: number, scale: number): void {
    const { roi } = this.options;
    this.ones ??= full(this.device, roi, 1);
    const kept = { ring: roi[0], firstRow: 0, rows: roi[1], columns: roi[2] };
    addWindow(prediction, 0, this.ones, sums, kept, { roi, start: [0, 0, 0], flips }, scale);
  }

  /** Takes the results of planes, which are free for others then. */
  async finish([from, to]: readonly [number, number]): Promise<void> {
    const { decision } = this.options;
    const kept = this.summed;
    const most = this.atOnce;
    for (let first = from; first < to; first += most.planes) {
      const planes = { ...kept, first, planes: Math.min(most.planes, to - first) };
      if (decision) await this.decide(planes, decision);
      if (this.options.scores) await this.mean(planes, most.channels);
      this.clear(planes);
    }
  }

  /** Waits for results until no more than `open` are on their way. */
  async collect(open = 0): Promise<void> {
    while (this.pending.length > open) {
      const { values, take } = this.pending.shift()!;
      take(await values);
    }
  }

  dispose(): void {
    for (const t of [...this.image, ...this.sums]) t.dispose();
    this.counts?.dispose();
    this.weights.dispose();
    this.ones?.dispose();
    // Images of other sizes would not use these, and the next run is to find what it was planned for.
    this.device.pool.shed(this.device.memory.pooled - this.pooled);
  }

  private get summed(): Kept {
    const [first, last] = this.band!.rows;
    const { layout, halfSums } = this.options;
    return { ring: layout.ring, firstRow: first, rows: last - first, columns: this.size[2], halfSums };
  }

  private get keptImage(): Kept {
    const [first, last] = this.band!.reads;
    return { ...this.summed, firstRow: first, rows: last - first };
  }

  private async decide(planes: Planes, decision: Decision): Promise<void> {
    const voxels = planes.planes * planes.rows * planes.columns;
    const perWord = codesPerWord(decision, this.options.classes);
    const codes = this.device.empty([Math.ceil(voxels / perWord)], "u32");
    const best = this.device.empty([this.sums.length > 1 ? voxels : 1]);
    decidePlanes(this.sums, planes, decision, codes, best);
    const values = codes.data();
    this.pending.push({
      values,
      take: (words) => this.store(perWord === 4 ? new Uint8Array(words.buffer) : (words as Uint32Array), planes),
    });
    codes.dispose();
    best.dispose();
    await this.collect(1);
  }

  private async mean(planes: Planes, most: number): Promise<void> {
    let before = 0;
    for (const part of this.sums) {
      for (let c = 0; c < part.shape[0]; c += most) {
        const count = Math.min(most, part.shape[0] - c);
        const y = meanOfPlanes(part, this.counts!, planes, c, count);
        this.takeMeans(y, planes, before + c);
        await this.collect(1);
      }
      before += part.shape[0];
    }
  }

  private takeMeans(y: Tensor, planes: Planes, first: number): void {
    const voxels = planes.planes * planes.rows * planes.columns;
    const [channels] = y.shape;
    this.pending.push({
      values: y.data(),
      take: (values) => {
        for (let c = 0; c < channels; c++)
          this.keep((values as Float32Array).subarray(c * voxels, (c + 1) * voxels), planes, first + c);
      },
    });
    y.dispose();
  }

  /** Puts codes of planes `[planes, rows, columns]` in their place. */
  private store(from: Uint8Array | Uint32Array, planes: Planes): void {
    const plane = planes.rows * planes.columns;
    for (let z = 0; z < planes.planes; z++)
      this.codes!.set(from.subarray(z * plane, (z + 1) * plane), this.placeOf(planes, z, 0));
  }

  /** The same with scores of a channel; whole planes lie one after the other. */
  private keep(from: Float32Array, planes: Planes, channel: number): void {
    const plane = planes.rows * planes.columns;
    const together = planes.rows === this.size[1] ? planes.planes : 1;
    for (let z = 0; z < planes.planes; z += together)
      this.options.scores!.write(this.placeOf(planes, z, channel), from.subarray(z * plane, (z + together) * plane));
  }

  /** Where plane `z` of some planes begins. */
  private placeOf(planes: Planes, z: number, channel: number): number {
    const [depth, height, width] = this.size;
    return ((channel * depth + planes.first + z) * height + planes.firstRow) * width;
  }

  private clear(planes: Planes): void {
    for (const part of this.sums) clearPlanes(part, planes);
    if (this.counts) clearPlanes(this.counts, planes);
  }
}

// The constructor converts at once; `from` would go through an iterator.
const asFloats = (data: HostArray["data"]): Float32Array => (data instanceof Float32Array ? data : new Float32Array(data));
