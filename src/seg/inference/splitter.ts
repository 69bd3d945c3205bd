/** @file MONAI's splitter for `PatchInferer`: the patches of a grid over images, by a step that overlap and offset decide, and where they lie. */
import { iterPatchPosition } from "../../data/datasets/patch_position.ts";
import { padAxes } from "../../data/transforms/pad/pad_axes.ts";
import type { HostArray } from "../../host/array.ts";
import { torchEdges } from "../../host/edges.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { roundHalfEven } from "../../host/rounding.ts";
import { copyView } from "../../host/strided.ts";
import { stridesOf } from "../../host/shape.ts";
import { expectWord } from "../../host/words.ts";

/** A patch of images and where it lies. */
export interface SplitPatch {
  /** `[N, C, …patch]`: the same box of all images. */
  readonly patch: HostArray;
  /** First voxel on each spatial axis, in the images before they were padded. */
  readonly location: readonly number[];
}

/** What `PatchInferer` takes images apart with. Images are `[N, C, …spatial]`. */
export interface Splitter {
  /** Spatial shape of the images. */
  getInputShape(images: HostArray): readonly number[];
  /** Spatial shape that the patches cover. */
  getPaddedShape(images: HostArray): readonly number[];
  /** The patches. */
  split(images: HostArray): Iterable<SplitPatch>;
}

/** The grid of `SlidingWindowSplitter`; one number stands for all spatial axes. */
export interface SlidingWindowSplitterOptions {
  /** In voxels; 0 takes the whole axis. */
  readonly patchSize: number | readonly number[];
  /** What neighbors share: voxels if whole numbers, else a share of the patch below 1. Default 0. */
  readonly overlap?: number | readonly number[];
  /** Where the grid starts, in voxels; negative, down to −patchSize, only with padding. Default 0. */
  readonly offset?: number | readonly number[];
  /** Whether a patch `[N, C, …patchSize]` is wanted, by it and its `location` in voxels; default all are. */
  readonly filterFn?: (patch: HostArray, location: readonly number[]) => boolean;
  /** How images are extended, so that patches cover them; null: not at all, and what no whole patch covers is left out. Default "constant". */
  readonly padMode?: keyof typeof torchEdges | null;
  /** Value of "constant". Default 0. */
  readonly padValue?: number;
}

interface Grid {
  readonly patchSize: readonly number[];
  readonly overlap: readonly number[];
  readonly offset: readonly number[];
  /** Voxels added before and after. */
  readonly pad: readonly (readonly [number, number])[];
}

const each = (name: string, value: number | readonly number[], axes: number): readonly number[] => {
  const list = typeof value === "number" ? new Array<number>(axes).fill(value) : value;
  if (list.length === axes) return list;
  throw new ConfigError(
    `SlidingWindowSplitter: ${name} [${list.join(", ")}] has ${list.length} entries; expected ${axes}, one per spatial axis, or one number`,
  );
};

/** Patches of a regular grid, the last axis fastest, padded at the end (and with a negative offset at the start) until they cover the images (MONAI `SlidingWindowSplitter`). */
export class SlidingWindowSplitter implements Splitter {
  private readonly options: Required<SlidingWindowSplitterOptions>;

  /** @throws ConfigError for options out of range */
  constructor(options: SlidingWindowSplitterOptions) {
    const op = "SlidingWindowSplitter";
    expectOptions(op, options, "patchSize:spread! overlap:spread offset:spread filterFn:function padMode:text? padValue:number");
    const { overlap = 0, offset = 0, filterFn = () => true, padMode = "constant", padValue = 0 } = options;
    this.options = { patchSize: options.patchSize, overlap, offset, filterFn, padMode, padValue };
    if (padMode !== null) expectWord(op, "padMode", padMode, torchEdges);
    const [sizes, overlaps, offsets] = [[options.patchSize].flat(), [overlap].flat(), [offset].flat()];
    if (!sizes.every((n) => Number.isInteger(n) && n >= 0))
      throw new ConfigError(`${op}: patchSize must be integers of 0 (whole axis) or more, got [${sizes.join(", ")}]`);
    const shares = overlaps.some((o) => !Number.isInteger(o));
    if (!overlaps.every((o) => o >= 0 && (!shares || o < 1)))
      throw new ConfigError(
        `${op}: overlap must be voxels from 0 up, or shares of the patch from 0 to below 1, got [${overlaps.join(", ")}]`,
      );
    if (!offsets.every(Number.isInteger)) throw new ConfigError(`${op}: offset must be integers, got [${offsets.join(", ")}]`);
    if (padMode === null && offsets.some((o) => o < 0))
      throw new ConfigError(`${op}: a negative offset needs padding, and padMode is null; set it`);
  }

