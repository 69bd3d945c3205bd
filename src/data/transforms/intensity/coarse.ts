/** @file Holes in images: `RandCoarseDropout`, `RandCoarseShuffle`. */
import { ConfigError } from "../../../host/errors.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../../host/array.ts";
import { inBlocks } from "../../../host/blocks.ts";
import { required } from "../../../host/defaults.ts";
import { stridesOf } from "../../../host/shape.ts";
import { emptyLike, resolveSize, type SpatialSize, spatialShape } from "../../../host/strided.ts";
import { copyOf, unfilledLike } from "../../../host/unfilled.ts";
import { MaybeTransform } from "../transform.ts";
import { range } from "./arithmetic.ts";
import { expectSameSpace } from "../drawn_for.ts";
import { allOptions } from "../options.ts";

/** How many holes and how large. */
export interface CoarseOptions {
  /** Number of holes, from 1 up; with `maxHoles` the least one. */
  readonly holes: number;
  /** Size of a hole; null, 0 and negative sizes mean the image's. With `maxSpatialSize` the least one. */
  readonly spatialSize: SpatialSize;
  /** Draw the number of holes up to this. Default null: `holes`. */
  readonly maxHoles?: number | null;
  /** Draw the size of each hole up to this. Default null: `spatialSize`. */
  readonly maxSpatialSize?: SpatialSize | null;
  /** Default 0.1. */
  readonly prob?: number;
}

/** A box: its first voxel and its size on each spatial axis. */
export interface Hole {
  /** First voxel on each spatial axis. */
  readonly start: readonly number[];
  /** Voxels along each spatial axis. */
  readonly size: readonly number[];
}

/** Draws the holes of an image. */
export abstract class RandCoarse extends MaybeTransform {
  /** Holes of the last draw. */
  protected holes: Hole[] = [];
  /** Channels of the array that was drawn for; of an array with more, the first ones' draws serve again. */
  protected channels = 1;
  /** Name for error messages. */
  protected readonly op: string;
  private readonly where: Required<CoarseOptions>;
  private image: readonly number[] = [];

  /** @param op name for error messages */
  constructor(op: string, where: Required<CoarseOptions>) {
    super(op, where.prob);
    if (!(Number.isInteger(where.holes) && where.holes >= 1))
      throw new ConfigError(`${op}: holes must be an integer from 1 up, got ${where.holes}`);
    this.op = op;
    this.where = where;
  }

  protected draw(x: HostArray): void {
    const { holes, spatialSize, maxHoles, maxSpatialSize } = this.where;
    const image = spatialShape(this.op, x);
    this.image = image;
    this.channels = x.shape[0];
    const count = maxHoles === null ? holes : this.random.randint(holes, maxHoles + 1);
    let size = resolveSize(this.op, spatialSize, image);
    this.holes = Array.from({ length: count }, () => {
      if (maxSpatialSize !== null) {
        const most = resolveSize(this.op, maxSpatialSize, image);
        size = size.map((s, a) => this.random.randint(s, most[a] + 1));
      }
      const inside = size.map((s, a) => Math.min(s || image[a], image[a]));
      const start = inside.map((s, a) => (image[a] > s ? this.random.randint(0, image[a] - s + 1) : 0));
      return { start, size: inside };
    });
  }

  /** Spatial shape of `x`, `[C, …]`. @throws ShapeError for another one than the holes were drawn in */
  protected spatialOf(x: HostArray): number[] {
    expectSameSpace(this.op, x, this.image);
    return spatialShape(this.op, x);
  }
}

/** Calls with the first index of each line of a hole in one channel, in order. */
function linesOf(
  { start, size }: Hole,
  spatial: readonly number[],
  channel: number,
  visit: (at: number, k: number) => void,
): void {
  const strides = stridesOf(spatial);
  const length = size.at(-1)!;
  const lines = sizeOf(size) / length;
  for (let line = 0; line < lines; line++) {
    let at = channel * sizeOf(spatial) + start.at(-1)!;
    for (let a = size.length - 2, rest = line; a >= 0; a--) {
      at += (start[a] + (rest % size[a])) * strides[a];
      rest = Math.floor(rest / size[a]);
    }
    visit(at, line * length);
  }
}

/** Lines of holes are short, and here also of other types: a loop is faster than `set`. */
function copyLine(from: TypedArray, at: number, to: TypedArray, start: number, length: number): void {
  for (let i = 0; i < length; i++) to[start + i] = from[at + i];
}

/** What `RandCoarseDropout` fills the holes with. */
export interface RandCoarseDropoutOptions extends CoarseOptions {
  /** Fill the holes; else fill all around them. Default true. */
  readonly dropoutHoles?: boolean;
  /** A value, or a range to draw each voxel from. Default null: the image's own range. */
  readonly fillValue?: number | readonly [number, number] | null;
}

/**
 * Fills boxes (or all around them), with probability `prob` (default 0.1). The fill of an item's further arrays is that of its first; labels are filled
 * with a number alone, since what is drawn is no class. MONAI's `RandCoarseDropout`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, the number of holes `randint(holes, maxHoles + 1)`, for each its sizes `randint(size, most + 1)` and
 *   starts `randint(0, free + 1)`, then without one fill value `uniform(low, high, elements)` for each hole, or for the image.
 * @throws ConfigError for fewer than 1 hole, a `prob` outside 0 … 1, a fill that is no number or pair and an unknown option
 */
