/** @file What `npm run bench` times: rows of the op test table at sizes that matter. Flops and bytes are the rows' own. */

import { rows as binary } from "../test/ops/rows/binary.ts";
import { rows as conv } from "../test/ops/rows/conv.ts";
import { rows as norm } from "../test/ops/rows/norm.ts";
import { rows as pointwise } from "../test/ops/rows/pointwise.ts";
import { rows as prelu } from "../test/ops/rows/prelu.ts";
import { rows as reduce } from "../test/ops/rows/reduce.ts";
import { rows as region } from "../test/ops/rows/region.ts";
import type { Row, Shapes } from "../test/lib/row.ts";
import { rows as softmax } from "../test/ops/rows/softmax.ts";
import { rows as view } from "../test/ops/rows/view.ts";

export interface BenchCase {
  readonly name: string;
  readonly row: Row<unknown>;
  readonly shapes: Shapes;
  readonly args: unknown;
}

const all = [binary, conv, norm, pointwise, prelu, reduce, region, softmax, view].flat() as Row<unknown>[];

function bench(op: string, label: string, shapes: Shapes, args: unknown = {}): BenchCase {
  const row = all.find((r) => r.name === op);
  if (!row) throw new Error(`no row of the op table is called ${op}`);
  return { name: `${op} ${label}`, row, shapes, args };
}

const image = [4, 16, 128, 128];
const volume = [1, 16, 48, 48, 48];

export const cases: readonly BenchCase[] = [
  bench("conv", "2-D 4x32->64x128² k3", { x: [4, 32, 128, 128], weight: [64, 32, 3, 3] }, { padding: 1 }),
  bench("conv", "2-D 4x16->16x128² k3", { x: image, weight: [16, 16, 3, 3] }, { padding: 1 }),
  bench("conv", "2-D 4x1->16x128² k3 s2", { x: [4, 1, 128, 128], weight: [16, 1, 3, 3] }, { padding: 1, stride: 2 }),
  bench("conv", "2-D 16x128->128x6² k3", { x: [16, 128, 6, 6], weight: [128, 128, 3, 3] }, { padding: 1 }),
  bench("conv", "3-D 1x16->32x48³ k3", { x: volume, weight: [32, 16, 3, 3, 3] }, { padding: 1 }),
  bench(
    "convTranspose",
    "2-D 4x32->16x64² k3 s2",
    { x: [4, 32, 64, 64], weight: [32, 16, 3, 3] },
    { stride: 2, padding: 1, outputPadding: 1 },
  ),
  bench("convTranspose", "3-D 1x32->16x24³ k2 s2", { x: [1, 32, 24, 24, 24], weight: [32, 16, 2, 2, 2] }, { stride: 2 }),
  bench("instanceNorm", "4x16x128²", { x: image }),
  bench("instanceNorm", "1x16x48³", { x: volume }),
  bench("prelu", "4x16x128²", { x: image, weight: [1] }),
  bench("relu", "4x16x128²", { x: image }, { parameters: [] }),
  bench("add", "4x16x128²", { a: image, b: image }),
  bench("softmax", "4x3x128²", { x: [4, 3, 128, 128] }, { axis: 1 }),
];
