/** @file Training slices of a view: those that show something, in a new order for each volume and epoch, with the weights of their pixels. */

import type { Dataset } from "../../../data/datasets/dataset.ts";
import { medianFrequencyWeights, sliceWeights } from "../../../data/label_weights.ts";
import { labeledSlices, takeSlices, thinnedSlices } from "../../../data/quicknat_slices.ts";
import { type Item, ResizeWithPadOrCrop } from "../../../data/transforms/index.ts";
import type { HostArray } from "../../../host/array.ts";
import { DataError } from "../../../host/errors.ts";
import type { RandomSource } from "../../../host/random/numpy.ts";
import { stridesOf } from "../../../host/shape.ts";
import { copyView } from "../../../host/strided.ts";
import type { PreparedCase } from "../recipe.ts";
import type { QuickNatRecipeOptions } from "./options.ts";

/** What of a volume is trained on in a view. */
interface Chosen {
  readonly slices: readonly number[];
  /** Of each class; absent where all voxels weigh the same. */
  readonly classWeights?: Float32Array;
}

export interface ViewSlicesOptions extends Pick<
  QuickNatRecipeOptions,
  "samplesPerVolume" | "volumeSize" | "thin" | "skipSlices" | "maxBackground" | "weights" | "edgeWeight"
> {
  /** Axes of the volume that are slice, row and column. */
  readonly axes: readonly [number, number, number];
  readonly classes: number;
  /** Volumes that show nothing give any of their slices. */
  readonly allowEmpty: boolean;
}

/** `{ image [C, H, W], label [1, H, W], weight [1, H, W] }` for each slice; the last only with weights. */
export class ViewSlices implements Dataset {
  readonly stream = {};
  readonly samplesPerItem: number;
  private readonly cases: Dataset<PreparedCase>;
  private readonly options: ViewSlicesOptions;
  private readonly fit: ResizeWithPadOrCrop;
  // By case, since prepared cases come and go.
  private readonly known = new Map<number, Chosen>();

  constructor(cases: Dataset<PreparedCase>, options: ViewSlicesOptions) {
    this.cases = cases;
    this.options = options;
    this.samplesPerItem = options.samplesPerVolume;
    const [, row, column] = options.axes;
    this.fit = new ResizeWithPadOrCrop({ spatialSize: [options.volumeSize[row], options.volumeSize[column]] });
  }

  get length(): number {
    return this.cases.length;
  }

  nameOf(index: number): string | undefined {
    return this.cases.nameOf?.(index);
  }

  async get(index: number, random: RandomSource, epoch?: number): Promise<Item[]> {
    const item = (await this.cases.get(index, random, epoch)) as PreparedCase;
    let chosen = this.known.get(index);
    if (!chosen) this.known.set(index, (chosen = this.choose(item.label!, this.nameOf(index) ?? String(index))));
    const { slices, classWeights } = chosen;
    const drawn: number[] = [];
    // Every slice comes before any comes again.
    while (drawn.length < this.samplesPerItem)
      drawn.push(...random.permutation(slices).slice(0, this.samplesPerItem - drawn.length));
    return drawn.map((s) => this.slice(item, s, classWeights));
  }

  private choose(label: HostArray, name: string): Chosen {
    const { axes, thin, skipSlices, maxBackground, weights, classes, allowEmpty, edgeWeight } = this.options;
    const strides = stridesOf(label.shape).slice(1);
    const size = label.shape.slice(1);
    const all = copyView(
      label.data,
      axes.map((a) => size[a]),
      axes.map((a) => strides[a]),
      0,
    );
    const count = all.shape[0];
    const range = Array.from({ length: Math.max(0, count - 2 * skipSlices) }, (_, i) => i + skipSlices);
    const kept = thin ? thinnedSlices(count, { skip: skipSlices }) : range;
    const shown = labeledSlices(takeSlices(all, kept), { share: maxBackground }).map((i) => kept[i]);
    if (shown.length === 0 && !allowEmpty) {
      throw new DataError(
        `case "${name}": of ${kept.length} slices of the view none has less than ${maxBackground} of background; raise maxBackground, ` +
          "leave out the case or allow empty ones",
      );
    }
    const slices = shown.length > 0 ? shown : Array.from({ length: count }, (_, i) => i);
    if (weights === "none") return { slices };
    const { classWeights } = medianFrequencyWeights(takeSlices(all, slices), { numClasses: classes, edgeWeight });
    return { slices, classWeights: classWeights.data };
  }

  private slice({ image, label }: PreparedCase, at: number, classWeights: Float32Array | undefined): Item {
    const { axes, edgeWeight } = this.options;
    const [slice, row, column] = axes.map((a) => a + 1);
    const cut = (x: HostArray): HostArray => {
      const strides = stridesOf(x.shape);
      const shape = [x.shape[0], x.shape[row], x.shape[column]];
      return this.fit.apply(copyView(x.data, shape, [strides[0], strides[row], strides[column]], at * strides[slice]));
    };
    const classes = cut(label!);
    return {
      image: cut(image),
      label: classes,
      ...(classWeights && { weight: sliceWeights(classes, classWeights, edgeWeight) }),
    };
  }
}
