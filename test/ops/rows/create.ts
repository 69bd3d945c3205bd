/** @file Rows of tensors made from nothing. */

import { arange, ConfigError, type DType, eye, full, linspace, ones, ShapeError, sizeOf, zeros } from "../../../src/index.ts";
import { bytesOf, host, type Row, type Sample, type Shape } from "../../lib/row.ts";

const common = { tolerance: { forward: 0 }, differentiable: [], splits: true, half: "made from nothing", flops: () => 0 };

interface ShapeArgs {
  readonly shape: Shape;
  readonly dtype?: DType;
}

const filled = (name: string, run: Row<ShapeArgs>["run"], value: number): Row<ShapeArgs> => ({
  ...common,
  name,
  samples: [
    { id: `${name}/f32`, inputs: {}, args: { shape: [2, 3, 150] } },
    { id: `${name}/u32`, inputs: {}, args: { shape: [7], dtype: "u32" } },
    { id: `${name}/scalar`, inputs: {}, args: { shape: [] } },
    { id: `${name}/empty`, inputs: {}, args: { shape: [3, 0] } },
  ],
  run,
  reference: (_, { shape }) => host(shape, new Float64Array(sizeOf(shape)).fill(value)),
  bytes: (_, { shape }) => bytesOf(shape),
});

const zerosRow = filled("zeros", (_, { shape, dtype }, gpu) => zeros(gpu, shape, dtype), 0);
const onesRow = filled("ones", (_, { shape, dtype }, gpu) => ones(gpu, shape, dtype), 1);

interface RangeArgs {
  readonly start: number;
  readonly stop: number;
  readonly step?: number;
  readonly dtype?: DType;
}

const arangeRow: Row<RangeArgs> = {
  ...common,
  name: "arange",
  samples: [
    { id: "arange/count", inputs: {}, args: { start: 0, stop: 7 } },
    { id: "arange/step", inputs: {}, args: { start: 1, stop: 2.5, step: 0.5 } },
    { id: "arange/past", inputs: {}, args: { start: 1, stop: 2.6, step: 0.5 } },
    { id: "arange/down", inputs: {}, args: { start: 5, stop: 0, step: -2 } },
    { id: "arange/i32", inputs: {}, args: { start: -3, stop: 4, dtype: "i32" } },
    { id: "arange/tenths", inputs: {}, args: { start: 0, stop: 100, step: 0.1 } },
    { id: "arange/empty", inputs: {}, args: { start: 2, stop: 2 } },
  ],
  run: (_, { start, stop, step, dtype }, gpu) => arange(gpu, start, stop, step, dtype),
  reference: (_, { start, stop, step = 1 }) => {
    const list: number[] = [];
    for (let i = 0; step > 0 ? start + i * step < stop : start + i * step > stop; i++) list.push(Math.fround(start + i * step));
    return host([list.length], Float64Array.from(list));
  },
  bytes: (_, { start, stop, step = 1 }) => (4 * (stop - start)) / step,
  errors: [
    {
      id: "away",
      call: (_, gpu) => arange(gpu, 0, 3, -1),
      error: ConfigError,
      message: /^arange: steps of -1 do not lead from 0 to 3/,
    },
    { id: "zero", call: (_, gpu) => arange(gpu, 0, 3, 0), error: ConfigError, message: /^arange: steps of 0/ },
  ],
};

interface LinspaceArgs {
  readonly start: number;
  readonly stop: number;
  readonly steps: number;
}

const linspaceRow: Row<LinspaceArgs> = {
  ...common,
  name: "linspace",
  samples: [
    { id: "linspace/up", inputs: {}, args: { start: -1, stop: 1, steps: 5 } },
    { id: "linspace/down", inputs: {}, args: { start: 0.3, stop: 0.1, steps: 10 } },
    { id: "linspace/one", inputs: {}, args: { start: 2, stop: 3, steps: 1 } },
    { id: "linspace/none", inputs: {}, args: { start: 2, stop: 3, steps: 0 } },
  ],
  run: (_, { start, stop, steps }, gpu) => linspace(gpu, start, stop, steps),
  reference: (_, { start, stop, steps }) =>
    host(
      [steps],
      Float64Array.from({ length: steps }, (_, i) => Math.fround(steps > 1 ? start + ((stop - start) * i) / (steps - 1) : start)),
    ),
  bytes: (_, { steps }) => 4 * steps,
  errors: [
    {
      id: "steps",
      call: (_, gpu) => linspace(gpu, 0, 1, -1),
      error: ShapeError,
      message: /^linspace: steps must be an integer of at least 0, got -1/,
    },
  ],
};

interface EyeArgs {
  readonly rows: number;
  readonly columns?: number;
}

const eyeRow: Row<EyeArgs> = {
  ...common,
  name: "eye",
  samples: [
    { id: "eye/square", inputs: {}, args: { rows: 4 } },
    { id: "eye/wide", inputs: {}, args: { rows: 2, columns: 5 } },
    { id: "eye/tall", inputs: {}, args: { rows: 5, columns: 2 } },
    { id: "eye/empty", inputs: {}, args: { rows: 0 } },
  ],
  run: (_, { rows, columns }, gpu) => eye(gpu, rows, columns),
  reference: (_, { rows, columns = rows }) =>
    host(
      [rows, columns],
      Float64Array.from({ length: rows * columns }, (_, i) => (Math.floor(i / columns) === i % columns ? 1 : 0)),
    ),
  bytes: (_, { rows, columns = rows }) => 4 * rows * columns,
  errors: [
    {
      id: "sizes",
      call: (_, gpu) => eye(gpu, -1),
      error: ShapeError,
      message: /^eye: sizes must be integers of at least 0, got -1 and -1/,
    },
  ],
};

interface FullArgs {
  readonly shape: Shape;
  readonly value: number;
  readonly dtype?: "f32" | "i32" | "u32";
}

const fill = (id: string, shape: Shape, value: number, dtype?: "f32" | "i32" | "u32"): Sample<FullArgs> => ({
  id: `full/${id}`,
  inputs: {},
  args: { shape, value, dtype },
});

const fullRow: Row<FullArgs> = {
  ...common,
  name: "full",
  samples: [
    fill("f32", [2, 3, 4], -0.75),
    fill("zero", [5], 0),
    fill("scalar", [], 3),
    fill("i32", [3, 3], -7, "i32"),
    fill("u32", [70], 4_000_000_000, "u32"),
    fill("large", [300, 1000], 1.5),
  ],
  run: (_, { shape, value, dtype }, device) => full(device, shape, value, dtype),
  reference: (_, { shape, value }) => host(shape, new Float64Array(sizeOf(shape)).fill(value)),
  bytes: (_, { shape }) => bytesOf(shape),
};

export const rows = [fullRow, zerosRow, onesRow, arangeRow, linspaceRow, eyeRow];
