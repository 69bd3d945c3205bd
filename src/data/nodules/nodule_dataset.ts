/**
 * @file Crops of scans with nodules, an entry per nodule. Scans lie as uncompressed NIfTI of bytes, and an index tells where everything is; so a crop
 * reads the slices that it needs and nothing else, and the first batch does not wait for the others.
 */

import { expectArguments, expectFields } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { failing } from "../../host/bytes/budget.ts";
import { isRecord } from "../../host/bytes/json.ts";
import type { Affine } from "../volume.ts";
import type { RandomSource } from "../../host/random/numpy.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { Item } from "../transforms/transform.ts";
import { type CropPlan, cropPlan, type NoduleCropOptions, placeCrop } from "./crop_place.ts";
import { type NoduleBox, noduleMask } from "./prepare.ts";

/** A prepared scan in the index. */
export interface IndexedScan {
  /** The scan's seriesuid. */
  readonly id: string;
  /** Relative to the index. */
  readonly file: string;
  /** Where the voxels begin in it. */
  readonly offset: number;
  /** nx, ny, nz; x is the fastest in the file. */
  readonly shape: readonly number[];
  /** Voxel → RAS millimeters; voxels are cubes, but for scans of a tilted gantry. Indexes of before have none. */
  readonly affine?: Affine;
  /** What is to be found in it. */
  readonly nodules: readonly NoduleBox[];
  /** What it was made from: a hash of the scan's size and time, its nodules and the options. Indexes of before have none. */
  readonly made?: string;
}

/** `index.json` of a folder of prepared scans. */
export interface NoduleIndex {
  /** Of this format. */
  readonly version: 1;
  /** The prepared scans. */
  readonly scans: readonly IndexedScan[];
}

/** Checks a parsed `index.json`. `source` is what errors call the file. @throws FormatError for another file or version */
export function parseNoduleIndex(json: unknown, source = "index.json"): NoduleIndex {
  const fail = failing(`parseNoduleIndex: ${source}`);
  if (!isRecord(json) || json.version !== 1 || !Array.isArray(json.scans))
    throw fail("it is no index of prepared scans of version 1");
  const scans = json.scans as IndexedScan[];
  scans.forEach((scan, i) => {
    const { id, file, offset, shape, nodules } = scan;
    const good = typeof id === "string" && typeof file === "string" && Number.isSafeInteger(offset) && Array.isArray(nodules);
    if (!good || !Array.isArray(shape) || shape.length !== 3) throw fail(`scans[${i}] has no id, file, offset, shape or nodules`);
  });
  return { version: 1, scans };
}

/** Bytes `start` … `end` − 1 of a file of the folder. */
export type ReadRange = (file: string, start: number, end: number) => Promise<Uint8Array>;

/** The names of the options of `NoduleDataset`. @internal */
export const cropNames = "size probabilities leftTopRatio centerScope";

/** One crop per nodule and epoch: `image` `[1, x, y, z]` float32 in 0…1, `label` `[1, x, y, z]` 0 or 1, `name`, `kind`, `start`. What is beyond the scan is 0. */
export class NoduleDataset implements Dataset {
  private readonly entries: readonly { readonly scan: IndexedScan; readonly nodule: NoduleBox }[];
  private readonly read: ReadRange;
  private readonly plan: CropPlan;

  /** @throws ConfigError for options out of range */
  constructor(index: NoduleIndex, read: ReadRange, options: NoduleCropOptions = {}) {
    expectOptions("NoduleDataset", options, cropNames);
    expectFields("NoduleDataset", "index", index, { scans: "objects" });
    expectArguments("NoduleDataset", "function", { read });
    this.entries = index.scans.flatMap((scan) => scan.nodules.map((nodule) => ({ scan, nodule })));
    this.read = read;
    this.plan = cropPlan(options);
  }

  get length(): number {
    return this.entries.length;
  }
  nameOf(index: number): string {
    return this.entries[index].scan.id;
  }

  async get(index: number, random: RandomSource): Promise<Item> {
    const { scan, nodule } = this.entries[index];
    const { size } = this.plan;
    const { kind, start } = placeCrop(scan.shape, nodule, scan.nodules, this.plan, random);
    const label = noduleMask(scan.nodules, start, size, scan.affine);
    return {
      name: scan.id,
      kind,
      start,
      image: { data: await this.crop(scan, start), shape: [1, ...size] },
      label: { data: Float32Array.from(label), shape: [1, ...size] },
    };
  }

  private async crop({ file, offset, shape }: IndexedScan, start: readonly number[]): Promise<Float32Array> {
    const { size } = this.plan;
    const [nx, ny, nz] = shape;
    const end = start.map((s, a) => Math.min(shape[a], s + size[a]));
    const out = new Float32Array(size[0] * size[1] * size[2]);
    if (end[2] <= start[2] || start[2] >= nz) return out;
    const slab = await this.read(file, offset + start[2] * nx * ny, offset + end[2] * nx * ny);
    for (let z = start[2]; z < end[2]; z++) {
      for (let y = start[1]; y < end[1]; y++) {
        const row = ((z - start[2]) * ny + y) * nx;
        let to = (y - start[1]) * size[2] + z - start[2];
        for (let x = start[0]; x < end[0]; x++, to += size[1] * size[2]) out[to] = slab[row + x] / 255;
      }
    }
    return out;
  }
}
