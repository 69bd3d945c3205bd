/** @file Places of extremes. */

import { cast } from "../../../autograd/cast.ts";
import { argmax, argmin } from "../../../autograd/indexing.ts";
import { affine } from "../../../autograd/pointwise.ts";
import { flip } from "../../../autograd/view.ts";
import type { Op } from "../call.ts";
import type { Operators } from "../operator.ts";

const extreme =
  (find: typeof argmax): Op =>
  (c) => {
    const x = c.float(0);
    const [axis, keepDims] = [c.axis(c.int("axis", 0), x.rank), c.flag("keepdims", true)];
    if (!c.flag("select_last_index")) return find(x, axis, { keepDims });
    return cast(affine(cast(find(flip(x, axis), axis, { keepDims }), "f32"), -1, x.shape[axis] - 1), "i32");
  };

export const operators: Operators = { ArgMax: { device: extreme(argmax) }, ArgMin: { device: extreme(argmin) } };