export class RandCoarseDropout extends RandCoarse {
  private readonly fillValue: number | readonly [number, number] | null;
  private readonly dropoutHoles: boolean;
  private fills: Float64Array[] = [];

  constructor(options: RandCoarseDropoutOptions) {
    const { dropoutHoles, fillValue, ...where } = allOptions(
      "RandCoarseDropout",
      options,
      "holes:number spatialSize:sizes dropoutHoles:boolean fillValue:voxels maxHoles:number maxSpatialSize:sizes prob:number",
      {
        holes: required,
        spatialSize: required,
        dropoutHoles: true,
        fillValue: null,
        maxHoles: null,
        maxSpatialSize: null,
        prob: 0.1,
      },
    );
    super("RandCoarseDropout", where);
    if (typeof fillValue !== "number" && fillValue !== null && fillValue.length !== 2)
      throw new ConfigError(`RandCoarseDropout: fillValue must be a number or a pair, got [${String(fillValue)}]`);
    this.dropoutHoles = dropoutHoles;
    this.fillValue = fillValue;
  }

  protected override draw(x: HostArray): void {
    super.draw(x);
    this.fills = [];
    if (typeof this.fillValue === "number") return;
    const [low, high] = this.fillValue ?? Object.values(range(this.op, x.data));
    const sizes = this.dropoutHoles ? this.holes.map(({ size }) => sizeOf(size) * x.shape[0]) : [x.data.length];
    this.fills = sizes.map((n) => this.random.uniform(low, high, n));
  }
  protected override actOnLabel(x: HostArray): HostArray {
    return typeof this.fillValue === "number" ? this.act(x) : x;
  }
  protected act(x: HostArray): HostArray {
    const spatial = this.spatialOf(x);
    const filled = (data: TypedArray): TypedArray => {
      if (typeof this.fillValue === "number") return data.fill(this.fillValue);
      const voxels = sizeOf(spatial);
      for (let c = 0; c < x.shape[0]; c++) {
        const from = (c % this.channels) * voxels;
        data.set(this.fills[0].subarray(from, from + voxels), c * voxels);
      }
      return data;
    };
    const data = this.dropoutHoles ? copyOf(x.data) : filled(unfilledLike(x.data, x.data.length));
    this.holes.forEach((hole, h) => {
      const [length, voxels] = [hole.size.at(-1)!, sizeOf(hole.size)];
      for (let c = 0; c < x.shape[0]; c++) {
        linesOf(hole, spatial, c, (at, k) => {
          if (!this.dropoutHoles) data.set(x.data.subarray(at, at + length), at);
          else if (typeof this.fillValue === "number") data.fill(this.fillValue, at, at + length);
          else copyLine(this.fills[h], (c % this.channels) * voxels + k, data, at, length);
        });
      }
    });
    return { ...x, data };
  }
}

/**
 * Shuffles the voxels of boxes, each channel on its own, with probability `prob` (default 0.1). MONAI's `RandCoarseShuffle`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, the number of holes `randint(holes, maxHoles + 1)`, for each its sizes `randint(size, most + 1)` and
 *   starts `randint(0, free + 1)`, then for each hole and channel `shuffle(voxels)`.
 * @throws ConfigError for fewer than 1 hole, a `prob` outside 0 … 1 and an unknown option
 */
export class RandCoarseShuffle extends RandCoarse {
  private orders: Int32Array[] = [];

  constructor(options: CoarseOptions) {
    const defaults = { holes: required, spatialSize: required, maxHoles: null, maxSpatialSize: null, prob: 0.1 } as const;
    super(
      "RandCoarseShuffle",
      allOptions(
        "RandCoarseShuffle",
        options,
        "holes:number spatialSize:sizes maxHoles:number maxSpatialSize:sizes prob:number",
        defaults,
      ),
    );
  }

  protected override draw(x: HostArray): void {
    super.draw(x);
    this.orders = this.holes.flatMap(({ size }) =>
      Array.from({ length: this.channels }, () => {
        const order = new Int32Array(sizeOf(size));
        inBlocks(order.length, (start, end) => countUp(order, start, end));
        this.random.shuffle(order);
        return order;
      }),
    );
  }
  protected act(x: HostArray): HostArray {
    const spatial = this.spatialOf(x);
    const data = copyOf(x.data);
    this.holes.forEach((hole, h) => {
      const length = hole.size.at(-1)!;
      const patch = emptyLike(data, sizeOf(hole.size));
      for (let c = 0; c < x.shape[0]; c++) {
        const order = this.orders[h * this.channels + (c % this.channels)];
        linesOf(hole, spatial, c, (at, k) => copyLine(data, at, patch, k, length));
        linesOf(hole, spatial, c, (at, k) => takeLine(patch, order, k, data, at, length));
      }
    });
    return { ...x, data };
  }
}

function countUp(order: Int32Array, start: number, end: number): void {
  for (let i = start; i < end; i++) order[i] = i;
}

function takeLine(from: TypedArray, order: Int32Array, k: number, to: TypedArray, start: number, length: number): void {
  for (let i = 0; i < length; i++) to[start + i] = from[order[k + i]];
}
