/** @file Rows of pad and roll. */

import { ConfigError, pad, type PadMode, roll, ShapeError } from "../../../src/index.ts";
import {
  bytesOf,
  everyIndex,
  flatten,
  host,
  type Host,
  type Hosts,
  index,
  mapped,
  type Row,
  type Sample,
  type Shape,
} from "../../lib/row.ts";

const tolerance = { forward: 0, gradient: 2e-6 }; // gradients are short sums
const mod = (a: number, n: number) => ((a % n) + n) % n;

export interface PadArgs {
  readonly padding: readonly number[];
  readonly mode?: PadMode;
  readonly value?: number;
}

/** One axis after the other on plain lists: crop or extend each end by one element at a time. */
function padList(size: number, before: number, after: number, mode: PadMode): (number | undefined)[] {
  const whole = Array.from({ length: size }, (_, i) => i);
  let list: (number | undefined)[] = whole.slice(Math.max(0, -before), size - Math.max(0, -after));
  if (mode === "circular") {
    const kept = list;
    const wrap = (k: number) => kept[mod(k, kept.length)];
    return Array.from({ length: size + before + after }, (_, k) => wrap(k - Math.max(0, before)));
  }
  const outside = (k: number): number | undefined => {
    if (mode === "constant") return undefined;
    if (mode === "replicate") return k < 0 ? 0 : size - 1;
    return k < 0 ? -k : 2 * (size - 1) - k;
  };
  // Cropping more than there is on one side leaves only what is added on the other.
  if (size + Math.min(before, 0) + Math.min(after, 0) < 0) {
    return Array.from({ length: size + before + after }, (_, k) => outside(k - before));
  }
  for (let k = 1; k <= before; k++) list = [outside(-k), ...list];
  for (let k = 0; k < after; k++) list = [...list, outside(size + k)];
  return list;
}

export function padReference({ x }: Hosts, { padding, mode = "constant", value = 0 }: PadArgs): Host {
  const lists = x.shape.map((size, axis) => {
    const at = 2 * (x.shape.length - 1 - axis);
    return padList(size, padding[at] ?? 0, padding[at + 1] ?? 0, mode);
  });
  const y = host(lists.map((l) => l.length));
  everyIndex(y.shape, (at, flat) => {
    const from = at.map((k, axis) => lists[axis][k]);
    y.data[flat] = from.includes(undefined) ? value : x.data[flatten(x.shape, from as number[])];
  });
  return y;
}

const padded = (id: string, shape: Shape, padding: readonly number[], mode?: PadMode, value?: number): Sample<PadArgs> => ({
  id: `pad/${id}`,
  inputs: { x: { shape } },
  args: { padding, ...(mode ? { mode } : {}), ...(value === undefined ? {} : { value }) },
});

