/**
 * @file What augmentation on the device is told: a few numbers per sample, drawn here and applied by `augmentBatch` (voxgrad/seg) inside the captured
 * step. Kinds, probabilities and ranges are by default those of nnU-Net (Isensee et al. 2021).
 */

import { expectFields, expectArguments } from "../../../host/kinds.ts";
import { expectOptions } from "../../../host/options.ts";
import type { HostArray } from "../../../host/array.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { Drawing, type Item, type Transform } from "../transform.ts";

/** A kind of change: how often, and from which range its strength is drawn. */
export interface Chance {
  /** Probability, 0 to 1. */
  readonly prob: number;
  /** The strength is uniform from low to high; factors and exponents below and above 1 are equally likely, where the range has both. */
  readonly range: readonly [low: number, high: number];
}

/** Options of `DrawAugmentation`. */
export interface AugmentationOptions {
  /** Spatial size of what the network sees; samples may be larger, so that rotations find something at their corners. */
  readonly size: readonly number[];
  /** Angles about each axis in radians (one angle for images). Default .2 of ±30°, for images of ±180°. */
  readonly rotation?: Chance;
  /** Zoom of all axes together: above 1 things look larger. How much is seen (1 / zoom) is uniform. Default .2 of 1 / 1.4 … 1 / .7. */
  readonly scale?: Chance;
  /** An axis of volumes that is neither turned nor scaled, only mirrored: slices stay slices. Angles are then about it alone. Default none. */
  readonly stillAxis?: number;
  /** Axes that are mirrored with probability ½ each. Default all. */
  readonly mirrorAxes?: readonly number[];
  /** Displacement of control points in voxels, `range` its standard deviation, and control points per axis. Default none. `knots` of these per axis. */
  readonly elastic?: Chance & { readonly knots: number };
  /** Standard deviation of normal noise, which nnU-Net calls its variance. Default .1 of 0 … .1. */
  readonly noise?: Chance;
  /** Sigma in voxels, of each axis its own; each channel with probability ½. Default .2 of .5 … 1. */
  readonly blur?: Chance;
  /** Factor, of each channel its own. Default .15 of .75 … 1.25. */
  readonly brightness?: Chance;
  /** Factor about the mean, within the range there is, of each channel its own. Default .15 of .75 … 1.25. */
  readonly contrast?: Chance;
  /** Share of the positions per axis that are kept; each channel with probability ½. Default .25 of .5 … 1. */
  readonly lowResolution?: Chance;
  /** Exponent on the range of values, of each channel its own. Default .3 of .7 … 1.5. */
  readonly gamma?: Chance;
  /** The same on the negative image; where both are drawn the negative is taken. Default .1 of .7 … 1.5. */
  readonly gammaInverted?: Chance;
}

const degrees = Math.PI / 180;

type AllOptions = Required<Omit<AugmentationOptions, "stillAxis">> & Pick<AugmentationOptions, "stillAxis">;

const standards = (axes: number): Omit<AllOptions, "size" | "stillAxis"> => ({
  rotation: { prob: 0.2, range: axes === 2 ? [-180 * degrees, 180 * degrees] : [-30 * degrees, 30 * degrees] },
  scale: { prob: 0.2, range: [1 / 1.4, 1 / 0.7] },
  mirrorAxes: Array.from({ length: axes }, (_, axis) => axis),
  elastic: { prob: 0, range: [0, 0], knots: 4 },
  noise: { prob: 0.1, range: [0, 0.1] },
  blur: { prob: 0.2, range: [0.5, 1] },
  brightness: { prob: 0.15, range: [0.75, 1.25] },
  contrast: { prob: 0.15, range: [0.75, 1.25] },
  lowResolution: { prob: 0.25, range: [0.5, 1] },
  gamma: { prob: 0.3, range: [0.7, 1.5] },
  gammaInverted: { prob: 0.1, range: [0.7, 1.5] },
});

/** Keys that `DrawAugmentation` adds to an item. */
export const augmentationKeys = ["augmentMatrix", "augmentDisplacement", "augmentNumbers", "augmentSigmas", "augmentZooms"];

