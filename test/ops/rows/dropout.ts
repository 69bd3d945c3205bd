/** @file Row of dropout, against Philox4x32-10 in exact integers. */

import { ConfigError, DTypeError, dropout, ShapeError, sizeOf } from "../../../src/index.ts";
import { bytesOf, host, type Host, type Hosts, type InputSpec, type Row, type Sample, type Shape } from "../../lib/row.ts";
import { philox } from "../../lib/philox.ts";

interface DropoutArgs {
  readonly rate: number;
  readonly channels?: boolean;
}

function reference({ x, generator }: Hosts, { rate, channels = false }: DropoutArgs): Host {
  const inner = channels ? sizeOf(x.shape.slice(2)) : 1;
  const [low, high, drawsLow, drawsHigh] = generator.data;
  const threshold = Math.fround(rate);
  const kept = Array.from({ length: x.data.length / inner }, (_, k) => {
    const word = philox([Math.floor(k / 4), 0, drawsLow, drawsHigh], [low, high])[k % 4];
    return Math.floor(word / 256) / 2 ** 24 >= threshold;
  });
  return host(
    x.shape,
    x.data.map((v, i) => (kept[Math.floor(i / inner)] ? v / (1 - threshold) : 0)),
  );
}

// Words that f32 holds exactly, since inputs are rounded to it.
const words = (...list: number[]): InputSpec => ({ shape: [4], dtype: "u32", values: (_, i) => list[i] });

const sample = (id: string, shape: Shape, args: DropoutArgs, generator = words(1234567, 89, 3, 0)): Sample<DropoutArgs> => ({
  id: `dropout/${id}`,
  inputs: { x: { shape }, generator },
  args,
});

const row: Row<DropoutArgs> = {
  name: "dropout",
  samples: [
    sample("half", [2, 3, 5, 7], { rate: 0.5 }),
    sample("tenth", [3, 101], { rate: 0.1 }),
    sample("none", [2, 9], { rate: 0 }),
    sample("channels", [5, 6, 4, 3], { rate: 0.4, channels: true }),
    sample("seed-zero", [64], { rate: 0.3 }, words(0, 0, 0, 0)),
    sample("large-words", [64], { rate: 0.3 }, words(0xffff_ff00, 0x8000_0000, 0xf000_0000, 0x7fff_ff80)),
    sample("carry", [33], { rate: 0.2 }, words(5, 6, 0xffff_ff00, 1)),
  ],
  run: ({ x, generator }, { rate, ...options }) => dropout(x, generator, rate, options),
  reference,
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: ({ x }) => sizeOf(x),
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "generator",
      call: (z) => dropout(z([3]), z([4]), 0.5),
      error: DTypeError,
      message: /^dropout: generator has type f32, expected u32/,
    },
    {
      id: "generator-shape",
      call: (z) => dropout(z([3]), z([2], "u32"), 0.5),
      error: ShapeError,
      message: /^dropout: the generator \[2\] must be \[4\]/,
    },
    {
      id: "rate",
      call: (z) => dropout(z([3]), z([4], "u32"), 1),
      error: ConfigError,
      message: /^dropout: the rate must be in \[0, 1\), got 1/,
    },
    {
      id: "negative",
      call: (z) => dropout(z([3]), z([4], "u32"), -0.1),
      error: ConfigError,
      message: /^dropout: the rate must be/,
    },
    {
      id: "dtype",
      call: (z) => dropout(z([3], "i32"), z([4], "u32"), 0.5),
      error: DTypeError,
      message: /^dropout: input has type i32/,
    },
  ],
};

export const rows = [row];
