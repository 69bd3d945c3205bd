/** @file Holes in images: `RandCoarseDropout`, `RandCoarseShuffle`. */
import { ConfigError } from "../../../host/errors.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../../host/array.ts";
import { required } from "../../../host/defaults.ts";
import { stridesOf } from "../../../host/shape.ts";
import { emptyLike, resolveSize, type SpatialSize, spatialShape } from "../../../host/strided.ts";
import { copyOf, unfilledLike } from "../../../host/unfilled.ts";
import { MaybeTransform } from "../transform.ts";
import { range } from "./arithmetic.ts";
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
  /** Name for error messages. */
  protected readonly op: string;
  private readonly where: Required<CoarseOptions>;

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

/** What `RandCoarseDropout` fills the holes with. */
export interface RandCoarseDropoutOptions extends CoarseOptions {
  /** Fill the holes; else fill all around them. Default true. */
  readonly dropoutHoles?: boolean;
  /** A value, or a range to draw each voxel from. Default null: the image's own range. */
  readonly fillValue?: number | readonly [number, number] | null;
}

/**
 * Fills boxes (or all around them), with probability `prob` (default 0.1). The fill of an item's further arrays is that of its first. MONAI's
 * `RandCoarseDropout`.
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
  protected act(x: HostArray): HostArray {
    const spatial = spatialShape(this.op, x);
    const filled = (data: TypedArray): TypedArray => {
      if (typeof this.fillValue === "number") return data.fill(this.fillValue);
      data.set(this.fills[0].subarray(0, data.length));
      return data;
    };
    const data = this.dropoutHoles ? copyOf(x.data) : filled(unfilledLike(x.data, x.data.length));
    this.holes.forEach((hole, h) => {
      const [length, voxels] = [hole.size.at(-1)!, sizeOf(hole.size)];
      for (let c = 0; c < x.shape[0]; c++) {
        linesOf(hole, spatial, c, (at, k) => {
          if (!this.dropoutHoles) data.set(x.data.subarray(at, at + length), at);
          else if (typeof this.fillValue === "number") data.fill(this.fillValue, at, at + length);
          else data.set(this.fills[h].subarray(c * voxels + k, c * voxels + k + length), at);
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
  private orders: number[][] = [];

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
      Array.from({ length: x.shape[0] }, () => {
        const order = Array.from({ length: sizeOf(size) }, (_, i) => i);
        this.random.shuffle(order);
        return order;
      }),
    );
  }
  protected act(x: HostArray): HostArray {
    const spatial = spatialShape(this.op, x);
    const data = copyOf(x.data);
    this.holes.forEach((hole, h) => {
      const length = hole.size.at(-1)!;
      const patch = emptyLike(data, sizeOf(hole.size));
      for (let c = 0; c < x.shape[0]; c++) {
        const order = this.orders[h * x.shape[0] + c];
        linesOf(hole, spatial, c, (at, k) => patch.set(data.subarray(at, at + length), k));
        linesOf(hole, spatial, c, (at, k) => {
          for (let i = 0; i < length; i++) data[at + i] = patch[order[k + i]];
        });
      }
    });
    return { ...x, data };
  }
}
