/** @file `Orientation`: axes reordered and reversed so that they point as codes say. */
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { identityMatrix, type Matrix } from "../../../host/matrix.ts";
import { spatialShape } from "../../../host/strided.ts";
import { axisDirections } from "../../axis_codes.ts";
import { turn } from "../moved.ts";
import type { Transform } from "../transform.ts";
import { affineOfRank } from "./affine_matrix.ts";
import { checkedOptions } from "../options.ts";

/** Per axis of space the codes of an array axis that points down it, and up it. */
export type AxisLabels = readonly (readonly [down: string, up: string])[];

/** Options of `Orientation`. */
export interface OrientationOptions {
  /** Where each axis points, such as "RAS". */
  readonly axcodes?: string | readonly string[] | null;
  /** As near to "RAS" as turning goes, whatever `axcodes`. Default false. */
  readonly asClosestCanonical?: boolean;
  /** Default L/R, P/A, I/S. */
  readonly labels?: AxisLabels | null;
}

const anatomical: AxisLabels = [
  ["L", "R"],
  ["P", "A"],
  ["I", "S"],
];

/**
 * Reorders and reverses axes so that they point as `axcodes` say; no voxel is resampled. An array without an affine counts as "RAS". MONAI's
 * `Orientation`.
 *
 * Shapes: `[C, …]` → `[C, …]` with axes reordered.
 * Geometry: kept.
 * @throws ConfigError without `axcodes`, for codes that are unknown, too few or that name an axis twice
 */
export class Orientation implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "axcodes:names asClosestCanonical:boolean labels:lists";
  private readonly axcodes: readonly string[] | undefined;
  private readonly labels: AxisLabels;

  constructor(options: OrientationOptions) {
    const { axcodes, asClosestCanonical = false, labels } = checkedOptions("Orientation", options, Orientation.options);
    this.labels = labels ?? anatomical;
    if (asClosestCanonical) return;
    if (axcodes === undefined || axcodes === null)
      throw new ConfigError(`Orientation: give axcodes, such as "RAS", or asClosestCanonical`);
    this.axcodes = [...axcodes];
  }

  apply(x: HostArray): HostArray {
    const dims = spatialShape("Orientation", x).length;
    const given = (x as Partial<{ affine: Matrix }>).affine;
    const affine = given ? affineOfRank(dims, given) : identityMatrix(dims + 1);
    const has = axisDirections(affine);
    const wanted = has.map((_, i) => (this.axcodes ? this.direction(i, dims) : { space: i, up: true }));
    const axes = wanted.map(({ space }) => has.findIndex((h) => h.space === space));
    if (axes.includes(-1) || new Set(axes).size !== dims)
      throw new ConfigError(`Orientation: axcodes ${JSON.stringify(this.axcodes?.join(""))} must name each of ${dims} axes once`);
    const flips = axes.map((a, i) => has[a].up !== wanted[i].up);
    if (axes.every((a, i) => a === i) && !flips.includes(true)) return x;
    return turn("Orientation", x, axes, flips);
  }

  private direction(axis: number, dims: number): { space: number; up: boolean } {
    const code = this.axcodes![axis];
    const space = this.labels.findIndex((pair) => pair.includes(code));
    if (code === undefined || space < 0) {
      throw new ConfigError(
        `Orientation: axcodes ${JSON.stringify(this.axcodes!.join(""))} must have a code for each of ${dims} axes, of ${JSON.stringify(this.labels)}`,
      );
    }
    return { space, up: this.labels[space][1] === code };
  }
}
