/** @file Places of extremes. */

import { cast } from "../../../autograd/cast.ts";
import { affine } from "../../../autograd/pointwise.ts";
import { report } from "../../../autograd/tape.ts";
import { flip } from "../../../autograd/view.ts";
import { argmax, argmin } from "../../../kernels/indexing.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Op } from "../call.ts";
import type { Operators } from "../operator.ts";

const extreme =
  (op: "argmax" | "argmin"): Op =>
  (c) => {
    const x = c.float(0);
    const [axis, keepDims] = [c.axis(c.int("axis", 0), x.rank), c.flag("keepdims", true)];
    const first = (t: Tensor) => report(op, [t], (op === "argmax" ? argmax : argmin)(t, axis, keepDims), { axis, keepDims });
    if (!c.flag("select_last_index")) return first(x);
    return cast(affine(cast(first(flip(x, axis)), "f32"), -1, x.shape[axis] - 1), "i32");
  };

export const operators: Operators = { ArgMax: { device: extreme("argmax") }, ArgMin: { device: extreme("argmin") } };
