/** @file What conv/tile.wgsl needs beside the tensors: weights in the order in which it reads them, and what it may take for granted. */

import { sizeOf } from "../../host/array.ts";
import { write } from "../../tensor/kernel.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { grid } from "../lib/workgroups.ts";
import type { ConvGeometry } from "./shape.ts";
import { packShader } from "../shaders/conv/pack.gen.ts";

// Taps of an axis and of a phase: bits of a mask, and places in shared memory.
const axisTaps = 10;
const mostTaps = 512;

/** Whether the kernel takes so many taps. */
export const hasTile = (g: ConvGeometry): boolean => g.taps.every((n) => n <= axisTaps) && sizeOf(g.taps) <= mostTaps;

/** Room for the taps, in few sizes, so that there are few programs. */
export const tapRoom = (g: ConvGeometry): number => [32, 128, mostTaps].find((room) => sizeOf(g.taps) <= room)!;

/** Whether each four outputs, from a multiple of four on, read four inputs in a row. */
export function readsRuns(g: ConvGeometry, transposed: boolean): boolean {
  const out = transposed ? g.large : g.small;
  const step = transposed ? 1 : g.stride[2];
  // They lie in one row, of every phase.
  if (step === 1 && out[2] % (4 * (transposed ? g.stride[2] : 1)) === 0) return true;
  // Or the next row follows on the same place in both.
  const same = g.stride.every((s) => s === 1) && g.large.every((n, i) => n === g.small[i]);
  return same && (g.samples === 1 || sizeOf(out) % 4 === 0);
}

/** See conv/tile.wgsl: a workgroup of CG · PG lanes owns 4 · CG · RC channels by 4 · PG · RP positions. */
export interface Tile {
  readonly CG: number;
  readonly PG: number;
  readonly RC: number;
  readonly RP: number;
  readonly STEP: number;
}

/** How a weight lies in memory. */
export interface Layout {
  readonly inGroup: number;
  readonly outGroup: number;
  readonly taps: number;
  /** Distances in the weight between two output and two input channels. */
  readonly weightOut: number;
  readonly weightIn: number;
}

/** Weights in the order of a kernel. */
export interface Packed {
  readonly weight: Tensor;
  /** Elements (of the kernel's array) of a step and tap, and of a group. */
  readonly pitch: number;
  readonly group: number;
}

/**
 * Rows of output channels, whole tiles of them, per group, step, tap and input channel of the step. Written anew for each use, since weights
 * change between steps: 2.4 MB for 256 to 256 channels with 3² taps.
 */
export function packWeights(
  weight: Tensor,
  groups: number,
  layout: Layout,
  { CG, RC, STEP }: Pick<Tile, "CG" | "RC" | "STEP">,
): Packed {
  const { inGroup, outGroup, taps, weightOut, weightIn } = layout;
  const pitch = Math.ceil(outGroup / (4 * CG * RC)) * CG * RC;
  const steps = Math.ceil(inGroup / STEP);
  const group = steps * taps * STEP * pitch;
  const count = groups * group;
  const packed = weight.device.empty([count, 4]);
  weight.device.run(
    packShader({
      params: {
        taps,
        step: STEP,
        steps,
        pitch,
        in_group: inGroup,
        out_group: outGroup,
        weight_out: weightOut,
        weight_in: weightIn,
        weight_group: inGroup * outGroup * taps,
        count,
      },
      bind: { w: weight, packed: write(packed) },
      workgroups: grid(weight.device, "conv", count, 64),
    }),
  );
  return { weight: packed, pitch, group };
}
