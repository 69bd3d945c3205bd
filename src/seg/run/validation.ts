/** @file Validation between epochs: whole cases, segmented and scored. */

import type { HostArray } from "../../host/array.ts";
import type { Picture } from "../../host/bytes/png.ts";
import type { Device } from "../../tensor/device.ts";
import type { Segmenter } from "../inference/segmenter.ts";
import { nanMean } from "../../host/stats.ts";
import { diceOfLabels } from "../metrics/label_dice.ts";
import { readyCase } from "../recipes/prepared.ts";
import type { Context, LoadedCase, Networks, PreparedCase, Recipe } from "../recipes/recipe.ts";
import { labelsOf } from "./decide.ts";
import type { RunData } from "./data.ts";
import { stripOf } from "./overlays.ts";
import type { AbortSignal } from "../../host/platform.ts";

/** A case as a validation has just segmented it. */
export interface ValidatedCase {
  /** The case's name. */
  readonly id: string;
  /** Of each foreground class; NaN where neither truth nor prediction have it. */
  readonly dice: readonly number[];
  /** Draws a few slices, prediction filled and truth outlined. */
  picture(): Picture;
}

interface Kept {
  readonly source: LoadedCase;
  readonly prepared: PreparedCase;
}

// Cases beyond it are read again each time.
const cacheBytes = 2 ** 30;

const bytesOf = ({ source, prepared }: Kept): number => {
  const arrays: readonly (HostArray | undefined)[] = [source.image, source.label, prepared.image, prepared.label];
  return [...new Set(arrays.map((a) => a?.data.buffer))].reduce((sum, b) => sum + (b?.byteLength ?? 0), 0);
};

export class Validation<C extends object> {
  readonly recipe: Recipe<C>;
  readonly context: Context<C>;
  readonly segmenter: Segmenter;
  private readonly data: RunData;
  private readonly kept = new Map<string, Kept>();
  private left = cacheBytes;

  constructor(recipe: Recipe<C>, context: Context<C>, device: Device, networks: Networks, data: RunData) {
    this.recipe = recipe;
    this.context = context;
    this.data = data;
    this.segmenter = recipe.segmenter(device, networks, context);
  }

  /** Mean Dice of each foreground class over the validation cases that have it. Throws the signal's reason when it is aborted. */
  async run(
    signal: AbortSignal | undefined,
    onProgress: (done: number, total: number) => void,
    onCase: (validated: ValidatedCase) => void = () => undefined,
  ): Promise<number[]> {
    const { val } = this.data;
    const { foreground, ignore } = this.context.outputs;
    const scores: number[][] = [];
    for (const [i, item] of val.entries()) {
      signal?.throwIfAborted();
      onProgress(i, val.length);
      const { source, prepared } = this.kept.get(item.id) ?? (await this.load(i));
      if (!source.label) continue; // there is nothing to compare with
      const labels = await labelsOf(this, source, prepared, { signal });
      const dice = diceOfLabels(labels, source.label, foreground, ignore);
      scores.push(dice);
      onCase({ id: item.id, dice, picture: () => stripOf({ id: item.id, source, labels }, this) });
    }
    return foreground.map((_, c) => nanMean(scores.map((s) => s[c])));
  }

  private async load(index: number): Promise<Kept> {
    const item = this.data.val[index];
    const { source, prepared } = await readyCase(this.recipe, this.context, this.data.read, item);
    const loaded = { source, prepared };
    const bytes = bytesOf(loaded);
    if (bytes <= this.left) {
      this.left -= bytes;
      this.kept.set(item.id, loaded);
    }
    return loaded;
  }

  dispose(): void {
    this.segmenter.dispose();
  }
}
