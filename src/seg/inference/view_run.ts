/** @file One volume through the views: slices are cut on the host, predicted and added up on the device, row block by row block. */

import { type HostArray, sizeOf } from "../../host/array.ts";
import type { AbortSignal } from "../../host/platform.ts";
import { RandomState } from "../../host/random/numpy.ts";
import { stridesOf } from "../../host/shape.ts";
import { copyView } from "../../host/strided.ts";
import { dropoutGenerator } from "../../nn/layers/dropout.ts";
import { takeDraw } from "../../kernels/dropout.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { StructureCounts, StructureUncertainties } from "./monte_carlo.ts";
import type { StepKind, ViewSteps } from "./view_steps.ts";
import { type SlicePlace, ViewSums } from "./view_sums.ts";
import type { Size3 } from "./window_plan.ts";

/** What is to be done, for volumes of a size. */
export interface ViewJob {
  /** `[X, Y, Z]` with padding. */
  readonly size: Size3;
  /** And without. */
  readonly inside: Size3;
  readonly channels: number;
  readonly classes: number;
  /** Rows (second axis, without padding) that are done together. */
  readonly blocks: readonly (readonly [number, number])[];
  readonly samples: number;
  readonly kind: StepKind;
  readonly batchSize: number;
}

/** A padded volume, and where in it the voxels are that count. */
export interface PaddedVolume {
  /** `[C, X, Y, Z]` */
  readonly image: HostArray;
  readonly before: readonly number[];
  readonly inside: Size3;
}

export interface ViewRunOptions {
  readonly scores: boolean;
  readonly keepSamples: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What a run gives, on the volume without its padding. */
export interface ViewResults {
  readonly labels: HostArray<Uint8Array | Uint32Array>;
  readonly scores?: HostArray<Float32Array>;
  readonly variance?: HostArray<Float32Array>;
  readonly samples?: readonly HostArray<Uint8Array>[];
  readonly uncertainty?: StructureUncertainties;
}

/** Rows that are done together. */
interface Block {
  /** In the padded volume. */
  readonly rows: readonly [number, number];
  /** In the volume. */
  readonly own: readonly [number, number];
}

/** Slices that a network sees in one call. */
interface Batch {
  readonly view: ViewSteps;
  readonly from: number;
  readonly to: number;
}

/** Words that dropout masks follow from, beside their place. */
type DrawKey = readonly [low: number, high: number];

// Places of the generator that a sample of a view may take, one for each slice.
const perSample = 2 ** 16;

export class ViewRun {
  private readonly device: Device;
  private readonly views: readonly ViewSteps[];
  private readonly job: ViewJob;
  private readonly draws: Tensor;
  private done = 0;

  /** @param draws the generator that the views draw from, u32 `[4]` */
  constructor(device: Device, views: readonly ViewSteps[], job: ViewJob, draws: Tensor) {
    this.device = device;
    this.views = views;
    this.job = job;
    this.draws = draws;
  }

  /** Slices that networks see in all. */
  get slices(): number {
    const { blocks, samples } = this.job;
    const of = (rows: readonly [number, number]) =>
      this.views.reduce((sum, v) => sum + this.batches(v, rows).reduce((n, b) => n + b.to - b.from, 0), 0);
    return samples * blocks.reduce((sum, rows) => sum + of(rows), 0);
  }

