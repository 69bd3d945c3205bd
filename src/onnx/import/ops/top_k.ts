/** @file The largest or smallest elements of an axis. */

import { cast } from "../../../autograd/cast.ts";
import { gather } from "../../../autograd/indexing.ts";
import * as f from "../../../autograd/pointwise.ts";
import { noGrad } from "../../../autograd/tape.ts";
import { concat } from "../../../autograd/view.ts";
import { argmax } from "../../../kernels/indexing.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import { likewise } from "../integers.ts";
import type { Operators } from "../operator.ts";

// Each is one pass over the tensor: more would take minutes.
const mostRounds = 1024;
const lowest = -3.4028234663852886e38;

/** Takes the first of the greatest, crosses it out, and goes on. */
function places(c: Call, x: Tensor, axis: number, count: number): Tensor {
  const order = c.device.tensor({
    data: Float32Array.from({ length: x.shape[axis] }, (_, i) => i),
    shape: x.shape.map((d, i) => (i === axis ? d : 1)),
  });
  // What is crossed out must be less than everything else: −∞ itself counts as the least finite number.
  let left = f.maximum(c.flag("largest", true) ? x : f.neg(x), lowest);
  const found: Tensor[] = [];
  for (let k = 0; k < count; k++) {
    const best = argmax(left, axis, true);
    found.push(best);
    if (k + 1 < count) left = f.where(f.eq(order, cast(best, "f32")), -Infinity, left);
  }
  return concat(found, axis);
}

function topK(c: Call): Tensor[] {
  const x = c.float(0);
  const axis = c.axis(c.int("axis", -1), x.rank);
  c.expectMoved(["k"], 1, 10);
  const count = c.opset < 10 ? c.int("k", 0) : c.number(1, 0);
  if (count < 0 || count > x.shape[axis]) throw c.wrong(`the first ${count} of an axis of ${x.shape[axis]}`);
  if (count > mostRounds) throw c.unsupported(`more than the first ${mostRounds} (here ${count})`);
  if (count === 0) throw c.unsupported("an empty result (the first 0)");
  const indices = noGrad(() => places(c, x, axis, count));
  return [likewise(c, gather(x, axis, indices), [c.input(0)]), indices];
}

export const operators: Operators = { TopK: { device: topK, known: [1] } };
