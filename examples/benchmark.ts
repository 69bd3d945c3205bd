/** How good is a kernel? `node examples/benchmark.ts [FILTER]` times two ways to the same numbers, with their share of what the adapter can do at most. */
import { add, defineOp, exp, openDevice, reciprocal, silu } from "voxgrad";
import { bench, type BenchCase, benchLine, ceilingLine, measureCeiling } from "voxgrad/bench";

const ownSilu = defineOp<undefined, "x">({
  name: "silu",
  shape: ({ x }) => x,
  wgsl: `
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) at: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let i = at.y * groups.x * 64u + at.x;
      if (i < arrayLength(&y)) { y[i] = x[i] / (1 + exp(-x[i])); }
    }`,
});

// [N, C, H, W]; no gradients here. The bytes of inputs and result count, of multiply-adds what the case says.
const inputs = { x: [4, 16, 128, 128] };
const cases: BenchCase[] = [
  { name: "silu voxgrad's", inputs, run: ({ x }) => silu(x!), differentiable: [] },
  { name: "silu one kernel", inputs, run: ({ x }) => ownSilu(x!), differentiable: [] },
  { name: "sigmoid of four operations", inputs, run: ({ x }) => reciprocal(add(exp(silu(x!)), 1)), differentiable: [] },
];
const device = await openDevice();
const ceiling = await measureCeiling(device); // a second; on a GPU give the device nothing else to do
console.log(ceilingLine(ceiling));
const onResult = (result: Parameters<typeof benchLine>[0]) => console.log(benchLine(result));
await bench(device, cases, { filter: process.argv[2] ?? "", time: 200, ceiling, onResult });
device.close();
