/** @file An image cut into patches on a grid: `GridSplit`, `GridPatch`, `RandGridPatch`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { emptyLike, spatialShape } from "../../../host/strided.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { crop, cropWindow } from "../crop/crop.ts";
import { movedWindow } from "../moved.ts";
import { perAxis, checkedOptions } from "../options.ts";
import { checkFill, padAxes, padValueNames, type PadFill } from "../pad/pad_axes.ts";
import { expectSameSpace } from "../drawn_for.ts";
import { type ItemWide, RandomTransform, type Transform } from "../transform.ts";

/**
 * Cuts into `grid` (default 2 × 2) patches of the same size, by default as large as fits, row by row; patches overlap where `size` is larger. A
 * multi-sample transform. MONAI's `GridSplit`.
 *
 * Shapes: `[C, h, w]` → grid × `[C, …size]`; axes behind those of the grid stay whole.
 * Geometry: kept.
 * @throws ShapeError for patches larger than the image, ConfigError for unknown options
 */
export class GridSplit implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "grid:numbers size:sizes";
  private readonly cells: readonly number[];
  private readonly size: number | readonly number[] | null;

  constructor(options: { readonly grid?: readonly number[]; readonly size?: number | readonly number[] | null } = {}) {
    const { grid = [2, 2], size = null } = checkedOptions("GridSplit", options, GridSplit.options);
    if (!grid.every((g) => Number.isInteger(g) && g > 0))
      throw new ConfigError(`GridSplit: grid must be integers above 0, got [${grid.join(", ")}]`);
    this.cells = grid;
    this.size = size;
  }

  apply(x: HostArray): HostArray[] {
    const image = spatialShape("GridSplit", x);
    const { cells } = this;
    const size =
      this.size === null ? cells.map((g, i) => Math.floor(image[i] / g)) : perAxis("GridSplit", "size", this.size, cells.length);
    if (size.some((s, i) => s > image[i]))
      throw new ShapeError(`GridSplit: patches of [${size.join(", ")}] are larger than the image [${image.join(", ")}]`);
    const step = cells.map((g, i) => (g > 1 ? Math.floor((image[i] - size[i]) / (g - 1)) : image[i]));
    return Array.from({ length: sizeOf(cells) }, (_, n) =>
      crop(
        "GridSplit",
        x,
        placeOf(n, cells).map((p, i) => [p * step[i], p * step[i] + size[i]]),
      ),
    );
  }
}

/** The n-th place of a grid, the last axis fastest. */
function placeOf(n: number, cells: readonly number[]): number[] {
  const place = new Array<number>(cells.length);
  for (let a = cells.length - 1, rest = n; a >= 0; a--) {
    place[a] = rest % cells[a];
    rest = Math.floor(rest / cells[a]);
  }
  return place;
}

/** Options of `GridPatch`. */
export interface GridPatchOptions extends Omit<PadFill, "mode"> {
  /** Size per axis; 0 is the image's. */
  readonly patchSize: readonly number[];
  /** First voxel of the first patch. Default 0. */
  readonly offset?: readonly number[] | null;
  /** At most as many; without `threshold` filled up with constant patches. */
  readonly numPatches?: number | null;
  /** Share of a patch that the next one repeats. Default 0. */
  readonly overlap?: number | readonly number[];
  /** Patches with the least or largest sum first; for `RandGridPatch` also "random". Default in the order of the grid. */
  readonly sortFn?: "min" | "max" | "random" | null;
  /** Keep patches whose sum is below it. */
  readonly threshold?: number | null;
  /** Pad, so that patches may begin or end outside; default none: partial patches are left out. */
  readonly padMode?: PadFill["mode"] | null;
}

const patchNames = `patchSize:list! numPatches:number overlap:sizes sortFn:text threshold:voxel padMode:text ${padValueNames}`;

/**
 * Cuts into patches on a grid, the last axis fastest, sorted and filtered by their sums. A multi-sample transform. MONAI's `GridPatch`.
 *
 * Shapes: `[C, …]` → n × `[C, …patchSize]`.
 * Geometry: kept.
 * @throws ConfigError for unknown options, sortings and padding modes, ShapeError for patches larger than the image
 */
export class GridPatch implements Transform, ItemWide {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `offset:numbers ${patchNames}`;
  private readonly options: GridPatchOptions;

  constructor(options: GridPatchOptions) {
    checkedOptions("GridPatch", options, GridPatch.options);
    checkPatches("GridPatch", options, ["min", "max"]);
    this.options = options;
  }

  apply(x: HostArray): HostArray[] {
    expectArguments("GridPatch", "array", { x });
    const patches = this.patches(x);
    return filled(patches, chosenOf(patches, this.options), this.options);
  }

  /** The transform that takes the patches which it chooses of `source`, so that those of all arrays of an item lie at the same places. */
  forItem(source: HostArray): Transform {
    const chosen = chosenOf(this.patches(source), this.options);
    return {
      apply: (x) => {
        expectSameSpace("GridPatch", x, source.shape.slice(1));
        return filled(this.patches(x), chosen, this.options);
      },
    };
  }

  private patches(x: HostArray): HostArray[] {
    return gridPatches("GridPatch", x, this.options, this.options.offset ?? []);
  }
}

function checkPatches(op: string, { sortFn, padMode }: GridPatchOptions, known: readonly string[]): void {
  if (sortFn !== undefined && sortFn !== null && !known.includes(sortFn.toLowerCase()))
    throw new ConfigError(`${op}: sortFn must be one of ${known.join(", ")} or null, got "${sortFn}"`);
  if (padMode) checkFill(op, { mode: padMode });
}

