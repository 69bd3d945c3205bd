/** @file Rows of max pooling, and what the rows of the other pools share. Those: pool_average.ts, pool_unpool.ts. */

import {
  adaptiveMaxPool,
  adaptiveMaxPoolWithIndices,
  DTypeError,
  maxPool,
  maxPoolWithIndices,
  ShapeError,
  sizeOf,
} from "../../../src/index.ts";
import {
  bytesOf,
  cycle,
  everyIndex,
  host,
  type Host,
  type Hosts,
  index,
  type Row,
  type Sample,
  type Shape,
} from "../../lib/row.ts";

export type Spatial = number | readonly number[];

export interface MaxArgs {
  readonly kernelSize: Spatial;
  readonly stride?: Spatial;
  readonly padding?: Spatial;
  readonly dilation?: Spatial;
  readonly ceilMode?: boolean;
}

export interface AdaptiveArgs {
  readonly outputSize: Spatial;
}

export const spread = (value: Spatial, dims: number): readonly number[] =>
  typeof value === "number" ? new Array<number>(dims).fill(value) : value;

/** Positions per axis and output, padding included: PyTorch's formulas of `MaxPool3d` and `AvgPool3d`. */
export function windows(x: Shape, args: MaxArgs): number[][][] {
  const dims = x.length - 2;
  const taps = spread(args.kernelSize, dims);
  const stride = spread(args.stride ?? args.kernelSize, dims);
  const padding = spread(args.padding ?? 0, dims);
  const dilation = spread(args.dilation ?? 1, dims);
  return x.slice(2).map((n, i) => {
    const exact = (n + 2 * padding[i] - dilation[i] * (taps[i] - 1) - 1) / stride[i] + 1;
    let out = args.ceilMode ? Math.ceil(exact) : Math.floor(exact);
    if (args.ceilMode && (out - 1) * stride[i] >= n + padding[i]) out--;
    return Array.from({ length: out }, (_, o) =>
      Array.from({ length: taps[i] }, (_, t) => o * stride[i] - padding[i] + t * dilation[i]),
    );
  });
}

export function adaptiveWindows(x: Shape, { outputSize }: AdaptiveArgs): number[][][] {
  const sizes = spread(outputSize, x.length - 2);
  return x.slice(2).map((n, i) =>
    Array.from({ length: sizes[i] }, (_, o) => {
      const start = Math.floor((o * n) / sizes[i]);
      return Array.from({ length: Math.ceil(((o + 1) * n) / sizes[i]) - start }, (_, t) => start + t);
    }),
  );
}

/** Calls `visit` for each output with the flat positions, inside the input plane, of its window. */
export function everyWindow(
  x: Shape,
  lists: number[][][],
  visit: (o: number, plane: number, window: number[], at: readonly number[]) => void,
): Shape {
  const size = x.slice(2);
  const shape = [x[0], x[1], ...lists.map((l) => l.length)];
  everyIndex(shape, (at, o) => {
    let window = [0];
    size.forEach((n, i) => {
      const inside = lists[i][at[i + 2]].filter((k) => k >= 0 && k < n);
      window = window.flatMap((w) => inside.map((k) => w * n + k));
    });
    visit(o, (at[0] * x[1] + at[1]) * sizeOf(size), window, at);
  });
  return shape;
}

function maxima({ x }: Hosts, lists: number[][][]): { y: Host; indices: Host } {
  const y: number[] = [];
  const indices: number[] = [];
  const shape = everyWindow(x.shape, lists, (o, plane, window) => {
    let best = window[0];
    for (const k of window) if (x.data[plane + k] > x.data[plane + best]) best = k;
    y[o] = x.data[plane + best];
    indices[o] = best;
  });
  return { y: host(shape, Float64Array.from(y)), indices: host(shape, Float64Array.from(indices)) };
}

// PyTorch's choice among equals: the first one.
function tieGradients(inputs: Hosts, lists: number[][][], dy: Host): Record<string, Float64Array> {
  const { indices } = maxima(inputs, lists);
  const dx = new Float64Array(inputs.x.data.length);
  everyWindow(inputs.x.shape, lists, (o, plane) => (dx[plane + indices.data[o]] += dy.data[o]));
  return { x: dx };
}