  getInputShape(images: HostArray): readonly number[] {
    expectArguments("SlidingWindowSplitter", "array", { images });
    if (images.shape.length < 3)
      throw new ShapeError(`SlidingWindowSplitter: images are [${images.shape.join(", ")}]; expected [N, C, …spatial]`);
    return images.shape.slice(2);
  }

  /** @throws as `split` */
  getPaddedShape(images: HostArray): readonly number[] {
    const shape = this.getInputShape(images);
    const { pad } = this.grid(shape);
    return shape.map((n, a) => n + pad[a][0] + pad[a][1]);
  }

  /** @throws ShapeError for images that are not `[N, C, …spatial]`; ConfigError for an overlap of the whole patch and an offset out of the images */
  *split(images: HostArray): Generator<SplitPatch> {
    const { padMode, padValue, filterFn } = this.options;
    const shape = this.getInputShape(images);
    const { patchSize, overlap, offset, pad } = this.grid(shape);
    const [n, c] = images.shape;
    const planes = { data: images.data, shape: [n * c, ...shape] };
    const { data, shape: padded } =
      padMode === null || pad.every(([b, e]) => b + e === 0)
        ? planes
        : padAxes("SlidingWindowSplitter", planes, pad, { mode: padMode, value: padValue });
    const size = padded.slice(1);
    const strides = stridesOf(padded);
    const startPos = offset.map((o, a) => o + pad[a][0]);
    for (const at of iterPatchPosition(size, patchSize, { startPos, overlap })) {
      // A patch larger than the padded image is cut to it.
      const extent = at.map((start, a) => Math.min(patchSize[a] || size[a], size[a] - start));
      const start = at.reduce((sum, s, a) => sum + s * strides[a + 1], 0);
      const patch = { data: copyView(data, [n * c, ...extent], strides, start).data, shape: [n, c, ...extent] };
      const location = at.map((s, a) => s - pad[a][0]);
      if (filterFn(patch, location)) yield { patch, location };
    }
  }

  private grid(shape: readonly number[]): Grid {
    const op = "SlidingWindowSplitter";
    const patchSize = each("patchSize", this.options.patchSize, shape.length);
    const overlap = each("overlap", this.options.overlap, shape.length).map((o, a) => (patchSize[a] === 0 ? 0 : o));
    const offset = each("offset", this.options.offset, shape.length);
    const shares = overlap.some((o) => !Number.isInteger(o));
    const pad = shape.map((n, a): readonly [number, number] => {
      const [size, start] = [patchSize[a], offset[a]];
      if (start < -size || start >= n)
        throw new ConfigError(`${op}: offset of axis ${a} is ${start}; expected ${-size} to ${n - 1} for ${n} voxels`);
      const step = roundHalfEven(shares ? size - size * overlap[a] : size - overlap[a]);
      if (size > 0 && step < 1)
        throw new ConfigError(`${op}: patches of ${size} overlap by all they have (${overlap[a]}); overlap must be less`);
      if (this.options.padMode === null) return [0, 0];
      const beyond = size === 0 ? 0 : (start - n + size) % step;
      return [Math.max(0, -start), beyond < 0 ? beyond + step : beyond];
    });
    return { patchSize, overlap, offset, pad };
  }
}
