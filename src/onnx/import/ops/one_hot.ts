/** @file Indices as rows of two values, one of them at the index. */

import { cast } from "../../../autograd/cast.ts";
import * as f from "../../../autograd/pointwise.ts";
import { reshape, slice } from "../../../autograd/view.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { isHost } from "../../values.ts";
import type { Call } from "../call.ts";
import { isInteger } from "../integers.ts";
import type { Operators } from "../operator.ts";

function oneHot(c: Call): Tensor {
  const index = c.float(0);
  const depth = c.number(1, 0);
  if (!Number.isInteger(depth) || depth < 1) throw c.wrong(`the depth is ${depth}`);
  const axis = c.axis(c.int("axis", -1), index.rank + 1);
  const at = reshape(index, index.shape.toSpliced(axis, 0, 1));
  // Those below 0 count from the end; what is outside on either side hits nothing.
  const places = f.where(f.lt(at, 0), f.add(at, depth), at);
  const order = c.device.tensor({
    data: Float32Array.from({ length: depth }, (_, i) => i),
    shape: at.shape.map((_, i) => (i === axis ? depth : 1)),
  });
  return withValues(c, f.eq(places, order));
}

function withValues(c: Call, hits: Tensor): Tensor {
  const values = c.input(2);
  if (isHost(values)) {
    const [off, on] = values.data;
    const y = f.affine(hits, on - off, off);
    return isInteger(values) ? cast(y, "i32") : y;
  }
  const part = (i: number) => reshape(slice(c.float(2), [[i, i + 1]]), []);
  const y = f.where(hits, part(1), part(0));
  return isInteger(values) ? cast(y, "i32") : y;
}

export const operators: Operators = { OneHot: { device: oneHot, known: [1] } };