const maxSample =
  (name: string) =>
  (id: string, shape: Shape, args: MaxArgs): Sample<MaxArgs> => ({ id: `${name}/${id}`, inputs: { x: { shape } }, args });

const maxSamples = (name: string): Sample<MaxArgs>[] => {
  const sample = maxSample(name);
  return [
    sample("1d", [2, 3, 9], { kernelSize: 2 }),
    sample("2d", [2, 3, 8, 6], { kernelSize: 2 }),
    sample("2d-odd", [1, 2, 7, 9], { kernelSize: 2 }),
    sample("2d-overlap-pad", [1, 2, 7, 9], { kernelSize: 3, stride: 2, padding: 1 }),
    sample("2d-stride1", [1, 2, 5, 6], { kernelSize: 3, stride: 1, padding: 1 }),
    sample("2d-gaps", [1, 2, 9, 8], { kernelSize: 2, stride: 3 }),
    sample("2d-dilation-mixed", [1, 2, 9, 8], { kernelSize: [3, 2], stride: [2, 1], padding: [2, 1], dilation: [2, 3] }),
    sample("2d-ceil", [1, 2, 6, 8], { kernelSize: 3, stride: 2, ceilMode: true }),
    sample("2d-ceil-pad", [1, 1, 5, 7], { kernelSize: 2, stride: 3, padding: 1, ceilMode: true }),
    sample("3d", [1, 2, 4, 6, 5], { kernelSize: 2 }),
    sample("3d-mixed", [2, 1, 5, 6, 7], { kernelSize: [1, 3, 2], stride: [1, 2, 3], padding: [0, 1, 1], ceilMode: true }),
    sample("whole", [1, 2, 4, 4], { kernelSize: 4 }),
    sample("empty-batch", [0, 2, 4, 4], { kernelSize: 2 }),
    {
      id: `${name}/ties`,
      inputs: { x: { shape: [2, 2, 8, 8], values: index(3) } },
      args: { kernelSize: 3, stride: 2, padding: 1 },
      gradients: (inputs, dy) => tieGradients(inputs, windows(inputs.x.shape, { kernelSize: 3, stride: 2, padding: 1 }), dy),
    },
    {
      id: `${name}/very-negative`,
      inputs: { x: { shape: [1, 1, 4, 4], values: cycle(-3e38, -1e30, -2e38) } },
      half: false,
      args: { kernelSize: 3, stride: 1, padding: 1 },
      gradients: (inputs, dy) => tieGradients(inputs, windows(inputs.x.shape, { kernelSize: 3, stride: 1, padding: 1 }), dy),
    },
  ];
};

export const windowFlops = ({ x }: Record<string, Shape>, args: MaxArgs) => {
  const lists = windows(x, args);
  return x[0] * x[1] * lists.reduce((n, l) => n * l.length * (l[0]?.length ?? 0), 1);
};
export const pooled = (x: Shape, lists: number[][][]): Shape => [x[0], x[1], ...lists.map((l) => l.length)];

const maxPoolRow: Row<MaxArgs> = {
  name: "maxPool",
  tolerance: { forward: 0, gradient: 1e-6 },
  samples: maxSamples("maxPool"),
  run: ({ x }, args) => maxPool(x, args),
  reference: (inputs, args) => maxima(inputs, windows(inputs.x.shape, args)).y,
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: windowFlops,
  bytes: ({ x }, args) => bytesOf(x, pooled(x, windows(x, args))),
  errors: [
    {
      id: "rank",
      call: (z) => maxPool(z([2, 3]), { kernelSize: 2 }),
      error: ShapeError,
      message: /^maxPool: input must be \[N, C, spatial…\]/,
    },
    {
      id: "padding",
      call: (z) => maxPool(z([1, 1, 8]), { kernelSize: 3, padding: 2 }),
      error: ShapeError,
      message: /^maxPool: padding \[2\] must be at most half of the window \[3\]/,
    },
    {
      id: "small",
      call: (z) => maxPool(z([1, 1, 8, 2]), { kernelSize: 3 }),
      error: ShapeError,
      message: /^maxPool: input size \[8, 2\].* smaller than the window \[3, 3\]/,
    },
    {
      id: "axes",
      call: (z) => maxPool(z([1, 1, 8, 8]), { kernelSize: [2, 2, 2] }),
      error: ShapeError,
      message: /^maxPool: kernelSize has 3 entries for 2 spatial axes/,
    },
    {
      id: "stepped-over",
      call: (z) => maxPool(z([1, 1, 1]), { kernelSize: 2, padding: 2, dilation: 3, stride: 1 }),
      error: ShapeError,
      message: /^maxPool: a window of dilation \[3\] has no element/,
    },
    {
      id: "empty",
      call: (z) => maxPool(z([1, 1, 0]), { kernelSize: 1 }),
      error: ShapeError,
      message: /^maxPool: .* empty spatial axis/,
    },
    {
      id: "dtype",
      call: (z) => maxPool(z([1, 1, 4], "i32"), { kernelSize: 2 }),
      error: DTypeError,
      message: /^maxPool: input has type i32/,
    },
  ],
};

