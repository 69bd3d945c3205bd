/** @file Which convolutions conv/window.wgsl takes, and how it cuts them. */

import type { ConvGeometry } from "./shape.ts";
import { LP } from "../shaders/conv/window.gen.ts";
import { hasTile } from "./tile.ts";

/** See conv/window.wgsl: a lane owns LC channels by LP positions, and reads windows of KW taps, STEP input channels at a time. */
export interface WindowTile {
  readonly LC: number;
  readonly KW: number;
  readonly STEP: number;
}

const outputsOf = (g: ConvGeometry, transposed: boolean): number => (transposed ? g.largeChannels : g.smallChannels) / g.groups;

/** Whether the kernel takes it: all output channels of a group are one lane's. */
export const hasWindow = (g: ConvGeometry, transposed: boolean): boolean => outputsOf(g, transposed) <= 16 && hasTile(g);

// Whether the outputs of each lane lie in one row, and each tap along W reads one place on.
const slides = (g: ConvGeometry, transposed: boolean): boolean =>
  g.taps[2] <= 7 && g.stride[2] === 1 && g.dilation[2] === 1 && (transposed ? g.large : g.small)[2] % LP === 0;

/** All channels, and steps of so many products that what a step costs beside them is little. */
export function windowTile(g: ConvGeometry, transposed: boolean): WindowTile {
  const LC = [1, 2, 4, 8].find((channels) => outputsOf(g, transposed) <= channels) ?? 16;
  const KW = slides(g, transposed) ? g.taps[2] : 1;
  const inputs = (transposed ? g.smallChannels : g.largeChannels) / g.groups;
  return { LC, KW, STEP: Math.min(LC === 16 && KW > 1 ? 4 : 8, 2 ** Math.ceil(Math.log2(Math.max(1, inputs)))) };
}