const padRow: Row<PadArgs> = {
  name: "pad",
  tolerance,
  samples: [
    padded("constant-last", [2, 3], [1, 2]),
    padded("constant-value", [2, 3, 4], [1, 0, 2, 1], "constant", -1.5),
    padded("constant-volume", [1, 2, 3, 4, 5], [1, 2, 3, 0, 0, 1]),
    padded("constant-crop", [4, 6], [-1, -2, -1, 0]),
    padded("constant-crop-and-grow", [4, 6], [-2, 3, 2, -3], "constant", 7),
    padded("constant-nothing-left", [3, 4], [-2, -2]),
    padded("constant-empty", [0, 2], [1, 1, 2, 0], "constant", 0.5),
    padded("constant-far", [3], [-5, 6], "constant", 2),
    padded("reflect-1d", [2, 3, 5], [4, 2], "reflect"),
    padded("reflect-2d", [1, 2, 4, 5], [1, 2, 3, 0], "reflect"),
    padded("reflect-3d", [1, 1, 3, 4, 2], [1, 0, 2, 3, 2, 2], "reflect"),
    padded("reflect-all-axes", [2, 3], [2, 2, 1, 1], "reflect"),
    padded("reflect-crop", [6, 5], [-2, 3, 4, -3], "reflect"),
    padded("reflect-one", [3, 1], [0, 0, 1, 1], "reflect"),
    padded("replicate-1d", [2, 3, 4], [3, 5], "replicate"),
    padded("replicate-2d", [1, 2, 4, 5], [1, 2, 2, 1], "replicate"),
    padded("replicate-one", [2, 1], [4, 3], "replicate"),
    padded("replicate-crop", [5, 6], [-2, 4, 3, -4], "replicate"),
    padded("replicate-far", [3], [-4, 3], "replicate"),
    padded("circular-1d", [2, 5], [3, 5], "circular"),
    padded("circular-3d", [1, 2, 2, 3, 4], [1, 2, 0, 3, 2, 1], "circular"),
    padded("circular-crop", [5, 6], [-2, 3, 1, -2], "circular"),
    padded("none", [2, 3], []),
    padded("none-reflect", [2, 3], [0, 0], "reflect"),
    padded("scalar", [], []),
    padded("rank-6", [2, 1, 2, 3, 2, 2], [1, 1, 0, 1, -1, 0, 0, 0, 1, 0, 0, 1], "replicate"),
    padded("large", [2, 3, 60, 61], [3, 4, 2, 1], "reflect"),
    { id: "pad/i32", inputs: { x: { shape: [3, 2], values: index(99), dtype: "i32" } }, args: { padding: [1, 1], value: -7 } },
    {
      id: "pad/u32",
      inputs: { x: { shape: [4], values: index(99), dtype: "u32" } },
      args: { padding: [2, 1], mode: "circular" },
    },
  ],
  run: ({ x }, { padding, ...options }) => pad(x, padding, options),
  reference: padReference,
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    { id: "odd", call: (z) => pad(z([2, 3]), [1]), error: ShapeError, message: /^pad: padding \[1\] must be integers in pairs/ },
    { id: "too-many", call: (z) => pad(z([3]), [1, 1, 1, 1]), error: ShapeError, message: /^pad: padding .* at most 1 axes/ },
    {
      id: "fraction",
      call: (z) => pad(z([3]), [0.5, 1]),
      error: ShapeError,
      message: /^pad: padding \[0.5, 1\] must be integers/,
    },
    {
      id: "crop",
      call: (z) => pad(z([2, 3]), [-2, -2]),
      error: ShapeError,
      message: /^pad: constant padding of \[-2, -2\] on axis 1 of \[2, 3\]: more is cropped than there is/,
    },
    {
      id: "reflect",
      call: (z) => pad(z([2, 3]), [3, 0], { mode: "reflect" }),
      error: ShapeError,
      message: /^pad: reflect padding of \[3, 0\] on axis 1 .*: must be less than the size/,
    },
    {
      id: "replicate",
      call: (z) => pad(z([2, 0]), [1, 0], { mode: "replicate" }),
      error: ShapeError,
      message: /^pad: replicate .*: there is no element to repeat/,
    },
    {
      id: "circular",
      call: (z) => pad(z([2, 3]), [0, 4], { mode: "circular" }),
      error: ShapeError,
      message: /^pad: circular .*: must not be more than the size/,
    },
    {
      id: "circular-cropped",
      call: (z) => pad(z([5]), [-3, 3], { mode: "circular" }),
      error: ShapeError,
      message: /^pad: circular .*: must not be more than what cropping leaves/,
    },
    {
      id: "mode",
      call: (z) => pad(z([3]), [1, 1], { mode: "symmetric" as PadMode }),
      error: ConfigError,
      message: /^pad: mode "symmetric" is none of constant, reflect, replicate, circular/,
    },
    {
      id: "rank-9",
      call: (z) => pad(z(new Array<number>(9).fill(1)), new Array<number>(18).fill(1)),
      error: ShapeError,
      message: /^pad: more than 8 axes/,
    },
  ],
};

interface RollArgs {
  readonly shifts: number | readonly number[];
  readonly axes?: number | readonly number[];
}

export function rollReference({ x }: Hosts, { shifts, axes }: RollArgs): Host {
  const flat = axes === undefined;
  let y = flat ? host([x.data.length], x.data.slice()) : x;
  const list = flat ? [0] : [axes].flat();
  const by = [shifts].flat();
  list.forEach((axis, k) => {
    const at = mod(axis, y.shape.length);
    y = mapped(y, y.shape, (i) => i.with(at, mod(i[at] - by[k], y.shape[at])));
  });
  return host(x.shape, y.data);
}

const rolled = (id: string, shape: Shape, args: RollArgs): Sample<RollArgs> => ({
  id: `roll/${id}`,
  inputs: { x: { shape } },
  args,
});

const rollRow: Row<RollArgs> = {
  name: "roll",
  tolerance: { forward: 0, gradient: 1e-9 },
  samples: [
    rolled("last", [2, 5], { shifts: 2, axes: -1 }),
    rolled("back", [5, 2], { shifts: -1, axes: 0 }),
    rolled("two-axes", [3, 4, 5], { shifts: [1, -7], axes: [0, 2] }),
    rolled("twice", [5, 2], { shifts: [1, 3], axes: [0, 0] }),
    rolled("flat", [2, 3, 4], { shifts: 5 }),
    rolled("round", [4, 3], { shifts: 8, axes: 0 }),
    rolled("scalar", [], { shifts: 1 }),
    rolled("empty", [0, 3], { shifts: [1, 1], axes: [0, 1] }),
    rolled("rank-6", [2, 3, 2, 2, 3, 2], { shifts: [1, 2, -1], axes: [0, 4, 5] }),
    { id: "roll/u32", inputs: { x: { shape: [7], values: index(99), dtype: "u32" } }, args: { shifts: 3, axes: 0 } },
  ],
  run: ({ x }, { shifts, axes }) => roll(x, shifts, axes),
  reference: rollReference,
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "count",
      call: (z) => roll(z([2, 3]), [1, 2], [0]),
      error: ShapeError,
      message: /^roll: needs an integer shift for each axis/,
    },
    { id: "flat-count", call: (z) => roll(z([2, 3]), [1, 2]), error: ShapeError, message: /^roll: needs an integer shift/ },
    { id: "fraction", call: (z) => roll(z([2, 3]), 0.5, 0), error: ShapeError, message: /^roll: .*shifts \[0.5\]/ },
    { id: "axis", call: (z) => roll(z([2, 3]), 1, 2), error: ShapeError, message: /^roll: axis 2 is outside/ },
  ],
};

export const rows = [padRow, rollRow];
