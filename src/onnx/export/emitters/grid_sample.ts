/** @file Nodes of sampling at positions. */

import type { Emitter, Emitters } from "../emission.ts";

const gridSample: Emitter = ({ builder, inputs, result, args }) => {
  // Volumes only from operator set 20 on.
  if (result.rank !== 4) return undefined;
  const { mode = "bilinear", paddingMode = "zeros", alignCorners = false } = args.options;
  return builder.node("GridSample", inputs, { mode, padding_mode: paddingMode, align_corners: alignCorners ? 1 : 0 });
};

export const emitters: Emitters = { gridSample };
