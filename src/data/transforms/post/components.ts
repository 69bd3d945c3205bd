/** @file Cleaning of predicted masks by their connected components: `KeepLargestConnectedComponent`, `RemoveSmallObjects`, `FillHoles`. */
import { expectArguments } from "../../../host/kinds.ts";
import type { HostArray, TypedArray } from "../../../host/array.ts";
import { ConfigError, DataError } from "../../../host/errors.ts";
import { expectIntegers } from "../../../host/integers.ts";
import { connectedComponents, largestComponents, paintComponents } from "../../../host/grid/components.ts";
import { reachBorder } from "../../../host/grid/morphology.ts";
import { extent } from "../../../host/stats.ts";
import { spatialShape } from "../../../host/strided.ts";
import { showShape } from "../../../host/shape.ts";
import { millimetersOf, type Volume } from "../../volume.ts";
import type { Transform } from "../transform.ts";
import { labelList, presentLabels, type LabelValues } from "./labels.ts";
import { allOptions } from "../options.ts";

/** What `KeepLargestConnectedComponent` looks at. */
export interface KeepLargestConnectedComponentOptions {
  /** Labels (of one channel) or channels (one-hot) to look at. Default: all but 0 that occur. */
  readonly appliedLabels?: LabelValues | null;
  /** Whether channels are classes. Default: whether there is more than one channel. */
  readonly isOnehot?: boolean | null;
  /** Each label by itself, or all of them as one foreground. Default true: by itself. */
  readonly independent?: boolean;
  /** A rank, 1 to the number of spatial axes, or 4, 8, 6, 18, 26 neighbors. Default: all around. */
  readonly connectivity?: number | null;
  /** How many components are kept. Default 1. */
  readonly numComponents?: number;
}

/**
 * Sets to 0 what does not belong to the largest connected component, of each label or of all of them together. Of components of one size the later is
 * kept. MONAI's `KeepLargestConnectedComponent`.
 *
 * Shapes: `[C, …]`, unchanged.
 * Geometry: kept.
 * @throws ConfigError for a connectivity or a channel that there is not, ShapeError for several channels that are not one-hot
 */
export class KeepLargestConnectedComponent implements Transform {
  private readonly options: Required<KeepLargestConnectedComponentOptions>;

  constructor(options: KeepLargestConnectedComponentOptions = {}) {
    const defaults = { appliedLabels: null, isOnehot: null, independent: true, connectivity: null, numComponents: 1 };
    this.options = allOptions(
      "KeepLargestConnectedComponent",
      options,
      "appliedLabels:sizes isOnehot:boolean independent:boolean connectivity:number numComponents:number",
      defaults,
    );
    const { numComponents } = this.options;
    expectIntegers("KeepLargestConnectedComponent", { numComponents }, 0);
  }

  apply(x: HostArray): HostArray {
    expectArguments("KeepLargestConnectedComponent", "array", { x });
    const op = "KeepLargestConnectedComponent";
    const { appliedLabels, independent } = this.options;
    const shape = spatialShape(op, x);
    const isOnehot = this.options.isOnehot ?? x.shape[0] > 1;
    const labels = labelList(appliedLabels) ?? presentLabels(op, x, isOnehot).filter((label) => label !== 0);
    if (isOnehot) expectChannels(op, labels, x);
    const data = x.data.slice();
    const voxels = data.length / x.shape[0];
    const plane = (c: number): TypedArray => data.subarray(c * voxels, (c + 1) * voxels);
    const clean = (mask: Uint8Array, planes: readonly TypedArray[]): void => this.dropSmaller(mask, shape, planes);
    if (!isOnehot && independent) for (const label of labels) clean(maskOf(plane(0), [label]), [plane(0)]);
    else if (!isOnehot) clean(maskOf(plane(0), labels), [plane(0)]);
    else if (independent) for (const c of labels) clean(maskAbove(plane(c)), [plane(c)]);
    else {
      const mask = new Uint8Array(voxels);
      for (const c of labels) for (let v = 0, p = plane(c); v < voxels; v++) mask[v] |= Number(p[v] === 1);
      clean(mask, labels.map(plane));
    }
    return { ...x, data };
  }

