/** @file All operators that can be run, and which of their inputs must be known before anything runs. */

import type { Ops } from "./call.ts";
import { hostOps, shapeOps } from "./host_ops.ts";
import type { OnnxNode } from "../model.ts";
import { moveOps } from "./ops/moves.ts";
import { pointwiseOps } from "./ops/pointwise.ts";
import { reduceOps } from "./ops/reduce.ts";
import { resizeOps } from "./ops/resize.ts";
import { windowOps } from "./ops/windows.ts";

export const deviceOps: Ops = { ...pointwiseOps, ...moveOps, ...reduceOps, ...resizeOps, ...windowOps };

export const supported = (node: OnnxNode): boolean =>
  node.domain === "" && [deviceOps, hostOps, shapeOps, { Constant: true }].some((table) => Object.hasOwn(table, node.op));

const reductions = Object.keys(deviceOps).filter((op) => op.startsWith("Reduce"));

/** Inputs that tell shapes, axes, sizes or bounds rather than data. */
const knownInputs: Readonly<Record<string, readonly number[]>> = {
  Clip: [1, 2],
  ConstantOfShape: [0],
  CumSum: [1],
  Dropout: [1, 2],
  Expand: [1],
  MaxUnpool: [2],
  Pad: [1, 2, 3],
  Range: [0, 1, 2],
  Reshape: [1],
  Resize: [1, 2, 3],
  Slice: [1, 2, 3, 4],
  Split: [1],
  Squeeze: [1],
  Tile: [1],
  Trilu: [1],
  Unsqueeze: [1],
  Upsample: [1],
  ...Object.fromEntries(reductions.map((op) => [op, [1]])),
};

export const isKnownInput = (node: OnnxNode, i: number): boolean => knownInputs[node.op]?.includes(i) ?? false;
