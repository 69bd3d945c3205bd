/** @file What conv/matrix.wgsl needs beside the tensors: which convolutions it takes, how they are cut, and weights in f16 in the order in which it reads them. */

import { sizeOf } from "../../host/array.ts";
import type { Device } from "../../tensor/device.ts";
import { write } from "../../tensor/kernel.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type Matrices, matricesOf } from "../lib/matrices.ts";
import { grid } from "../lib/workgroups.ts";
import { packMatrixShader } from "../shaders/conv/pack_matrix.gen.ts";
import type { ConvGeometry } from "./shape.ts";
import { RUN } from "../shaders/conv/weight_gradient_matrix.gen.ts";
import { hasTile, type Layout, type Packed } from "./tile.ts";

/** See conv/matrix.wgsl: SC · SP subgroups of S lanes own RC · RP matrices of M channels by N positions each, in steps of KS · K input channels. */
export interface MatrixTile extends Matrices {
  readonly SC: number;
  readonly SP: number;
  readonly RC: number;
  readonly RP: number;
  readonly KS: number;
}

// A chain of f32 sums of so many matrices is as long as those of the other kernels.
const sequence = 4096;
// The table of more taps would not fit into 32 KiB beside the tile.
const mostTaps = 128;

/** Whether the kernel takes it on this device: f16 only. */
export function hasMatrix(device: Device, g: ConvGeometry, transposed: boolean): boolean {
  const matrices = matricesOf(device);
  if (!matrices || !hasTile(g) || sizeOf(g.taps) > mostTaps) return false;
  const inputs = (transposed ? g.smallChannels : g.largeChannels) / g.groups;
  return inputs * sizeOf(g.taps) <= sequence * matrices.K;
}

/** A tile as wide as the output channels, up to 128 of them, by 128 positions where the subgroup is as wide as usual. */
export function matrixTile(device: Device, g: ConvGeometry, transposed: boolean): MatrixTile {
  const matrices = matricesOf(device)!;
  const { M, N, K, S } = matrices;
  const [inputs, outputs] = transposed
    ? [g.smallChannels / g.groups, g.largeChannels / g.groups]
    : [g.largeChannels / g.groups, g.smallChannels / g.groups];
  const wide = outputs > 64 ? 128 : outputs > 32 ? 64 : outputs > 16 ? 32 : 16;
  const SC = Math.ceil(wide / 32);
  const SP = SC > 1 ? 2 : 4;
  // A lane fetches at most one position.
  const RP = Math.max(1, Math.floor(Math.min(64, SC * S) / N));
  const step = inputs % 32 === 0 || (inputs > 16 && inputs % 16 !== 0) ? 32 : 16;
  return { ...matrices, SC, SP, RC: Math.ceil(wide / (SC * M)), RP, KS: Math.max(1, Math.floor(step / K)) };
}

/** What one window of conv/matrix.wgsl holds for the TW taps of a row, which lie DW places apart from its place SHIFT on, and how the rows of outputs lie for it. */
export interface Window {
  readonly TW: number;
  readonly DW: number;
  readonly SHIFT: number;
  readonly HALO: number;
}

const lone = { window: { TW: 1, DW: 1, SHIFT: 0, HALO: 0 }, gap: 0, pairs: false } as const;

// A lane fetches a whole number of channels of one of so many places.
const halos: readonly number[] = [0, 1, 2, 4, 8];
// Places per output, from which on a window costs more than it saves.
const mostPlaces = 1.2;

/**
 * The window of a convolution whose inputs follow each other along W, and places of no output behind each row of outputs; each tap alone where there is none. Even rows are read in pairs of
 * places, which begin at an even one.
 */
export function matrixWindow(g: ConvGeometry, transposed: boolean): { window: Window; gap: number; pairs: boolean } {
  const [inputs, outputs] = transposed ? [g.small[2], g.large[2]] : [g.large[2], g.small[2]];
  if (g.stride[2] !== 1) return lone;
  const [TW, DW] = [g.taps[2], g.dilation[2]];
  const span = (TW - 1) * DW;
  const left = transposed ? g.padding[2] - span : -g.padding[2];
  const windows = [true, false].map((pairs) => {
    const wide = pairs ? 2 : 1;
    const SHIFT = Math.abs(left % wide);
    const HALO = Math.ceil((span + SHIFT) / wide) * wide;
    // What lies left of a row and right of it finds no other row.
    const pitch = Math.ceil(Math.max(outputs, inputs - left + SHIFT, outputs + left + span) / wide) * wide;
    return { window: { TW, DW, SHIFT, HALO }, gap: pitch - outputs, pairs };
  });
  const fits = windows.find(
    ({ window, gap, pairs }) =>
      (!pairs || inputs % 2 === 0) && halos.includes(window.HALO) && (gap === 0 || outputs + gap <= mostPlaces * outputs),
  );
  return fits ?? lone;
}

