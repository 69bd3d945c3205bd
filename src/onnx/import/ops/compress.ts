/** @file The parts of an axis, or of all elements, that a list of truth values keeps. */

import { indexSelect } from "../../../autograd/indexing.ts";
import { reshape } from "../../../autograd/view.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

function kept(c: Call): Tensor {
  const given = c.tensor(0);
  const x = c.attribute("axis") ? given : reshape(given, [given.size]);
  const axis = c.axis(c.int("axis", 0), x.rank);
  const places = c.list(1)!.flatMap((on, i) => (on === 0 ? [] : [i]));
  if (places.length === 0) throw c.unsupported("an empty result");
  if (places.at(-1)! >= x.shape[axis]) throw c.wrong(`the condition keeps number ${places.at(-1)} of ${x.shape[axis]}`);
  return indexSelect(x, axis, c.device.tensor({ data: Int32Array.from(places), shape: [places.length] }, "i32"));
}

export const operators: Operators = { Compress: { device: kept, known: [1] } };
