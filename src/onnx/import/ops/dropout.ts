/** @file Dropout, which passes on what it gets. */

import { full } from "../../../kernels/view.ts";
import { type Value } from "../../values.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

// Both outputs: the second tells what was kept.
function dropout(c: Call): Value[] {
  c.expectMoved(["ratio"], 1, 12);
  if (c.opset < 7 && !c.flag("is_test")) throw c.unsupported("training (is_test = 0; export the model in evaluation instead)");
  if (c.opset >= 12 && c.number(2, 0) !== 0 && c.number(1, 0.5) !== 0)
    throw c.unsupported("training_mode (export the model in evaluation instead)");
  return c.node.outputs.length === 1 ? [c.input(0)] : [c.input(0), full(c.device, c.shape(0), 1)];
}

export const operators: Operators = { Dropout: { device: dropout, known: [1, 2] } };
