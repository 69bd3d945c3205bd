/**
 * @file Sums of the scores of slices that lie in different directions, for some rows of a volume, in device memory. What slices say outside of these rows is
 * left out, so that a volume whose sums do not fit is done row block by row block.
 */

import { mul, sub } from "../../autograd/pointwise.ts";
import { sum } from "../../autograd/reduce.ts";
import { noGrad } from "../../autograd/tape.ts";
import { addWindow, clearPlanes, codesPerWord, decidePlanes, type Planes } from "../../kernels/window.ts";
import { ones } from "../../kernels/create.ts";
import type { Device } from "../../tensor/device.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Size3 } from "./window_plan.ts";

/** Where a slice lies. */
export interface SlicePlace {
  readonly roi: Size3;
  readonly start: Size3;
}

export interface ViewSumsOptions {
  /** Of the volume. */
  readonly size: Size3;
  readonly classes: number;
  /** The rows (second axis) that are kept. */
  readonly rows: readonly [number, number];
  /** Sum up squares too. */
  readonly squares: boolean;
}

/** Bytes of a voxel while it is summed up and decided. */
export const bytesPerVoxel = (classes: number, squares: boolean): number =>
  // Sums, the largest of them and its class; for variances a mean and its square beside their own sums.
  4 * classes * (squares ? 4 : 1) + 4 + 4 / codesPerWord("largest", classes);

export class ViewSums {
  private readonly device: Device;
  private readonly planes: Planes;
  private readonly classes: number;
  private readonly parts: readonly Tensor[];
  private readonly squares: readonly Tensor[];
  private readonly weights: Tensor;

  constructor(device: Device, { size, classes, rows: [from, to], squares }: ViewSumsOptions) {
    this.device = device;
    this.classes = classes;
    const [planes, , columns] = size;
    this.planes = { ring: planes, firstRow: from, rows: to - from, columns, first: 0, planes };
    const together = Math.max(1, Math.min(classes, Math.floor(device.maxBindingSize / (4 * this.voxels))));
    const parts = () =>
      Array.from({ length: Math.ceil(classes / together) }, (_, i) =>
        device.empty([Math.min(together, classes - i * together), planes, to - from, columns]),
      );
    this.parts = parts();
    this.squares = squares ? parts() : [];
    for (const part of [...this.parts, ...this.squares]) clearPlanes(part, this.planes);
    // Every slice counts the same everywhere.
    this.weights = ones(device, [Math.max(size[0] * size[1], size[0] * size[2], size[1] * size[2])]);
  }

  /** Voxels of the rows that are kept. */
  get voxels(): number {
    return this.planes.planes * this.planes.rows * this.planes.columns;
  }

  /**
   * Adds `scale` times the scores of a slice.
   * @param scores `[slices · classes, rows, columns]`, axes in the volume's order
   * @param slice which of them
   */
  add(scores: Tensor, slice: number, place: SlicePlace, scale: number): void {
    this.addTo(this.parts, scores, slice, place, scale);
  }

  /** The same for their squares. */
  addSquares(squares: Tensor, slice: number, place: SlicePlace, scale: number): void {
    this.addTo(this.squares, squares, slice, place, scale);
  }

  /** Class of each voxel that is kept, `[planes, rows, columns]`. */
  async labels(): Promise<Uint8Array | Uint32Array> {
    const perWord = codesPerWord("largest", this.classes);
    const codes = this.device.empty([Math.ceil(this.voxels / perWord)], "u32");
    const best = this.device.empty([this.parts.length > 1 ? this.voxels : 1]);
    decidePlanes(this.parts, this.planes, "largest", codes, best);
    const words = codes.data();
    codes.dispose();
    best.dispose();
    const { buffer } = await words;
    return perWord === 4 ? new Uint8Array(buffer, 0, this.voxels) : new Uint32Array(buffer, 0, this.voxels);
  }

  /** The sums themselves, class by class: `[planes, rows, columns]` each. */
  async *scores(): AsyncGenerator<Float32Array> {
    for (const part of this.parts) {
      const all = (await part.data()) as Float32Array;
      for (let c = 0; c < part.shape[0]; c++) yield all.subarray(c * this.voxels, (c + 1) * this.voxels);
    }
  }

  /** Σ of the squares minus the square of the Σ, added up over the classes: the variance if the scales add up to 1. */
  async variance(): Promise<Float32Array> {
    const total = new Float32Array(this.voxels);
    for (const [i, part] of this.parts.entries()) {
      const spread = scope(() => noGrad(() => sum(sub(this.squares[i], mul(part, part)), 0)));
      const values = spread.data();
      spread.dispose();
      const found = (await values) as Float32Array;
      // Rounding takes some of what is certain below 0.
      for (let v = 0; v < total.length; v++) total[v] += Math.max(0, found[v]);
    }
    return total;
  }

  dispose(): void {
    for (const t of [...this.parts, ...this.squares, this.weights]) t.dispose();
  }

  private addTo(parts: readonly Tensor[], scores: Tensor, slice: number, place: SlicePlace, scale: number): void {
    let first = slice * this.classes;
    for (const part of parts) {
      addWindow(scores, first, this.weights, part, this.planes, { ...place, flips: 0 }, scale);
      first += part.shape[0];
    }
  }
}
