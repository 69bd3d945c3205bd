/** @file Reading by tuples of indices. */

import { indexSelect } from "../../../autograd/indexing.ts";
import { reshape } from "../../../autograd/view.ts";
import { sizeOf } from "../../../host/array.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { hostOf, type HostValue, isHost } from "../../values.ts";
import { expectSmall } from "../broadcast.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";
import { deviceRows, hostRows, table } from "../tuples.ts";

function pick(c: Call): Tensor {
  const t = table(c);
  const index = c.input(1);
  const rows = isHost(index)
    ? c.device.tensor({ data: hostRows(c, index, t), shape: [sizeOf(t.lead)] }, "i32")
    : deviceRows(c, index, t);
  return reshape(indexSelect(reshape(c.tensor(0), [t.rows, t.inner]), 0, rows), [...t.lead, ...t.rest]);
}

function hostPick(c: Call): HostValue {
  const t = table(c);
  const x = c.known(0);
  const shape = [...t.lead, ...t.rest];
  expectSmall(c, shape);
  const rows = hostRows(c, c.known(1), t);
  return hostOf(x.kind, shape, (i) => x.data[rows[Math.floor(i / t.inner)] * t.inner + (i % t.inner)], x.type);
}

export const operators: Operators = { GatherND: { device: pick, host: hostPick } };