const maxPoolWithIndicesRow: Row<MaxArgs> = {
  ...maxPoolRow,
  name: "maxPoolWithIndices",
  tolerance: { forward: 0 },
  samples: maxSamples("maxPoolWithIndices"),
  run: ({ x }, args) => {
    const { output, indices } = maxPoolWithIndices(x, args);
    output.dispose();
    return indices;
  },
  reference: (inputs, args) => maxima(inputs, windows(inputs.x.shape, args)).indices,
  differentiable: [],
  splits: true,
  half: ["x"],
  errors: [],
};

export const adaptiveSamples = (name: string): Sample<AdaptiveArgs>[] => {
  const sample = (id: string, shape: Shape, outputSize: Spatial): Sample<AdaptiveArgs> => ({
    id: `${name}/${id}`,
    inputs: { x: { shape } },
    args: { outputSize },
  });
  return [
    sample("1d", [2, 3, 10], 4),
    sample("2d", [1, 2, 7, 9], [3, 4]),
    sample("2d-larger", [1, 2, 3, 4], [5, 7]),
    sample("2d-one", [2, 9, 5, 4], 1),
    sample("2d-same", [1, 2, 3, 4], [3, 4]),
    sample("3d", [1, 2, 5, 6, 7], [2, 1, 3]),
    sample("empty-batch", [0, 2, 3, 4], 2),
  ];
};

export const adaptiveFlops = ({ x }: Record<string, Shape>, args: AdaptiveArgs) =>
  x[0] * x[1] * adaptiveWindows(x, args).reduce((n, l) => n * l.reduce((m, w) => m + w.length, 0), 1);

const adaptiveMaxPoolRow: Row<AdaptiveArgs> = {
  name: "adaptiveMaxPool",
  tolerance: { forward: 0, gradient: 1e-6 },
  samples: adaptiveSamples("adaptiveMaxPool"),
  run: ({ x }, { outputSize }) => adaptiveMaxPool(x, outputSize),
  reference: (inputs, args) => maxima(inputs, adaptiveWindows(inputs.x.shape, args)).y,
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: adaptiveFlops,
  bytes: ({ x }, args) => bytesOf(x, pooled(x, adaptiveWindows(x, args))),
  errors: [
    {
      id: "size",
      call: (z) => adaptiveMaxPool(z([1, 1, 4]), 0),
      error: ShapeError,
      message: /^adaptiveMaxPool: outputSize must be integers of at least 1/,
    },
    {
      id: "dtype",
      call: (z) => adaptiveMaxPool(z([1, 1, 4], "u32"), 1),
      error: DTypeError,
      message: /^adaptiveMaxPool: input has type u32/,
    },
  ],
};

const adaptiveMaxPoolWithIndicesRow: Row<AdaptiveArgs> = {
  ...adaptiveMaxPoolRow,
  name: "adaptiveMaxPoolWithIndices",
  tolerance: { forward: 0 },
  samples: adaptiveSamples("adaptiveMaxPoolWithIndices"),
  run: ({ x }, { outputSize }) => {
    const { output, indices } = adaptiveMaxPoolWithIndices(x, outputSize);
    output.dispose();
    return indices;
  },
  reference: (inputs, args) => maxima(inputs, adaptiveWindows(inputs.x.shape, args)).indices,
  differentiable: [],
  splits: true,
  half: ["x"],
  errors: [],
};

export const rows = [maxPoolRow, maxPoolWithIndicesRow, adaptiveMaxPoolRow, adaptiveMaxPoolWithIndicesRow];
