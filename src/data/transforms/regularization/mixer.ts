/** @file Regularization of batches: `MixUp`, `CutMix` and `CutOut`, which mix each sample with another one of its batch, or cut a box out of it. */
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { expectIntegers } from "../../../host/integers.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../../host/array.ts";
import { className } from "../../../host/class_name.ts";
import { required } from "../../../host/defaults.ts";
import { drawBeta } from "../../../host/random/beta.ts";
import { intoType } from "../intensity/arithmetic.ts";
import { allOptions } from "../options.ts";
import { RandomTransform } from "../transform.ts";

/** Options of `MixUp`, `CutMix` and `CutOut`. */
export interface MixerOptions {
  /** Samples per batch; batches of another size are refused. */
  readonly batchSize: number;
  /** Weights are drawn from Beta(alpha, alpha); above 0. Default 1: evenly. */
  readonly alpha?: number;
}

/** Base of `MixUp`, `CutMix` and `CutOut`: what they draw. */
export abstract class Mixer extends RandomTransform {
  /** The share of itself that each sample keeps, `[batchSize]`, as last drawn: from 0 to 1. */
  weights: Float32Array = new Float32Array(0);
  /** The sample that each is mixed with. */
  permutation: readonly number[] = [];
  private readonly options: Required<MixerOptions>;

  constructor(options: MixerOptions) {
    super();
    const op = this.constructor.name;
    this.options = allOptions(op, options, "batchSize:number alpha:number", { batchSize: required, alpha: 1 });
    const { batchSize, alpha } = this.options;
    expectIntegers(op, { batchSize }, 1);
    if (!(alpha > 0 && alpha < Infinity)) throw new ConfigError(`${op}: alpha must be above 0, got ${alpha}`);
  }

  randomize(x: HostArray): void {
    this.expectBatch(x.shape);
    const { batchSize, alpha } = this.options;
    // MONAI decides whether to act, which it always does.
    this.random.rand();
    this.weights = Float32Array.from(drawBeta(this.random, alpha, alpha, batchSize));
    this.permutation = this.random.permutation(batchSize);
  }

  /** What was drawn fits `x`, a batch `[batchSize, C, …spatial]`. @throws ConfigError before something was drawn, ShapeError for another batch */
  protected expectFitting(x: HostArray): void {
    if (this.weights.length === 0)
      throw new ConfigError(`${this.constructor.name}: nothing was drawn; call randomize(batch) first`);
    this.expectBatch(x.shape);
  }

  private expectBatch(shape: readonly number[]): void {
    const { batchSize } = this.options;
    if (shape.length < 3 || shape[0] !== batchSize)
      throw new ShapeError(
        `${this.constructor.name}: expected a batch [${batchSize}, C, …spatial], got shape [${shape.join(", ")}]; set batchSize, and drop a last batch of fewer samples`,
      );
  }
}

/**
 * w · x + (1 − w) · another sample of the batch, w from Beta(alpha, alpha). After Zhang et al., mixup (2018). MONAI's `MixUp`. For a training loop
 * `onKeys(["image", "label"], new MixUp({ batchSize }))` mixes images and one-hot labels of a batch alike; class numbers cannot be mixed, and labels that are
 * named as such are refused. From `setRandomState(new RandomState([seed, epoch, step]))` on, a step draws the same whenever it is made. Float64 stays, all else is computed in float32; integers
 * are cut towards zero.
 *
 * Shapes: a batch `[N, C, …]` of two or three spatial axes → the same.
 * Geometry: dropped.
 * Draws: `rand()`, N numbers of the Beta distribution from `rand()`, or beyond an alpha of 1 from normals too, `permutation(N)`.
 * @throws ConfigError for options out of range and labels of class numbers, ShapeError for another batch size or other axes
 */
export class MixUp extends Mixer {
  applyDrawn(x: HostArray): HostArray {
    this.expectFitting(x);
    if (x.shape.length > 5 || x.shape.length < 4)
      throw new ShapeError(`MixUp: expected two or three axes behind batch and channels, got shape [${x.shape.join(", ")}]`);
    const double = className(x.data) === "Float64Array";
    const out = new (double ? Float64Array : Float32Array)(x.data.length);
    const size = sizeOf(x.shape.slice(1));
    const round = double ? (v: number): number => v : Math.fround;
    for (const [n, w] of this.weights.entries()) {
      const [at, from, rest] = [n * size, this.permutation[n] * size, Math.fround(1 - w)];
      for (let i = 0; i < size; i++) out[at + i] = round(w * x.data[at + i]) + round(rest * x.data[from + i]);
    }
    return { data: intoType(out, x.data), shape: [...x.shape] };
  }

