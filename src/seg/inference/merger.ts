/** @file MONAI's merger for `PatchInferer`: what a network says of patches, put together to images. */
import { castTo, type DTypeName } from "../../data/transforms/shape/cast.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { expectShape, showShape, stridesOf } from "../../host/shape.ts";
import { copyView } from "../../host/strided.ts";
import { expectWord } from "../../host/words.ts";
import { forEachRow } from "./padding.ts";

/** What a merger is made with. */
export interface MergerOptions {
  /** Shape `[N, K, …spatial]` of all that patches may cover. */
  readonly mergedShape: readonly number[];
  /** What is left of it in the end, from the first element of each axis on; default all. */
  readonly croppedShape?: readonly number[];
}

/** What `PatchInferer` puts patches together with. */
export interface Merger {
  /** Takes the values `[N, K, …patch]` of a patch; `location` is the first voxel that they are of, on each spatial axis. */
  aggregate(values: HostArray, location: readonly number[]): void;
  /** The images, of shape `croppedShape`. */
  finalize(): HostArray;
}

/** Options of `AvgMerger`. */
export interface AvgMergerOptions extends MergerOptions {
  /** Element type of the sums and of the result. Default "float32". */
  readonly valueDtype?: "float32" | "float64";
  /** Element type of the counts. Default "uint8": at most 255 patches over a voxel. */
  readonly countDtype?: DTypeName;
}

/** Means over the patches that cover a voxel, NaN where there is none (MONAI `AvgMerger`). */
export class AvgMerger implements Merger {
  private values: HostArray<Float32Array | Float64Array>;
  private readonly counts: HostArray;
  private readonly croppedShape: readonly number[];
  private finalized = false;

  /** @throws ConfigError for unknown options and types, ShapeError for what is no shape */
  constructor(options: AvgMergerOptions) {
    expectOptions("AvgMerger", options, "mergedShape:numbers! croppedShape:numbers valueDtype:text countDtype:text");
    const { mergedShape: shape, croppedShape = shape, valueDtype = "float32", countDtype = "uint8" } = options;
    expectShape("AvgMerger", shape);
    expectShape("AvgMerger", croppedShape);
    expectWord("AvgMerger", "valueDtype", valueDtype, ["float32", "float64"]);
    const size = sizeOf(shape);
    this.values = { data: valueDtype === "float64" ? new Float64Array(size) : new Float32Array(size), shape };
    this.counts = castTo("AvgMerger", { data: new Uint8Array(size), shape }, countDtype);
    this.croppedShape = croppedShape.map((n, a) => Math.min(n, shape[a]));
  }

  /** @throws ConfigError after `finalize`, and for more patches over a voxel than `countDtype` can count; ShapeError for values that do not lie within `mergedShape` */
  aggregate(values: HostArray, location: readonly number[]): void {
    expectArguments("AvgMerger", "array", { values });
    expectArguments("AvgMerger", "numbers", { location });
    if (this.finalized) throw new ConfigError("AvgMerger: it is finalized and takes no further patches; make another one");
    const { shape } = this.values;
    const [n, k, ...size] = values.shape;
    // A single value that rounding puts behind the end, as of an odd size halved, is dropped upstream too.
    if (size.some((s, a) => s === 1 && location[a] === shape[a + 2])) return;
    const inside = size.every((s, a) => Number.isInteger(location[a]) && location[a] >= 0 && location[a] + s <= shape[a + 2]);
    if (values.shape.length !== shape.length || n !== shape[0] || k !== shape[1] || !inside)
      throw new ShapeError(
        `AvgMerger: values ${showShape(values.shape)} at [${location.join(", ")}] do not lie within mergedShape ${showShape(shape)}`,
      );
    // An image may be a number per channel.
    const flat = size.length === 0;
    const [whole, start, box] = flat ? [[1], [0], [1]] : [shape.slice(2), location, size];
    const [voxels, inPatch] = [sizeOf(whole), sizeOf(box)];
    const [sums, counts] = [this.values.data, this.counts.data];
    let full = false;
    for (let p = 0; p < n * k; p++)
      forEachRow(whole, start, box, (at, row, length) => {
        for (let i = 0; i < length; i++) {
          sums[p * voxels + at + i] += values.data[p * inPatch + row + i];
          counts[p * voxels + at + i]++;
          // It began anew, or went on below 0.
          if (counts[p * voxels + at + i] <= 0) full = true;
        }
      });
    if (full) throw new ConfigError('AvgMerger: more patches lie over a voxel than countDtype can count; set it to "int32"');
  }

  /** The means, of shape `croppedShape`; again the same when it is called again. */
  finalize(): HostArray<Float32Array | Float64Array> {
    if (this.finalized) return this.values;
    this.finalized = true;
    const { data } = this.values;
    for (let i = 0; i < data.length; i++) data[i] /= this.counts.data[i];
    return (this.values = copyView(data, this.croppedShape, stridesOf(this.values.shape), 0));
  }

  /** What `finalize` gives, in its shape. */
  getOutput(): HostArray<Float32Array | Float64Array> {
    return this.finalize();
  }

  /** The sums, of shape `mergedShape`; once it is finalized the means, of shape `croppedShape`. */
  getValues(): HostArray<Float32Array | Float64Array> {
    return this.values;
  }

  /** How many patches cover each voxel, of shape `mergedShape`. */
  getCounts(): HostArray {
    return this.counts;
  }
}
