/** @file Row of what cuts a value off its history. */

import { detach } from "../../../src/index.ts";
import { bytesOf, type Row } from "../../lib/row.ts";

const row: Row<object> = {
  name: "detach",
  samples: [
    { id: "detach/matrix", inputs: { x: { shape: [2, 3] } }, args: {} },
    { id: "detach/empty", inputs: { x: { shape: [0] } }, args: {} },
  ],
  run: ({ x }) => detach(x),
  reference: ({ x }) => x,
  differentiable: [],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: ({ x }) => 2 * bytesOf(x),
  tolerance: { forward: 0 },
};

export const rows = [row];
