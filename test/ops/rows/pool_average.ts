/** @file Rows of average pooling. */

import { adaptiveAvgPool, avgPool, ConfigError, DTypeError, globalAvgPool, ShapeError, sizeOf } from "../../../src/index.ts";
import { bytesOf, everyIndex, flatten, host, type Host, type Hosts, type Row, type Sample, type Shape } from "../../lib/row.ts";
import {
  type AdaptiveArgs,
  adaptiveFlops,
  adaptiveSamples,
  adaptiveWindows,
  everyWindow,
  type MaxArgs,
  pooled,
  spread,
  windowFlops,
  windows,
} from "./pool.ts";

interface AvgArgs extends MaxArgs {
  readonly countIncludePad?: boolean;
  readonly divisorOverride?: number;
}

function average({ x }: Hosts, lists: number[][][], divisor: (window: readonly number[], at: readonly number[]) => number): Host {
  const y: number[] = [];
  const shape = everyWindow(x.shape, lists, (o, plane, window, at) => {
    y[o] = window.reduce((sum, k) => sum + x.data[plane + k], 0) / divisor(window, at);
  });
  return host(shape, Float64Array.from(y));
}

function avgReference(inputs: Hosts, args: AvgArgs): Host {
  const lists = windows(inputs.x.shape, args);
  const padding = spread(args.padding ?? 0, inputs.x.shape.length - 2);
  // What lies beyond the padding asked for is not counted.
  const padded = (at: readonly number[]) =>
    lists.reduce((n, l, i) => n * l[at[i + 2]].filter((k) => k < inputs.x.shape[i + 2] + padding[i]).length, 1);
  return average(
    inputs,
    lists,
    (window, at) => args.divisorOverride ?? (args.countIncludePad === false ? window.length : padded(at)),
  );
}

const avg = (id: string, shape: Shape, args: AvgArgs): Sample<AvgArgs> => ({
  id: `avgPool/${id}`,
  inputs: { x: { shape } },
  args,
});

const avgPoolRow: Row<AvgArgs> = {
  name: "avgPool",
  samples: [
    avg("1d", [2, 3, 9], { kernelSize: 2 }),
    avg("2d", [2, 3, 8, 6], { kernelSize: 2 }),
    avg("2d-many-channels", [2, 9, 4, 6], { kernelSize: 2 }),
    avg("2d-overlap-pad", [1, 2, 7, 9], { kernelSize: 3, stride: 2, padding: 1 }),
    avg("2d-exclude-pad", [1, 2, 7, 9], { kernelSize: 3, stride: 2, padding: 1, countIncludePad: false }),
    avg("2d-ceil", [1, 2, 6, 8], { kernelSize: 3, stride: 2, padding: 1, ceilMode: true }),
    avg("2d-ceil-exclude-pad", [1, 5, 6, 8], { kernelSize: 3, stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
    avg("2d-divisor", [1, 2, 6, 7], { kernelSize: [3, 2], stride: [2, 1], padding: [1, 0], divisorOverride: 5 }),
    avg("2d-gaps", [1, 2, 9, 8], { kernelSize: 2, stride: 3 }),
    avg("2d-wide", [1, 2, 20, 24], { kernelSize: 9, stride: 1, padding: 4 }),
    avg("3d", [1, 2, 4, 6, 5], { kernelSize: 2 }),
    avg("3d-mixed", [2, 1, 5, 6, 7], { kernelSize: [1, 3, 2], stride: [1, 2, 3], padding: [0, 1, 1], ceilMode: true }),
    avg("identity", [1, 2, 3, 4], { kernelSize: 1 }),
    avg("empty-batch", [0, 2, 4, 4], { kernelSize: 2 }),
  ],
  run: ({ x }, args) => avgPool(x, args),
  reference: avgReference,
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: windowFlops,
  bytes: ({ x }, args) => bytesOf(x, pooled(x, windows(x, args))),
  errors: [
    { id: "rank", call: (z) => avgPool(z([2, 3]), { kernelSize: 2 }), error: ShapeError, message: /^avgPool: input must be/ },
    {
      id: "divisor",
      call: (z) => avgPool(z([1, 1, 4]), { kernelSize: 2, divisorOverride: 0 }),
      error: ConfigError,
      message: /^avgPool: divisorOverride must not be 0/,
    },
    {
      id: "dtype",
      call: (z) => avgPool(z([1, 1, 4], "i32"), { kernelSize: 2 }),
      error: DTypeError,
      message: /^avgPool: input has type i32/,
    },
  ],
};

const adaptiveAvgPoolRow: Row<AdaptiveArgs> = {
  name: "adaptiveAvgPool",
  samples: adaptiveSamples("adaptiveAvgPool"),
  run: ({ x }, { outputSize }) => adaptiveAvgPool(x, outputSize),
  reference: (inputs, args) => average(inputs, adaptiveWindows(inputs.x.shape, args), (window) => window.length),
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: adaptiveFlops,
  bytes: ({ x }, args) => bytesOf(x, pooled(x, adaptiveWindows(x, args))),
  errors: [
    {
      id: "axes",
      call: (z) => adaptiveAvgPool(z([1, 1, 4]), [1, 2]),
      error: ShapeError,
      message: /^adaptiveAvgPool: outputSize has 2 entries for 1 spatial axes/,
    },
  ],
};

const globalAvgPoolRow: Row<object> = {
  name: "globalAvgPool",
  samples: [
    { id: "globalAvgPool/1d", inputs: { x: { shape: [2, 3, 9] } }, args: {} },
    { id: "globalAvgPool/2d", inputs: { x: { shape: [2, 3, 5, 6] } }, args: {} },
    { id: "globalAvgPool/3d", inputs: { x: { shape: [1, 4, 5, 6, 7] } }, args: {} },
  ],
  run: ({ x }) => globalAvgPool(x),
  reference: ({ x }) => {
    const inner = sizeOf(x.shape.slice(2));
    const y = host([x.shape[0], x.shape[1], ...x.shape.slice(2).map(() => 1)]);
    everyIndex(x.shape, (at, i) => (y.data[flatten(x.shape.slice(0, 2), at.slice(0, 2))] += x.data[i] / inner));
    return y;
  },
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: ({ x }) => sizeOf(x),
  bytes: ({ x }) => bytesOf(x),
  errors: [
    {
      id: "rank",
      call: (z) => globalAvgPool(z([2, 3])),
      error: ShapeError,
      message: /^globalAvgPool: input must be \[N, C, spatial…\], got \[2, 3\]/,
    },
  ],
};

export const rows = [avgPoolRow, adaptiveAvgPoolRow, globalAvgPoolRow];