  async run(volume: PaddedVolume, counts: StructureCounts | undefined, options: ViewRunOptions): Promise<ViewResults> {
    const { classes, kind, samples } = this.job;
    const { before, inside } = volume;
    const voxels = sizeOf(inside);
    const labels = classes <= 256 ? new Uint8Array(voxels) : new Uint32Array(voxels);
    const scores = options.scores ? new Float32Array(classes * voxels) : undefined;
    const variance = kind.squares ? new Float32Array(voxels) : undefined;
    const maps = options.keepSamples ? this.views.flatMap(() => many(samples, () => new Uint8Array(voxels))) : undefined;
    const key = kind.sampled ? await this.drawKey() : undefined;
    for (const own of this.job.blocks) {
      const block = { rows: [own[0] + before[1], own[1] + before[1]], own } as const;
      const { pooled } = this.device.memory;
      const sums = new ViewSums(this.device, { size: this.job.size, classes, rows: block.rows, squares: kind.squares });
      try {
        await this.addUp(volume, block, sums, { counts, maps, key, options });
        const put = (values: ArrayLike<number>, target: Uint8Array | Uint32Array | Float32Array) =>
          this.store(values, target, block, volume);
        put(await sums.labels(), labels);
        let c = 0;
        if (scores) for await (const plane of sums.scores()) put(plane, scores.subarray(c++ * voxels, c * voxels));
        if (variance) put(await sums.variance(), variance);
      } finally {
        sums.dispose();
        // The next block may need other sizes.
        this.device.pool.shed(Math.max(0, this.device.memory.pooled - pooled));
      }
    }
    const shaped = <A extends ArrayLike<number>>(data: A) => ({ data, shape: [...inside] });
    return {
      labels: shaped(labels),
      ...(scores && { scores: { data: scores, shape: [classes, ...inside] } }),
      ...(variance && { variance: shaped(variance) }),
      ...(maps && { samples: maps.map(shaped) }),
      ...(counts && { uncertainty: counts.result() }),
    };
  }

  /** The batches of a view that have something in these rows. */
  private batches(view: ViewSteps, [from, to]: readonly [number, number]): Batch[] {
    const { size, inside, batchSize } = this.job;
    const [slice] = view.view.axes;
    // Slices of padding alone tell nothing.
    const before = (size[slice] - inside[slice]) >> 1;
    const [first, last] = slice === 1 ? [from, to] : [before, before + inside[slice]];
    return many(Math.ceil((last - first) / batchSize), (i) => ({
      view,
      from: first + i * batchSize,
      to: Math.min(last, first + (i + 1) * batchSize),
    }));
  }

  private async addUp(
    volume: PaddedVolume,
    block: Block,
    sums: ViewSums,
    more: {
      readonly counts: StructureCounts | undefined;
      readonly maps: readonly Uint8Array[] | undefined;
      readonly key: DrawKey | undefined;
      readonly options: ViewRunOptions;
    },
  ): Promise<void> {
    const { counts, maps, key, options } = more;
    const { samples } = this.job;
    const [x, , z] = volume.inside;
    const [first, last] = block.own;
    counts?.begin(x * (last - first) * z);
    const total = this.slices;
    for (const [v, view] of this.views.entries()) {
      for (let s = 0; s < samples; s++) {
        const map = counts && new Uint8Array(x * (last - first) * z);
        await this.sample(volume, block, sums, this.batches(view, block.rows), {
          map,
          key,
          // Every slice has its own stretch of the generator, so that it is the same in every block.
          draw: (v * samples + s) * perSample,
          ...options,
          onProgress: (done) => options.onProgress?.(done, total),
        });
        if (!map) continue;
        const sample = v * samples + s;
        counts.add(map, sample);
        if (maps) copyRows(map, maps[sample], block.own, volume.inside);
      }
    }
    counts?.end();
  }

  /** All slices of a view once. */
  private async sample(
    volume: PaddedVolume,
    block: Block,
    sums: ViewSums,
    batches: readonly Batch[],
    options: {
      readonly map: Uint8Array | undefined;
      readonly key: DrawKey | undefined;
      readonly draw: number;
      readonly signal?: AbortSignal | undefined;
      readonly onProgress: (done: number) => void;
    },
  ): Promise<void> {
    const { map, key, draw, signal, onProgress } = options;
    let settled: Promise<void> | undefined;
    for (const batch of batches) {
      if (key) this.seed(key, draw + batch.from);
      const labels = this.predict(volume.image, batch, sums);
      // One batch ahead of the device, so that it never waits.
      await settled;
      settled = map && labels ? labels.then((found) => this.note(found, batch, block, volume, map)) : this.device.settle();
      settled.catch(() => {});
      signal?.throwIfAborted();
      onProgress((this.done += batch.to - batch.from));
    }
    await settled;
  }

  /** A key that follows from the state of the device's generator, of which it takes a draw as any dropout layer does. */
  private async drawKey(): Promise<DrawKey> {
    const draw = takeDraw(dropoutGenerator(this.device));
    const random = new RandomState([...(await draw.data())]);
    draw.dispose();
    return [random.randint(2 ** 32), random.randint(2 ** 32)];
  }