/**
 * Adds to an item what `augmentBatch` does with it: `augmentMatrix` `[axes, axes + 1]`, `augmentNumbers` `[C, 7]`, `augmentSigmas` `[C, axes]`,
 * `augmentZooms` `[C]`, and `augmentDisplacement` `[axes, knots…]` where `elastic` may act.
 *
 * Shapes: an item with `image` `[C, …]` → the same item and the keys above.
 * Geometry: kept; nothing has moved yet.
 * Draws: for each kind `rand()` against its probability, then its strengths, whether it acts or not, so that one kind's chance does not move the draws of
 * the others.
 * @throws ConfigError for probabilities outside 0 … 1 and ranges that are none
 */
export class DrawAugmentation extends Drawing implements Transform<Item> {
  private readonly options: AllOptions;

  constructor(options: AugmentationOptions) {
    super();
    expectOptions(
      "DrawAugmentation",
      options,
      "size:numbers! mirrorAxes:numbers stillAxis blur scale elastic lowResolution gamma noise rotation brightness contrast gammaInverted",
    );
    const all = { ...standards(options.size.length), ...options };
    const { size: _size, mirrorAxes, stillAxis, ...chances } = all;
    if (mirrorAxes.some((a) => !Number.isInteger(a) || a < 0 || a >= options.size.length))
      throw new ConfigError(`DrawAugmentation: mirrorAxes [${mirrorAxes}] must be spatial axes 0 … ${options.size.length - 1}`);
    if (stillAxis !== undefined && !(options.size.length === 3 && [0, 1, 2].includes(stillAxis)))
      throw new ConfigError(`DrawAugmentation: stillAxis must be an axis 0 … 2 of volumes, got ${stillAxis}`);
    expectArguments("DrawAugmentation", "object", chances);
    for (const [name, { prob, range }] of Object.entries(chances)) {
      if (!(prob >= 0 && prob <= 1)) throw new ConfigError(`DrawAugmentation: prob of ${name} must be from 0 to 1, got ${prob}`);
      if (!(range.length === 2 && range[0] <= range[1] && range.every(Number.isFinite)))
        throw new ConfigError(`DrawAugmentation: range of ${name} must be [low, high], got [${range}]`);
    }
    this.options = all;
  }

  apply(item: Item): Item {
    expectArguments("DrawAugmentation", "object", { item });
    const image = item.image as HostArray | undefined;
    const { size, elastic } = this.options;
    if (image?.shape?.length !== size.length + 1)
      throw new ShapeError(`DrawAugmentation: the image is [${image?.shape}]; expected [C, …] with ${size.length} spatial axes`);
    expectArguments("DrawAugmentation", "array", { "item.image": image });
    const [channels, ...from] = image.shape;
    const augmentMatrix = this.matrix(from);
    const displacement = this.displacement();
    return {
      ...item,
      augmentMatrix,
      ...(elastic.prob > 0 && { augmentDisplacement: displacement }),
      ...this.intensities(channels),
    };
  }

  /** A strength, or `neutral` where the kind does not act. */
  private draw({ prob, range }: Chance, neutral: number): number {
    const acts = this.random.rand() < prob;
    const value = this.random.uniform(...range);
    return acts ? value : neutral;
  }

  private matrix(from: readonly number[]): HostArray<Float32Array> {
    const { rotation, scale, mirrorAxes, size, stillAxis } = this.options;
    const turns = this.random.rand() < rotation.prob;
    const angles = Array.from({ length: size.length === 3 ? 3 : size.length === 2 ? 1 : 0 }, (_, axis) => {
      const angle = this.random.uniform(...rotation.range);
      return turns && (stillAxis ?? axis) === axis ? angle : 0;
    });
    // How much is seen is uniform.
    const zoom = 1 / this.draw({ prob: scale.prob, range: [1 / scale.range[1], 1 / scale.range[0]] }, 1);
    const mirrored = mirrorAxes.filter(() => this.random.rand() < 0.5);
    return augmentationMatrix({ from, size, angles, zoom: size.map((_, axis) => (axis === stillAxis ? 1 : zoom)), mirrored });
  }

  /** A factor for each channel, below 1 as often as above; undefined where the kind does not act. */
  private factors({ prob, range: [low, high] }: Chance, channels: number): readonly number[] | undefined {
    const acts = this.random.rand() < prob;
    const drawn = Array.from({ length: channels }, () => {
      const below = this.random.rand() < 0.5;
      const both = low < 1 && high > 1;
      return this.random.uniform(both && !below ? 1 : low, both && below ? 1 : high);
    });
    return acts ? drawn : undefined;
  }