/** All patches of the grid. */
function gridPatches(op: string, x: HostArray, options: GridPatchOptions, offset: readonly number[]): HostArray[] {
  const { patchSize, overlap = 0, threshold: _t, padMode, numPatches: _n, sortFn: _s, offset: _o, ...fill } = options;
  const image = spatialShape(op, x);
  const size = image.map((s, i) => Math.min(patchSize[i] || s, s));
  const share = perAxis(op, "overlap", overlap, image.length);
  const border = image.map((_, i) => (padMode && patchSize[i] ? size[i] : 0));
  const source = padMode
    ? padAxes(
        op,
        { data: x.data, shape: x.shape },
        border.map((b) => [b, b] as const),
        { ...fill, mode: padMode },
      )
    : x;
  const starts = image.map((s, i) => {
    const step = patchSize[i] ? roundHalfEven(size[i] * (1 - share[i])) : size[i];
    if (!(step > 0)) throw new ConfigError(`${op}: overlap must be below 1, got ${share[i]}`);
    const end = padMode ? s + border[i] : s - size[i] + 1;
    const first = (offset[i] ?? 0) + border[i];
    return Array.from({ length: Math.max(0, Math.ceil((end - first) / step)) }, (_, k) => first + k * step);
  });
  const counts = starts.map((s) => s.length);
  return Array.from({ length: sizeOf(counts) }, (_, n) => {
    const from = placeOf(n, counts).map((p, i) => starts[i][p]);
    const { out } = cropWindow(
      op,
      source,
      from.map((f, i) => [f, f + size[i]] as const),
    );
    return movedWindow(
      op,
      x,
      out,
      from.map((f, i) => f - border[i]),
    );
  });
}

function sum({ data }: HostArray): number {
  let total = 0;
  for (let i = 0; i < data.length; i++) total += data[i];
  return total;
}

/** Which patches are kept, in which order: those with sums below the threshold, the first `numPatches` by `order` or their sums. */
function chosenOf(
  patches: readonly HostArray[],
  { threshold, numPatches, sortFn }: GridPatchOptions,
  order?: (count: number) => number[],
): number[] {
  const sums = sortFn || typeof threshold === "number" ? patches.map(sum) : [];
  const kept = patches.flatMap((_, i) => (typeof threshold !== "number" || sums[i] < threshold ? [i] : []));
  if (!numPatches) return kept;
  if (order)
    return order(kept.length)
      .slice(0, numPatches)
      .map((k) => kept[k]);
  const sign = !sortFn ? 0 : sortFn.toLowerCase() === "max" ? -1 : 1;
  return kept.sort((a, b) => sign * (sums[a] - sums[b]) || a - b).slice(0, numPatches);
}

/** The chosen patches, without a threshold filled up to `numPatches` with constant ones. */
function filled(patches: readonly HostArray[], chosen: readonly number[], options: GridPatchOptions): HostArray[] {
  const { numPatches, threshold, constantValues } = options;
  const out = chosen.map((i) => patches[i]);
  const [like] = patches;
  if (!numPatches || (threshold !== null && threshold !== undefined) || !like) return out;
  while (out.length < numPatches) {
    const data = emptyLike(like.data, like.data.length);
    if (typeof constantValues === "number") data.fill(constantValues);
    out.push({ data, shape: like.shape });
  }
  return out;
}

/** Options of `RandGridPatch`. */
export interface RandGridPatchOptions extends Omit<GridPatchOptions, "offset"> {
  /** Least first voxel. Default 0. */
  readonly minOffset?: number | readonly number[] | null;
  /** Largest first voxel. Default the rest of image size by patch size. */
  readonly maxOffset?: number | readonly number[] | null;
}

/**
 * Cuts into patches on a grid that begins at a random voxel. A multi-sample transform. MONAI's `RandGridPatch`.
 *
 * Shapes: `[C, …]` → n × `[C, …patchSize]`.
 * Geometry: kept.
 * Draws: `randint(minOffset, maxOffset + 1)` per axis.
 * With sortFn "random" also a permutation of the patches, drawn where the transform is applied.
 * @throws ConfigError for unknown options, sortings and padding modes, ShapeError for patches larger than the image
 */
export class RandGridPatch extends RandomTransform<HostArray[]> {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `minOffset:sizes maxOffset:sizes ${patchNames}`;
  private readonly options: RandGridPatchOptions;
  private offset: number[] = [];
  private space: readonly number[] = [];
  /** What is taken of the first array of a draw, and so of all: image and label stay together. */
  private chosen: number[] | undefined;

  constructor(options: RandGridPatchOptions) {
    super();
    checkedOptions("RandGridPatch", options, RandGridPatch.options);
    checkPatches("RandGridPatch", options, ["min", "max", "random"]);
    this.options = options;
  }

  randomize(x: HostArray): void {
    const { patchSize, minOffset, maxOffset } = this.options;
    const dims = patchSize.length;
    const low = perAxis("RandGridPatch", "minOffset", minOffset ?? 0, dims);
    const high =
      maxOffset === null || maxOffset === undefined
        ? patchSize.map((p, i) => (p > 0 ? x.shape[i + 1] % p : 0))
        : perAxis("RandGridPatch", "maxOffset", maxOffset, dims);
    this.offset = low.map((from, i) => this.random.randint(from, high[i] + 1));
    this.chosen = undefined;
    this.space = x.shape.slice(1);
  }

  applyDrawn(x: HostArray): HostArray[] {
    expectSameSpace("RandGridPatch", x, this.space);
    const patches = gridPatches("RandGridPatch", x, this.options, this.offset);
    const random = this.options.sortFn?.toLowerCase() === "random";
    this.chosen ??= chosenOf(patches, this.options, random ? (count) => this.random.permutation(count) : undefined);
    return filled(patches, this.chosen, this.options);
  }
}