  override applyDrawnToLabel(): HostArray {
    throw new ConfigError(
      "MixUp: mixed class numbers are other classes; give labels as one-hot floats (AsDiscrete({ toOnehot })) and leave them out of labels",
    );
  }
}

/** Base of those that need a box: it begins at one drawn voxel in all samples, and has √(1 − w) of the length of each axis, up to the border. */
export abstract class BoxMixer extends Mixer {
  /** First voxel of the boxes on each spatial axis, as last drawn. */
  coords: readonly number[] = [];
  private space: readonly number[] = [];

  override randomize(x: HostArray): void {
    super.randomize(x);
    this.space = x.shape.slice(2);
    this.coords = this.space.map((n) => this.random.randint(0, n, 1)[0]);
  }

  /** Changes a copy of a batch `x`, `[N, C, …]`: within the box of each sample to `value` of an offset in the sample and of the sample's number. */
  protected withBoxes(x: HostArray, value: (sample: number, at: number) => number): HostArray {
    this.expectFitting(x);
    const { coords, space } = this;
    const [, channels, ...size] = x.shape;
    if (String(size) !== String(space))
      throw new ShapeError(
        `${this.constructor.name}: drawn for spatial shape [${space.join(", ")}], applied to shape [${x.shape.join(", ")}]; give arrays of another shape their own transform`,
      );
    const data: TypedArray = x.data.slice();
    const voxels = sizeOf(size);
    for (const [n, w] of this.weights.entries()) {
      const side = Math.sqrt(Math.fround(1 - w));
      // The end is a float32 in MONAI, which decides the last voxel where it is nearly whole.
      const ends = size.map((d, a) => Math.min(d, Math.ceil(Math.fround(coords[a] + Math.fround(d * side)))));
      for (let c = 0; c < channels; c++)
        inBox(size, coords, ends, (at) => (data[(n * channels + c) * voxels + at] = value(n, c * voxels + at)));
    }
    return { data, shape: [...x.shape] };
  }
}

/** Calls for each voxel of a box. */
function inBox(size: readonly number[], from: readonly number[], to: readonly number[], visit: (at: number) => void): void {
  const walk = (axis: number, offset: number): void => {
    for (let i = from[axis]; i < to[axis]; i++) {
      const at = offset * size[axis] + i;
      if (axis === size.length - 1) visit(at);
      else walk(axis + 1, at);
    }
  };
  walk(0, 0);
}

/**
 * Within a box, the same for all channels, another sample of the batch takes the place of each. Its size is drawn per sample, where it begins per batch. After
 * Yun et al., CutMix (2019). MONAI's `CutMix`, with labels: `onKeys(["image", "label"], new CutMix({ batchSize }))` cuts images and label maps (or one-hot
 * labels) of a batch alike. Seeds as with `MixUp`. The element type stays; what is not finite is moved like anything else.
 *
 * Shapes: a batch `[N, C, …]` → the same.
 * Geometry: dropped.
 * Draws: `rand()`, N numbers of the Beta distribution from `rand()`, or beyond an alpha of 1 from normals too, `permutation(N)`, per axis `randint(0, size, 1)`.
 * @throws ConfigError for options out of range, ShapeError for another batch size or another spatial shape than was drawn for
 */
export class CutMix extends BoxMixer {
  applyDrawn(x: HostArray): HostArray {
    const size = sizeOf(x.shape.slice(1));
    return this.withBoxes(x, (n, at) => x.data[this.permutation[n] * size + at]);
  }
}

/**
 * A box of zeros in each sample of the batch, the same for all channels. Its size is drawn per sample, where it begins per batch. After DeVries and Taylor,
 * Cutout (2017). MONAI's `CutOut`. Seeds as with `MixUp`. The element type stays.
 *
 * Shapes: a batch `[N, C, …]` → the same.
 * Geometry: dropped.
 * Draws: as `CutMix`: `rand()`, Beta of `rand()`, `permutation(N)`, `randint(0, size, 1)`.
 * @throws as `CutMix`
 */
export class CutOut extends BoxMixer {
  applyDrawn(x: HostArray): HostArray {
    return this.withBoxes(x, () => 0);
  }
}
