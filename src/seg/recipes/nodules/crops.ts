/** @file Training crops of prepared scans, an entry per nodule. */

import type { Dataset } from "../../../data/datasets/dataset.ts";
import { type CropPlan, placeCrop } from "../../../data/nodules/crop_place.ts";
import type { NoduleBox } from "../../../data/nodules/prepare.ts";
import type { Item } from "../../../data/transforms/transform.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { DataError } from "../../../host/errors.ts";
import { medianLow } from "../../../host/stats.ts";
import { type RandomSource, RandomState } from "../../../host/random/numpy.ts";
import type { PreparedCase, PreparedDataset } from "../recipe.ts";
import { drawEntries, sharesOf } from "./draw.ts";

/** A scan made ready: image and label as bytes `[1, x, y, z]`, and its nodules on their grid. */
export interface PreparedScan extends PreparedCase {
  /** 0 … 255. */
  readonly image: HostArray<Uint8Array>;
  /** 0 or 1. */
  readonly label: HostArray<Uint8Array>;
  readonly boxes: readonly NoduleBox[];
}

/** How often which nodules come. */
export interface NoduleCropsOptions {
  readonly perNodule: number;
  readonly seed: number;
  /** Entries come in proportion to 1 / diameter^sizePower; 0: all alike. */
  readonly sizePower: number;
}

/** A part of `[1, x, y, z]` as floats times `scale`; 0 beyond the end. */
export function cropOf(
  { data, shape }: HostArray,
  start: readonly number[],
  size: readonly number[],
  scale: number,
): HostArray<Float32Array> {
  const out = new Float32Array(sizeOf(size));
  const [, , ny, nz] = shape;
  const [ex, ey, ez] = size.map((s, a) => Math.min(s, shape[a + 1] - start[a]));
  for (let x = 0; x < ex; x++) {
    for (let y = 0; y < ey; y++) {
      const from = ((start[0] + x) * ny + start[1] + y) * nz + start[2];
      const to = (x * size[1] + y) * size[2];
      for (let z = 0; z < ez; z++) out[to + z] = data[from + z] * scale;
    }
  }
  return { data: out, shape: [1, ...size] };
}

interface Entry {
  readonly index: number;
  readonly nodule?: number;
}

/**
 * Crops in another order each epoch: `image` in 0 … 1, `label` 0 or 1, `name`, `kind`, `start`. A case whose nodules nobody has listed has one entry,
 * for any of those in its mask; one without nodules has none. With a `sizePower` an entry comes as often as 1 / diameter^sizePower says: a small nodule has few
 * voxels, of which the loss hears little where all come alike.
 */
export class NoduleCrops implements Dataset {
  private readonly cases: PreparedDataset;
  private readonly plan: CropPlan;
  private readonly seed: number;
  private readonly entries: readonly Entry[];
  private readonly sizePower: number;
  private readonly shares: readonly number[] | undefined;
  private order: { readonly epoch: number; readonly entries: readonly number[] } | undefined;

  /** @param options.perNodule crops per nodule and epoch, on average */
  constructor(cases: PreparedDataset, plan: CropPlan, options: NoduleCropsOptions) {
    const { perNodule, seed, sizePower } = options;
    this.cases = cases;
    this.plan = plan;
    this.seed = seed;
    this.sizePower = sizePower;
    const once = cases.sources.flatMap(
      ({ nodules }, index): Entry[] => nodules?.map((_, nodule) => ({ index, nodule })) ?? [{ index }],
    );
    this.entries = Array.from({ length: perNodule }, () => once).flat();
    if (sizePower > 0 && this.entries.length > 0) this.shares = sharesOf(this.diameters(), sizePower);
  }

  /** In mm, per entry. Of nodules that nobody has listed only the mask knows: they count as of middle size. */
  private diameters(): number[] {
    const listed = this.entries.map(({ index, nodule }) =>
      nodule === undefined ? undefined : this.cases.sources[index].nodules![nodule].diameter,
    );
    const known = listed.filter((d) => d !== undefined);
    const middle = known.length === 0 ? 1 : medianLow(known);
    return listed.map((d) => d ?? middle);
  }

  get length(): number {
    return this.entries.length;
  }

  nameOf(index: number): string {
    return this.cases.sources[this.entries[index].index].id;
  }

  async get(index: number, random: RandomSource, epoch = 0): Promise<Item> {
    // The loader takes samples as they come; to fill a buffer that shuffles them would be to read as many scans before the first batch.
    if (this.order?.epoch !== epoch)
      this.order = { epoch, entries: drawEntries(this.length, new RandomState([this.seed, epoch, this.length]), this.shares) };
    const entry = this.entries[this.order.entries[index]];
    const scan = (await this.cases.get(entry.index, random, epoch)) as PreparedScan;
    const { image, label, boxes } = scan;
    const name = this.cases.sources[entry.index].id;
    if (boxes.length === 0)
      throw new DataError(`case "${name}" has no nodule; leave it out of training, or list its nodules as none`);
    const nodule = boxes[entry.nodule ?? this.anyOf(boxes, random)];
    const { kind, start } = placeCrop(image.shape.slice(1), nodule, boxes, this.plan, random);
    return {
      name,
      kind,
      start,
      image: cropOf(image, start, this.plan.size, 1 / 255),
      label: cropOf(label, start, this.plan.size, 1),
    };
  }

  private anyOf(boxes: readonly NoduleBox[], random: RandomSource): number {
    if (this.sizePower === 0) return random.randint(boxes.length);
    const p = sharesOf(
      boxes.map(({ radius }) => radius),
      this.sizePower,
    );
    return random.choice(boxes.length, 1, { p })[0];
  }
}