  /** Sets the components of a mask that are not among the largest to 0 in each plane. */
  private dropSmaller(mask: Uint8Array, shape: readonly number[], planes: readonly TypedArray[]): void {
    const { connectivity, numComponents } = this.options;
    const components = connectedComponents(mask, shape, { connectivity });
    const dropped = largestComponents(components, numComponents).map((kept) => 1 - kept);
    for (const plane of planes) paintComponents(components, dropped, plane, 0);
  }
}

/** What counts as small for `RemoveSmallObjects`. */
export interface RemoveSmallObjectsOptions {
  /**
   * Objects up to this size are removed, in voxels, or with `byMeasure` in mm³ (mm² in a plane). That objects of just this size go too is what MONAI does
   * since scikit-image 0.26. Default 64.
   */
  readonly minSize?: number;
  /** A rank, 1 to the number of axes with that of the channels, or a number of neighbors; null for all around. Default 1. */
  readonly connectivity?: number | null;
  /**
   * As scikit-image and MONAI have it: a mask of 0 and 1 is parted into components; in a map of more labels each label is one object. False: components
   * of all that is above 0. Default true.
   */
  readonly independentChannels?: boolean;
  /** `minSize` is in physical units. Default false. */
  readonly byMeasure?: boolean;
  /** Voxel size for `byMeasure`, one number or one per spatial axis; a volume's own goes before. */
  readonly pixdim?: number | readonly number[] | null;
}

/**
 * Sets objects to 0 that are not larger than `minSize`. Components may reach over channels, which are an axis like the others. An array of one value only
 * stays as it is. MONAI's `RemoveSmallObjects`.
 *
 * Shapes: `[C, …]`, unchanged.
 * Geometry: kept.
 * @throws ConfigError for an unknown connectivity or `pixdim`, DataError for negative labels
 */
export class RemoveSmallObjects implements Transform {
  private readonly options: Required<RemoveSmallObjectsOptions>;

  constructor(options: RemoveSmallObjectsOptions = {}) {
    const defaults = { minSize: 64, connectivity: 1, independentChannels: true, byMeasure: false, pixdim: null };
    this.options = allOptions(
      "RemoveSmallObjects",
      options,
      "minSize:number connectivity:number independentChannels:boolean byMeasure:boolean pixdim:sizes",
      defaults,
    );
  }

  apply(x: HostArray): HostArray {
    const { connectivity, independentChannels } = this.options;
    spatialShape("RemoveSmallObjects", x);
    const { min, max } = extent(x.data);
    if (min === max) return x;
    const minSize = this.leastVoxels(x);
    if (independentChannels && max > 1) return removeRareLabels(x, minSize);
    // As upstream: a mask has what is not 0, and comes out as 0 and 1; without channels of their own, what is above 0, with its values.
    const mask = independentChannels ? maskNonzero(x.data) : maskAbove(x.data);
    const components = connectedComponents(mask, x.shape, { connectivity });
    const small = Uint8Array.from(components.sizes, (size) => Number(size <= minSize));
    if (independentChannels) {
      paintComponents(components, small, mask, 0);
      return { ...x, data: copyInto(x.data, mask) };
    }
    const data = x.data.slice();
    for (let i = 0; i < data.length; i++) data[i] *= mask[i];
    paintComponents(components, small, data, 0);
    return { ...x, data };
  }

  /** `minSize` in voxels. */
  private leastVoxels(x: HostArray): number {
    const { minSize, byMeasure, pixdim } = this.options;
    if (!byMeasure) return minSize;
    const dims = x.shape.length - 1;
    const own = (x as Partial<Volume>).spacing?.map((s) => s * millimetersOf(x as Volume));
    if (!own && typeof pixdim === "object" && pixdim && pixdim.length !== dims)
      throw new ConfigError(`RemoveSmallObjects: pixdim has ${pixdim.length} values for ${dims} spatial axes`);
    const sizes = own ?? pixdim ?? 1;
    const volume = typeof sizes === "number" ? sizes ** dims : sizes.reduce((a, b) => a * b, 1);
    return Math.ceil(minSize / (volume || 1));
  }
}

