/** @file What conv/rows.wgsl needs beside the tensors: which convolutions it takes, how they are cut, and weights in the order in which it reads them. */

import { sizeOf } from "../../host/array.ts";
import { write } from "../../tensor/kernel.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { grid } from "../lib/workgroups.ts";
import { packRowsShader } from "../shaders/conv/pack_rows.gen.ts";
import { THREADS } from "../shaders/conv/rows.gen.ts";
import type { ConvGeometry } from "./shape.ts";

/** See conv/rows.wgsl: a thread owns TP positions of a row by PARTS · PC channels; KW taps along W, stride SW there, or UP outputs for each input. */
export interface RowsTile {
  readonly TP: number;
  readonly PC: number;
  readonly PARTS: number;
  readonly KW: number;
  readonly SW: number;
  readonly UP: number;
  /** Of UP 2: whether the first output has the odd taps. */
  readonly ODD: number;
}

/** Whether the kernel takes it: windows pay from two taps on and three outputs in a row. */
export function hasRows(g: ConvGeometry, transposed: boolean): boolean {
  if (g.taps[2] < 2 || g.taps[2] > 5 || inLine(g, transposed) < 3) return false;
  return g.stride[2] <= 2 && g.stride.every((s, i) => s === 1 || g.dilation[i] === 1 || (!transposed && i < 2));
}

// Outputs of a row that lie a dilation apart.
const inLine = (g: ConvGeometry, transposed: boolean): number => Math.ceil((transposed ? g.large : g.small)[2] / g.dilation[2]);

// Sums of a thread, and what Mesa counts of the loop over a part: above some 800 it would not unroll it.
const mostChannels = 16;
const unrolls = (TP: number, PC: number, KW: number, UP: number): boolean => PC * (12 * KW + TP * ((2 * KW) / UP + 2)) <= 830;

/** Positions that waste the least of a row, then channels that waste the least of a tile in as few parts as Mesa unrolls. */
export function rowsTile(g: ConvGeometry, transposed: boolean): RowsTile {
  const KW = g.taps[2];
  const outputs = (transposed ? g.largeChannels : g.smallChannels) / g.groups;
  const line = inLine(g, transposed);
  const up = transposed && g.stride[2] === 2;
  const covered = (TP: number) => Math.ceil(line / TP) * TP;
  // Windows of stride 2 are twice as wide: half the outputs compile in half the time, and cost such layers, which are few, an eighth.
  const wide = outputs <= 5 && KW <= 3 ? [16, 8, 10, 7, 6, 4] : [8, 10, 7, 6, 4];
  const widths = up ? [8] : g.stride[2] > 1 ? [4, 6, 5] : wide;
  // A width for all layers saves programs.
  const TP = widths.reduce((best, w) => (1.2 * covered(w) < covered(best) ? w : best));
  const channels = Math.ceil(outputs / Math.ceil(outputs / mostChannels));
  const cuts = [1, 2, 3, 4]
    .map((PARTS) => ({ PARTS, PC: Math.ceil(channels / PARTS) }))
    .filter(({ PC }) => unrolls(TP, PC, KW, up ? 2 : 1));
  const { PARTS, PC } = cuts.reduce((best, cut) => (cut.PC * cut.PARTS < best.PC * best.PARTS ? cut : best));
  return { TP, PC, PARTS, KW, SW: transposed ? 1 : g.stride[2], UP: up ? 2 : 1, ODD: up ? g.padding[2] % 2 : 0 };
}

/** Workgroups along the rows of all samples, and tiles of channels. */
export function rowsGrid(g: ConvGeometry, transposed: boolean, { TP, PC, PARTS }: RowsTile) {
  const [d, h] = transposed ? g.large.map((n, i) => Math.ceil(n / g.stride[i])) : g.small;
  const runs = g.samples * d * h * g.dilation[2] * Math.ceil(inLine(g, transposed) / TP);
  const outputs = (transposed ? g.largeChannels : g.smallChannels) / g.groups;
  return {
    across: Math.ceil(runs / THREADS),
    tiles: g.groups * Math.ceil(outputs / (PC * PARTS)),
    phases: transposed ? g.stride[0] * g.stride[1] : 1,
  };
}

/** See conv/weight_gradient_rows.wgsl: a thread owns PARTS · PC channels of the output side by TB of the input side, and a row of taps. */
export interface WeightRows {
  readonly PC: number;
  readonly PARTS: number;
  readonly TB: number;
  readonly KW: number;
  readonly SW: number;
}

/** Whether the kernel takes it: windows that slide along a row of taps side by side. */
export const hasWeightRows = (g: ConvGeometry): boolean =>
  g.taps[2] >= 2 && g.taps[2] <= 5 && g.dilation[2] === 1 && g.stride[2] <= Math.min(2, g.taps[2]) && g.small[2] >= 3;

export function weightRows(g: ConvGeometry): WeightRows {
  const KW = g.taps[2];
  const [outputs, inputs] = [g.smallChannels / g.groups, g.largeChannels / g.groups];
  const PARTS = Math.min(4, Math.ceil(outputs / 4));
  // Twice as many channels of b are no faster, and compile two and a half times as long.
  return { PC: Math.min(4, outputs), PARTS, TB: Math.min(2, inputs), KW, SW: g.stride[2] };
}

interface Layout {
  readonly transposed: boolean;
  readonly inGroup: number;
  readonly outGroup: number;
  /** Distances in the weight between two output and two input channels. */
  readonly weightOut: number;
  readonly weightIn: number;
}

/** Weights as the kernel reads them, written anew for each use, since they change between steps. */
export function packRows(weight: Tensor, g: ConvGeometry, layout: Layout, { PC, PARTS, KW, UP }: RowsTile): Tensor {
  const { transposed, inGroup, outGroup, weightOut, weightIn } = layout;
  const tile = PC * PARTS;
  const tiles = Math.ceil(outGroup / tile);
  const row = 32 * Math.ceil((tile * KW) / 32);
  const rows = g.taps[0] * g.taps[1];
  const count = g.groups * tiles * rows * inGroup;
  const packed = weight.device.empty([count, row]);
  weight.device.run(
    packRowsShader({
      params: {
        tile,
        tiles,
        row,
        rows,
        width: KW,
        flip: transposed && UP === 1 ? 1 : 0,
        in_group: inGroup,
        out_group: outGroup,
        weight_out: weightOut,
        weight_in: weightIn,
        weight_group: inGroup * outGroup * sizeOf(g.taps),
        count,
      },
      bind: { w: weight, packed: write(packed) },
      workgroups: grid(weight.device, "conv", count, 64),
    }),
  );
  return packed;
}
