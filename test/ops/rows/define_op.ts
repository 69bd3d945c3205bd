/** @file Rows of operations that are defined from outside: one kernel of its own text, and two of voxgrad's own shaders as they stand. */

import { readFileSync } from "node:fs";
import { ConfigError, defineOp, DTypeError, ShapeError, sizeOf, type Tensor } from "../../../src/index.ts";
import { bytesOf, host, type Hosts, type Row, uniform } from "../../lib/row.ts";
import { cumsumReference } from "./cumsum.ts";

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
  reference: ({ x }, { slope = 1 }) => host(x.shape, x.data.map((v) => v / (1 + slope * Math.abs(v)))),
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: ({ x }) => 3 * sizeOf(x),
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    { id: "dtype", call: (z) => softsign(z([2], "i32"), {}), error: DTypeError, message: /^own\.softsign: x has type i32, expected f32 or f16/ },
    { id: "missing", call: (z) => (softsign as (...call: unknown[]) => Tensor)(z([2]), z([2]), {}), error: ConfigError, message: /^own\.softsign: 3 arguments, expected x/ },
  ],
};

const shader = (name: string): string => readFileSync(new URL(`../../../shaders/cumsum/${name}.wgsl`, import.meta.url), "utf8");
const block = 64;

interface Axis {
  readonly axis: number;
}

// What kernels/cumsum.ts does, from outside: blocks, their sums by the same way, and the blocks again.
const running = (reverse: 0 | 1, name: string, backward?: (dy: Tensor, args: Axis) => Tensor) =>
  defineOp<Axis>({
    name,
    inputs: ["x"],
    kernels: { blockSums: shader("block_sums"), scan: shader("scan") },
    shape: ({ x }, { axis }) => {
      if (axis >= x.length) throw new ShapeError(`own.${name}: axis ${axis} is outside`);
      return x;
    },
    forward({ inputs: { x }, result, args: { axis }, run }) {
      const inner = sizeOf(x.shape.slice(axis + 1));
      const level = (x: Tensor, y: Tensor, size: number, outer: number, inner: number, reverse: 0 | 1): void => {
        const blocks = Math.ceil(size / block);
        const count = outer * blocks * inner;
        const shared = { values: { BLOCK: block, axis: size, inner, blocks, reverse, count }, workgroups: Math.ceil(count / 64) };
        let sums = x; // one block reads none
        if (blocks > 1) {
          const own = x.device.empty([outer, blocks, inner]);
          run("blockSums", { read: { x }, write: { y: own }, ...shared });
          sums = x.device.empty(own.shape);
          level(own, sums, blocks, outer, inner, 0);
        }
        run("scan", { read: { x, sums }, write: { y }, ...shared });
      };
      level(x, result, x.shape[axis], sizeOf(x.shape.slice(0, axis)), inner, reverse);
    },
    ...(backward && { backward: ({ dy, args }) => ({ x: backward(dy, args) }) }),
  });

const fromTheEnd = running(1, "cumsum_reverse");
const cumsum = running(0, "cumsum", (dy, args) => fromTheEnd(dy, args));

const cumsumRow: Row<Axis> = {
  name: "own.cumsum",
  tolerance: { forward: 1e-6 },
  samples: [
    { id: "own.cumsum/last", inputs: { x: { shape: [3, 5] } }, args: { axis: 1 } },
    { id: "own.cumsum/two-levels", inputs: { x: { shape: [2, 130, 2] } }, args: { axis: 1 } },
    { id: "own.cumsum/three-levels", inputs: { x: { shape: [4200], values: uniform } }, args: { axis: 0 } },
  ],
  run: ({ x }, args) => cumsum(x, args),
  reference: (inputs: Hosts, args) => cumsumReference(inputs, args),
  differentiable: ["x"],
  splits: false,
  half: "sums leave the range of f16",
  flops: ({ x }) => sizeOf(x),
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [{ id: "axis", call: (z) => cumsum(z([2]), { axis: 1 }), error: ShapeError, message: /axis 1 is outside/ }],
};

export const rows = [softsignRow, cumsumRow];