/** Labels of `minSize` voxels or fewer become 0; each label is one object. */
function removeRareLabels(x: HostArray, minSize: number): HostArray {
  const counts = new Map<number, number>();
  const data = x.data.slice();
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.trunc(data[i]);
    counts.set(data[i], (counts.get(data[i]) ?? 0) + 1);
  }
  for (const label of counts.keys())
    if (label < 0) throw new DataError(`RemoveSmallObjects: label ${label} is negative; objects are numbered from 1`);
  for (let i = 0; i < data.length; i++) if (counts.get(data[i])! <= minSize) data[i] = 0;
  return { ...x, data };
}

/** Which labels `FillHoles` fills, and what a hole is. */
export interface FillHolesOptions {
  /** Labels (of one channel) or channels (one-hot) whose holes are filled. Default, and of an empty list: all but 0 that occur. */
  readonly appliedLabels?: LabelValues | null;
  /** Of the background: a rank, 1 to the number of spatial axes, or 4, 8, 6, 18, 26 neighbors. Default: all around. */
  readonly connectivity?: number | null;
}

/**
 * Gives a label what it encloses: all that is not of the label and has no way to the border of the image past it. MONAI's `FillHoles`.
 *
 * Shapes: `[C, …]`, unchanged; several channels are one-hot, and come out as 0 and 1 where they were filled.
 * Geometry: kept.
 * @throws ConfigError for a connectivity or a channel that there is not
 */
export class FillHoles implements Transform {
  private readonly options: Required<FillHolesOptions>;

  constructor(options: FillHolesOptions = {}) {
    this.options = allOptions("FillHoles", options, "appliedLabels:sizes connectivity:number", {
      appliedLabels: null,
      connectivity: null,
    });
  }

  apply(x: HostArray): HostArray {
    const { connectivity } = this.options;
    const shape = spatialShape("FillHoles", x);
    const isOnehot = x.shape[0] > 1;
    // As upstream: 0 alone and an empty list are no choice.
    const given = this.options.appliedLabels === 0 ? [] : (labelList(this.options.appliedLabels) ?? []);
    const labels = (given.length > 0 ? given : presentLabels("FillHoles", x, isOnehot)).filter((label) => label !== 0);
    if (isOnehot) expectChannels("FillHoles", labels, x);
    const data = x.data.slice();
    const voxels = data.length / x.shape[0];
    for (const label of labels) {
      const plane = isOnehot ? data.subarray(label * voxels, (label + 1) * voxels) : data;
      const inside = isOnehot ? maskNonzero(plane) : maskOf(plane, [label]);
      for (let v = 0; v < voxels; v++) inside[v] ^= 1;
      const outside = connectedComponents(inside, shape, { connectivity });
      const enclosed = reachBorder(outside).map((reached) => 1 - reached);
      if (isOnehot) for (let v = 0; v < voxels; v++) plane[v] = Number(plane[v] !== 0);
      paintComponents(outside, enclosed, plane, isOnehot ? 1 : label);
    }
    return { ...x, data };
  }
}

/** @throws ConfigError for labels that are no channels */
function expectChannels(op: string, labels: readonly number[], x: HostArray): void {
  for (const c of labels) {
    if (Number.isInteger(c) && c >= 0 && c < x.shape[0]) continue;
    throw new ConfigError(
      `${op}: appliedLabels names channel ${c}, but the shape ${showShape(x.shape)} has ${x.shape[0]} channels`,
    );
  }
}

function maskOf(data: TypedArray, labels: readonly number[]): Uint8Array {
  const mask = new Uint8Array(data.length);
  for (const label of labels) for (let i = 0; i < data.length; i++) mask[i] |= Number(data[i] === label);
  return mask;
}

function maskAbove(data: TypedArray): Uint8Array {
  const mask = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) mask[i] = Number(data[i] > 0);
  return mask;
}

function maskNonzero(data: TypedArray): Uint8Array {
  const mask = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) mask[i] = Number(data[i] !== 0);
  return mask;
}

/** Values in an array of another's type. */
function copyInto(like: TypedArray, values: Uint8Array): TypedArray {
  const out = like.slice();
  out.set(values);
  return out;
}