  /** Sets the views' generator to a place that no other slice uses: 2³² draws further for each. */
  private seed([low, high]: DrawKey, slice: number): void {
    this.device.write(this.draws, { data: Uint32Array.of(low, high, 0, slice), shape: [4] });
  }

  /** Adds up what a network says of slices; under dropout gives its labels. */
  private predict(image: HostArray, { view, from, to }: Batch, sums: ViewSums): Promise<ArrayLike<number>> | undefined {
    const { size, samples, kind, batchSize, channels } = this.job;
    const [slice, row, column] = view.view.axes;
    const batch = Math.min(batchSize, size[slice]);
    const pixels = size[row] * size[column];
    const strides = stridesOf(image.shape);
    const data = new Float32Array(batch * channels * pixels);
    const steps = [strides[slice + 1], strides[0], strides[row + 1], strides[column + 1]];
    const cut = copyView(image.data, [to - from, channels, size[row], size[column]], steps, from * strides[slice + 1]);
    data.set(cut.data);
    const out = view.run(kind, { data, shape: [batch, channels, size[row], size[column]] });
    const scale = view.view.factor / samples;
    for (let i = from; i < to; i++) {
      const place = this.placeOf(slice, i);
      sums.add(out.scores, i - from, place, scale);
      if (kind.squares) sums.addSquares(out.squares, i - from, place, scale);
    }
    return kind.sampled ? out.labels.data() : undefined;
  }

  private placeOf(axis: number, at: number): SlicePlace {
    const set = (list: readonly number[], v: number) => list.with(axis, v) as unknown as Size3;
    return { roi: set(this.job.size, 1), start: set([0, 0, 0], at) };
  }

  /** Puts the classes of slices in their place of a map of a block, `[X, rows, Z]` without padding. */
  private note(
    found: ArrayLike<number>,
    { view, from, to }: Batch,
    { own }: Block,
    { before, inside }: PaddedVolume,
    map: Uint8Array,
  ): void {
    const { size } = this.job;
    const [slice] = view.view.axes;
    const range = (axis: number): [number, number] => {
      const [low, high] = axis === 1 ? own : [0, inside[axis]];
      const [a, b] = [low + before[axis], high + before[axis]];
      return axis === slice ? [Math.max(a, from), Math.min(b, to)] : [a, b];
    };
    const [xs, ys, zs] = [range(0), range(1), range(2)];
    // Places in what was found, whose slices come first.
    const shape = size.with(slice, 1);
    const steps = stridesOf(shape).with(slice, sizeOf(shape));
    const offset = [0, 0, 0].with(slice, from);
    const rows = own[1] - own[0];
    for (let x = xs[0]; x < xs[1]; x++) {
      for (let y = ys[0]; y < ys[1]; y++) {
        let at = (x - offset[0]) * steps[0] + (y - offset[1]) * steps[1] + (zs[0] - offset[2]) * steps[2];
        let to = ((x - before[0]) * rows + y - before[1] - own[0]) * inside[2] + zs[0] - before[2];
        for (let z = zs[0]; z < zs[1]; z++, at += steps[2]) map[to++] = found[at];
      }
    }
  }

  /** Puts the values of a block `[X, rows, Z]`, with the padding of planes and columns, in their place of a volume. */
  private store(
    values: ArrayLike<number>,
    target: Uint8Array | Uint32Array | Float32Array,
    { rows, own }: Block,
    { before, inside }: PaddedVolume,
  ): void {
    const [, , columns] = this.job.size;
    const height = rows[1] - rows[0];
    for (let x = 0; x < inside[0]; x++) {
      for (let y = own[0]; y < own[1]; y++) {
        const at = ((x + before[0]) * height + y - own[0]) * columns + before[2];
        const to = (x * inside[1] + y) * inside[2];
        for (let z = 0; z < inside[2]; z++) target[to + z] = values[at + z];
      }
    }
  }
}

const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** Puts a map of some rows `[X, rows, Z]` into the whole. */
function copyRows(part: Uint8Array, whole: Uint8Array, [from, to]: readonly [number, number], size: Size3): void {
  const rows = to - from;
  for (let x = 0; x < size[0]; x++)
    whole.set(part.subarray(x * rows * size[2], (x + 1) * rows * size[2]), (x * size[1] + from) * size[2]);
}
