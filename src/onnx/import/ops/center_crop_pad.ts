/** @file Axes cut or filled with zeros to a size, the middle in the middle. */

import { pad } from "../../../autograd/pad.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

function centered(c: Call): Tensor {
  const x = c.tensor(0);
  const axes = (c.ints("axes") ?? x.shape.map((_, i) => i)).map((a) => c.axis(a, x.rank));
  const wanted = c.list(1)!;
  if (wanted.length !== axes.length) throw c.wrong(`${wanted.length} sizes for ${axes.length} axes`);
  const ends = x.shape.map(() => [0, 0]);
  // Of an odd number the start gets less, whether it is taken away or put there.
  axes.forEach((a, i) => {
    const more = wanted[i] - x.shape[a];
    const before = Math.trunc(more / 2);
    ends[a] = [before, more - before];
  });
  return pad(x, ends.toReversed().flat());
}

export const operators: Operators = { CenterCropPad: { device: centered, known: [1] } };
