/** An operation of one's own: WGSL, a gradient, and the tests that voxgrad's own operations pass. `node examples/own_op.ts`. */
import { capture, defineOp, grad, mean, openDevice, sizeOf, square } from "voxgrad";
import { float64, gradCheck, type OpRow, rowTests } from "voxgrad/testing";

// Bindings, uniform words and constants are read from the WGSL: inputs are what it binds as `read`, the result is the one `read_write`.
const head = `
  struct Params { alpha: f32, count: u32 }
  @group(0) @binding(0) var<uniform> p: Params;
  @group(0) @binding(1) var<storage, read> x: array<E>; // f32 or f16, as the tensor is
  // uses lib/grid
`;
const main = (body: string) => `
  @compute @workgroup_size(64)
  fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
    let i = linear_group(group, groups) * 64u + lane;
    if (i < p.count) { ${body} }
  }`;
type Args = { alpha: number };
type Shapes = { x: readonly number[] };
const shape = ({ x }: Shapes) => x;
const values = ({ x }: Shapes, { alpha }: Args) => ({ alpha, count: sizeOf(x) });

/** x + sin²(αx) / α (Liu et al. 2020). */
const snakeGradient = defineOp<Args, "x" | "dy">({
  name: "snake_gradient",
  shape,
  values,
  wgsl: `${head} @group(0) @binding(2) var<storage, read> dy: array<E>; @group(0) @binding(3) var<storage, read_write> dx: array<E>;
    ${main("dx[i] = E(f32(dy[i]) * (1 + sin(2 * p.alpha * f32(x[i]))));")}`,
});
export const snake = defineOp<Args, "x">({
  name: "snake",
  shape,
  values,
  wgsl: `${head} @group(0) @binding(2) var<storage, read_write> y: array<E>;
    ${main("let s = sin(p.alpha * f32(x[i])); y[i] = E(f32(x[i]) + s * s / p.alpha);")}`,
  backward: ({ dy, inputs, args }) => ({ x: snakeGradient(inputs.x, dy, args) }),
});

const device = await openDevice();
const x = device.tensor({ data: [-2, -0.5, 0, 1, 3], shape: [5] });
x.requiresGrad = true;
const step = capture(device, () => grad(mean(square(snake(x, { alpha: 2 }))), [x])[0]);
console.log("gradient", await step().data());
await gradCheck((t) => snake(t, { alpha: 2 }), [x]);
const row: OpRow<Args> = {
  name: "snake",
  samples: [{ id: "snake/matrix", inputs: { x: { shape: [3, 50] } }, args: { alpha: 0.7 } }],
  run: (t, args) => snake(t.x!, args),
  reference: ({ x }, { alpha }) =>
    float64(
      x!.shape,
      x!.data.map((v) => v + Math.sin(alpha * v) ** 2 / alpha),
    ),
  differentiable: ["x"],
};
for (const { title, run } of rowTests(row, { whole: true })) await run(device).then(() => console.log(title, "passed"));
device.close();