  private displacement(): HostArray<Float32Array> {
    const { elastic, size } = this.options;
    const sd = this.draw(elastic, 0);
    const shape = [size.length, ...size.map(() => elastic.knots)];
    const count = elastic.prob > 0 ? shape.reduce((a, b) => a * b, 1) : 0;
    return { data: Float32Array.from({ length: count }, () => sd * this.random.normal(0, 1)), shape };
  }

  private intensities(channels: number): Record<string, HostArray<Float32Array>> {
    const o = this.options;
    const each = (chance: Chance, neutral: number, count = 1) => {
      const acts = this.random.rand() < chance.prob;
      const all = Array.from({ length: channels }, () => {
        const here = this.random.rand() < 0.5;
        return Array.from({ length: count }, () => {
          const value = this.random.uniform(...chance.range);
          return acts && here ? value : neutral;
        });
      });
      return Float32Array.from(all.flat());
    };
    const axes = o.size.length;
    const noise = this.draw(o.noise, 0);
    const augmentSigmas = { data: each(o.blur, 0, axes), shape: [channels, axes] };
    const brightness = this.factors(o.brightness, channels);
    const contrast = this.factors(o.contrast, channels);
    const augmentZooms = { data: each(o.lowResolution, 1), shape: [channels] };
    const negative = this.factors(o.gammaInverted, channels);
    const positive = this.factors(o.gamma, channels);
    const gamma = negative ?? positive;
    const seed = this.random.randint(2 ** 24);
    // prettier-ignore
    const rows = Array.from({ length: channels }, (_, c) =>
      [brightness?.[c] ?? 1, 0, contrast?.[c] ?? 1, gamma?.[c] ?? 1, negative ? 1 : 0, noise, seed]);
    const augmentNumbers = { data: Float32Array.from(rows.flat()), shape: [channels, 7] };
    return { augmentNumbers, augmentSigmas, augmentZooms };
  }
}

/** How a sample is turned, enlarged and mirrored about its center. */
export interface AugmentationGeometry {
  /** Spatial size of the sample, and of what is cut from its middle. */
  readonly from: readonly number[];
  /** Spatial size of the result. */
  readonly size: readonly number[];
  /** Radians about each axis of a volume, or one for an image; later ones are applied to the result first. */
  readonly angles: readonly number[];
  /** Of each axis, or of all. */
  readonly zoom: number | readonly number[];
  /** Spatial axes that are mirrored. */
  readonly mirrored: readonly number[];
}

/**
 * `[axes, axes + 1]`: position in the result → position in the sample, in voxels. An axis that is neither turned nor scaled is cut at whole voxels, where its
 * middle would lie between two: images would be blurred, and labels rounded to one of two equally near neighbors.
 */
export function augmentationMatrix(geometry: AugmentationGeometry): HostArray<Float32Array> {
  expectFields("augmentationMatrix", "geometry", geometry, {
    from: "numbers",
    size: "numbers",
    angles: "numbers",
    zoom: "spread",
    mirrored: "list",
  });
  const { from, size, angles, zoom, mirrored } = geometry;
  const axes = size.length;
  let m: number[][] = size.map((_, i) => size.map((_size, j) => (i === j ? 1 : 0)));
  for (const [k, angle] of angles.entries()) {
    const [a, b] = axes === 3 ? [0, 1, 2].filter((axis) => axis !== k) : [0, 1];
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    m = m.map((row) => row.map((v, j) => (j === a ? row[a] * cos + row[b] * sin : j === b ? row[b] * cos - row[a] * sin : v)));
  }
  const data = new Float32Array(axes * (axes + 1));
  for (let i = 0; i < axes; i++) {
    const row = size.map((_, j) => (m[i][j] / (typeof zoom === "number" ? zoom : zoom[j])) * (mirrored.includes(j) ? -1 : 1));
    const still = row.every((v, j) => Math.abs(v) === (i === j ? 1 : 0));
    const middle = still ? Math.floor(from[i] / 2) - Math.floor(size[i] / 2) + (size[i] - 1) / 2 : (from[i] - 1) / 2;
    const offset = row.reduce((sum, v, j) => sum - (v * (size[j] - 1)) / 2, middle);
    data.set([...row, offset], i * (axes + 1));
  }
  return { data, shape: [axes, axes + 1] };
}