/** Rows of the channels of a step for each group, step, tap and output channel, in whole tiles of these. Written anew for each use, as in `packWeights`. */
export function packMatrix(
  weight: Tensor,
  groups: number,
  { inGroup, outGroup, taps, weightOut, weightIn }: Layout,
  tile: MatrixTile,
): Packed {
  const step = tile.KS * tile.K;
  const channels = tile.SC * tile.RC * tile.M;
  const rows = Math.ceil(outGroup / channels) * channels;
  const steps = Math.ceil(inGroup / step);
  const count = groups * steps * taps * rows;
  const packed = weight.device.empty([count, step], "f16");
  weight.device.run(
    packMatrixShader({
      params: {
        taps,
        step,
        steps,
        rows,
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
  return { weight: packed, pitch: rows, group: steps * taps * rows };
}

/**
 * See conv/weight_gradient_matrix.wgsl: SA · SB subgroups of S lanes own RA · RB matrices of M channels of one side by N of the other, for TW taps of a row; KS · K positions are a step, and
 * words from SURE to UNSURE of a window of SW · RUN places lie in the line.
 */
export interface WeightMatrix extends Matrices {
  readonly SA: number;
  readonly SB: number;
  readonly RA: number;
  readonly RB: number;
  readonly KS: number;
  readonly SW: number;
  readonly TW: number;
  readonly DW: number;
  readonly SHIFT: number;
  readonly SURE: number;
  readonly UNSURE: number;
}

/** Whether the kernel takes it on this device: lanes fetch runs of positions, which lines of a few would fill with zeros. */
export const hasWeightMatrix = (device: Device, g: ConvGeometry): boolean =>
  matricesOf(device) !== undefined && g.small[2] >= RUN / 2;

// Places from the first tap to the last: a window takes registers.
const longestSpan = 8;

/** The taps of a row that a workgroup of conv/weight_gradient_matrix.wgsl adds up, where their window begins, and how many positions lanes fetch at a time. */
export function weightWindow(g: ConvGeometry) {
  const [SW, DW, taps] = [g.stride[2], g.dilation[2], g.taps[2]];
  const row = taps > 3 ? 2 : taps;
  const TW = (row - 1) * DW > longestSpan ? 1 : row;
  const [inputs, outputs] = [g.large[2], g.small[2]];
  // Lines begin at multiples of so many places, and so do the windows of all workgroups then.
  const wide = [RUN, 2].find((n) => inputs % n === 0 && outputs % n === 0 && (TW === taps || (TW * DW) % n === 0)) ?? 1;
  const SHIFT = (wide - (g.padding[2] % wide)) % wide;
  const words = Array.from({ length: Math.floor((SHIFT + (RUN - 1) * SW + (TW - 1) * DW) / wide) + 1 }, (_, i) => i);
  const sure = words.filter((i) => {
    const first = i * wide - g.padding[2] - SHIFT;
    return TW === taps && outputs % RUN === 0 && first >= 0 && first + (outputs - RUN) * SW + wide <= inputs;
  });
  const [SURE, UNSURE] = sure.length > 0 ? [sure[0], sure.at(-1)! + 1] : [0, 0];
  return { window: { SW, TW, DW, SHIFT, SURE, UNSURE }, wide };
}

/** A tile of 128 by 64 channels, of 64 on both sides, or of 32; of a single tap 128 of the other side. */
export function weightMatrix(device: Device, g: ConvGeometry): WeightMatrix {
  const matrices = matricesOf(device)!;
  const { M, N, K, S } = matrices;
  const least = Math.min(g.smallChannels, g.largeChannels) / g.groups;
  const channels = least <= 32 ? 32 : g.smallChannels / g.groups <= 64 ? 64 : 128;
  // No more lanes than fetch all channels of the other side at once.
  const SA = Math.min(channels / 32, S > 32 ? 2 : 4);
  const { window } = weightWindow(g);
  // The sums of one tap leave registers for more channels.
  const wide = window.TW === 1 && g.largeChannels / g.groups > 64 && SA > 1 ? 64 : Math.min(32, 16 * SA);
  return { ...matrices, SA, SB: 2, RA: channels / (SA * M), RB: wide / N, KS: 32 / K, ...window };
}
