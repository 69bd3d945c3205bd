/** @file Where an affine map takes the places of an image, as GridSample asks for them. */

import { affineGrid } from "../../../autograd/affine_grid.ts";
import type { Operators } from "../operator.ts";

export const operators: Operators = {
  AffineGrid: {
    device: (c) => affineGrid(c.float(0), c.list(1)!, { alignCorners: c.flag("align_corners") }),
    known: [1],
  },
};
