/** @file Row of conversions between element types. */

import { cast, type DType, DTypeError } from "../../../src/index.ts";
import { bytesOf, cycle, host, index, type Row, type Sample, type Values } from "../../lib/row.ts";

interface Args {
  readonly from: DType;
  readonly to: DType;
}

const sample = (from: DType, to: DType, values: Values, id = `${from}-to-${to}`): Sample<Args> => ({
  id: `cast/${id}`,
  inputs: { x: { shape: [3, 70], values, dtype: from } },
  args: { from, to },
});

const fractions = cycle(0, 0.5, -0.5, 1.99, -1.99, 1e6, -123456.75, 2 ** 24 + 2, -0);

const row: Row<Args> = {
  name: "cast",
  tolerance: { forward: 0, gradient: 1e-9 },
  samples: [
    sample("f32", "i32", fractions),
    sample("f32", "u32", cycle(0, 0.99, 7.5, 3e9, 2 ** 31)),
    sample("i32", "f32", cycle(0, -5, 2 ** 24 + 2, -(2 ** 31), 2 ** 31 - 128)),
    sample("u32", "f32", cycle(0, 5, 2 ** 32 - 256, 2 ** 31)),
    sample("i32", "u32", cycle(3, -1, -(2 ** 31))),
    sample("u32", "i32", cycle(3, 2 ** 32 - 256, 2 ** 31)),
    sample("f32", "f32", index(9), "same"),
    sample("f32", "i32", cycle(-1e10, -(2 ** 31)), "limited-below"),
    sample("f32", "u32", cycle(-3, -1e20), "limited-to-0"),
    { id: "cast/empty", inputs: { x: { shape: [0, 2] } }, args: { from: "f32", to: "i32" } },
    { id: "cast/scalar", inputs: { x: { shape: [] } }, args: { from: "f32", to: "i32" } },
  ],
  run: ({ x }, { to }) => cast(x, to),
  reference: ({ x }, { from, to }) => {
    const convert = (v: number): number => {
      if (from === to) return v;
      if (to === "f32") return Math.fround(v);
      if (from !== "f32") return to === "i32" ? v | 0 : v >>> 0;
      const [low, high] = to === "i32" ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
      return Math.min(high, Math.max(low, Math.trunc(v))) + 0;
    };
    return host(x.shape, x.data.map(convert));
  },
  differentiable: [],
  splits: true,
  half: "converts types itself",
  flops: () => 0,
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "integers",
      call: (z) => cast(z([3], "i32"), "f16"),
      error: DTypeError,
      message: /^cast: from i32 to f16 only by way of f32/,
    },
    {
      id: "to-integers",
      call: (_, gpu) => cast(gpu.empty([2], "f16"), "u32"),
      error: DTypeError,
      message: /^cast: from f16 to u32/,
    },
  ],
};

/** Only to its own type a cast has a gradient. */
const sameRow: Row<Args> = {
  ...row,
  samples: [{ id: "cast/gradient", inputs: { x: { shape: [4, 3] } }, args: { from: "f32", to: "f32" } }],
  differentiable: ["x"],
  splits: true,
  half: "converts types itself",
  errors: [],
};

export const rows = [row, sameRow];
