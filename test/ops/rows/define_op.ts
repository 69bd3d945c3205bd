/** @file Row of an operation that is defined from outside. */

import { ConfigError, defineOp, DTypeError, sizeOf, type Tensor } from "../../../src/index.ts";
import { bytesOf, host, type Row } from "../../lib/row.ts";

const head = `
  @group(0) @binding(1) var<storage, read> x: array<E>;
  // uses lib/grid
  const WIDTH = 64u;
`;
const main = (body: string): string => `
  @compute @workgroup_size(64)
  fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
    let i = linear_group(group, groups) * WIDTH + lane;
    if (i >= p.count) { return; }
    ${body}
  }`;
const uniformBlock = "struct Params { slope: f32, count: u32 } @group(0) @binding(0) var<uniform> p: Params;";

interface Args {
  readonly slope?: number;
}

const values = ({ x }: Readonly<Record<string, readonly number[]>>, { slope = 1 }: Args) => ({ slope, count: sizeOf(x) });

const softsignGradient = defineOp<Args>({
  name: "softsign_gradient",
  shape: ({ x }) => x,
  values,
  splits: true,
  wgsl: `${uniformBlock}${head}
    @group(0) @binding(2) var<storage, read> dy: array<E>;
    @group(0) @binding(3) var<storage, read_write> dx: array<E>;
    ${main("let d = 1.0 + p.slope * abs(f32(x[i])); dx[i] = E(f32(dy[i]) / (d * d));")}`,
});

const softsign = defineOp<Args>({
  name: "softsign",
  shape: ({ x }) => x,
  values,
  splits: true,
  wgsl: `${uniformBlock}${head}
    @group(0) @binding(2) var<storage, read_write> y: array<E>;
    ${main("let v = f32(x[i]); y[i] = E(v / (1.0 + p.slope * abs(v)));")}`,
  backward: ({ dy, inputs: { x }, args }) => ({ x: softsignGradient(x, dy, args) }),
  flops: ({ x }) => 3 * sizeOf(x),
});

const softsignRow: Row<Args> = {
  name: "own.softsign",
  samples: [
    { id: "own.softsign/vector", inputs: { x: { shape: [5] } }, args: {} },
    { id: "own.softsign/batch", inputs: { x: { shape: [2, 3, 17] } }, args: { slope: 2 } },
    { id: "own.softsign/empty", inputs: { x: { shape: [0, 3] } }, args: {} },
    { id: "own.softsign/rows", inputs: { x: { shape: [70_000, 2] } }, args: { slope: 0.5 } },
  ],
  run: ({ x }, args) => softsign(x, args),
  reference: ({ x }, { slope = 1 }) =>
    host(
      x.shape,
      x.data.map((v) => v / (1 + slope * Math.abs(v))),
    ),
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: ({ x }) => 3 * sizeOf(x),
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "dtype",
      call: (z) => softsign(z([2], "i32"), {}),
      error: DTypeError,
      message: /^own\.softsign: x has type i32, expected f32 or f16/,
    },
    {
      id: "missing",
      call: (z) => (softsign as (...call: unknown[]) => Tensor)(z([2]), z([2]), {}),
      error: ConfigError,
      message: /^own\.softsign: 3 arguments, expected x/,
    },
  ],
};

export const rows = [softsignRow];
