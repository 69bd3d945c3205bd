/** @file Operations of one's own: what the checks say, and that capture, plans, profile, precision, summary and ONNX know them as they know ours. */

import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import {
  abs,
  add,
  capture,
  cast,
  ConfigError,
  defineOp,
  type Device,
  div,
  DTypeError,
  grad,
  profile,
  ShapeError,
  sizeOf,
  square,
  sum,
  type Tensor,
} from "../../src/index.ts";
import { Conv, Module, Sequential, summary } from "../../src/nn/index.ts";
import { exportOnnx, importOnnx } from "../../src/onnx/index.ts";
import { type Hosts, type OpRow, rowTests, uniform } from "../../src/testing/index.ts";
import { device } from "../lib/device.ts";
import { cumsumReference } from "../ops/rows/cumsum.ts";

const x = "@group(0) @binding(1) var<storage, read> x: array<E>;";
const y = "@group(0) @binding(2) var<storage, read_write> y: array<E>;";
const main = (body: string, size = "64") =>
  `@compute @workgroup_size(${size}) fn main(@builtin(global_invocation_id) at: vec3u) { let i = at.x; ${body} }`;
const copies = main("if (i < arrayLength(&y)) { y[i] = x[i]; }");

const softsign = defineOp({
  name: "test_softsign",
  shape: ({ x }) => x,
  wgsl: `${x}\n${y}\n${main("if (i < arrayLength(&y)) { y[i] = x[i] / (1 + abs(x[i])); }")}`,
  backward: ({ dy, inputs: { x } }) => ({ x: div(dy, square(add(abs(x), 1))) }),
  flops: ({ x }) => 3 * sizeOf(x),
});

class Softsign extends Module {
  forward(x: Tensor): Tensor {
    return softsign(x);
  }
}

let dev: Device;
beforeAll(async () => void (dev = await device()));

describe("definitions are checked", () => {
  const shape = ({ x }: Readonly<Record<string, readonly number[]>>) => x;
  test.each([
    [{ name: "a b", shape, wgsl: copies }, "the name must be letters"],
    [{ name: "a", shape, wgls: "" }, 'no option "wgls"; did you mean wgsl?'],
    [{ name: "a", shape, wgsl: "" }, "has no entry point"],
    [{ name: "a", shape, wgsl: `${x}\n\nfoo;\n${copies}` }, 'own.a:3: "foo;" is not known'],
    [{ name: "a", shape, wgsl: `${x}\n${copies}` }, "reads 1 and writes 0 arrays"],
    [{ name: "a", shape, wgsl: `// uses lib/conv\n${x}\n${y}\n${copies}` }, "there is no fragment shaders/lib/conv.wgsl"],
    [{ name: "a", shape, kernels: { one: copies } }, "needs `inputs`"],
    [{ name: "a", wgsl: copies }, "needs `shape`"],
  ])("%#: %o", (definition, message) => {
    expect(() => defineOp(definition as never)).toThrow(ConfigError);
    expect(() => defineOp(definition as never)).toThrow(message);
  });

  test("a name stands for one text", () => {
    const twice = (body: string) => defineOp({ name: "test_twice", shape, wgsl: `${x}\n${y}\n${main(body)}` });
    twice("y[i] = x[i];");
    twice("y[i] = x[i];");
    expect(() => twice("y[i] = x[i] + x[i];")).toThrow("own.test_twice was defined before with other WGSL");
  });
});

describe("calls are checked", () => {
  const scaled = (values: object) =>
    defineOp({
      name: "test_scaled",
      shape: ({ x }) => x,
      values: () => values as never,
      wgsl: `override FACTOR: f32; override BIAS: f32 = 0.0; ${x} ${y} ${main("y[i] = x[i] * FACTOR * f32(TILE) + BIAS;", "TILE")}`,
    });

  test.each([
    [{ FACTOR: 2, TILE: 8, bais: 1 }, 'declares no value "bais"; did you mean BIAS?'],
    [{ FACTOR: 2 }, "the value TILE was not given"],
    [{ FACTOR: 2, TILE: 8 }, "give `workgroups`"],
  ])("%o", (values, message) => {
    using t = dev.tensor({ data: [1, 2], shape: [2] });
    expect(() => scaled(values)(t)).toThrow(message);
  });

  test("types, kinds, and what has no gradient", () => {
    using t = dev.tensor({ data: [1, 2], shape: [2] });
    using whole = dev.tensor({ data: [1, 2], shape: [2] }, "u32");
    expect(() => softsign(whole)).toThrow(DTypeError);
    expect(() => softsign(3 as never)).toThrow("x is the number 3");
    const none = defineOp({ name: "test_none", shape: ({ x }) => x, wgsl: `${x} ${y} ${copies}` });
    t.requiresGrad = true;
    expect(() => grad(sum(none(t)), [t])).toThrow("own.test_none has no gradient");
  });

  test("rows of workgroups that the text does not unfold", () => {
    const op = defineOp({ name: "test_rows", shape: () => [1], workgroups: () => 70_000, wgsl: `${x} ${y} ${copies}` });
    using t = dev.tensor({ data: [1], shape: [1] });
    expect(() => op(t)).toThrow("70000 workgroups are more than one axis has (65535)");
  });

  test("WGSL that does not compile is shown with its lines", async () => {
    const { openDevice } = await import("../../src/index.ts");
    const own = await openDevice();
    const op = defineOp({ name: "test_broken", shape: ({ x }) => x, wgsl: `${x}\n${y}\n${main("y[i] = nothing;")}` });
    op(own.tensor({ data: [1], shape: [1] }));
    await expect(own.settle()).rejects.toThrow(/own\.test_broken: the shader did not compile[^]*nothing/);
    own.close();
  });
});

const shader = (name: string): string => readFileSync(new URL(`../../shaders/cumsum/${name}.wgsl`, import.meta.url), "utf8");
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

const cumsumRow: OpRow<Axis> = {
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
  errors: [{ id: "axis", call: (z) => cumsum(z([2]), { axis: 1 }), error: ShapeError, message: /axis 1 is outside/ }],
};

describe("two of our own shaders, as they stand, are an operation of one's own", () => {
  for (const { title, run } of rowTests(cumsumRow)) test(title, () => run(dev));
});

describe("stands where ours stand", () => {
  test("in captured steps, with a plan", async () => {
    const w = dev.tensor({ data: [1, -3], shape: [2] });
    w.requiresGrad = true;
    const gradient = () => grad(sum(softsign(softsign(w))), [w])[0];
    const step = capture(dev, gradient);
    const eager = await gradient().data();
    expect([...(await step().data())]).toEqual([...eager]);
    expect([...(await step().data())]).toEqual([...eager]);
    expect(step.plan!.peakBytes).toBeGreaterThan(0);
    step.dispose();
    w.dispose();
  });

  test("in profiles by its name", async () => {
    if (!dev.gpu.features.has("timestamp-query")) return;
    using t = dev.tensor({ data: [1], shape: [1] });
    const rows = await profile(dev, () => softsign(t).dispose());
    expect(rows.map((r) => r.key)).toEqual(["own.test_softsign"]);
  });

  test("in mixed precision", async () => {
    if (!dev.gpu.features.has("shader-f16")) return;
    using t = cast(dev.tensor({ data: [1, -3], shape: [2] }), "f16");
    using r = softsign(t);
    expect(r.dtype).toBe("f16");
    expect([...(await cast(r, "f32").data())]).toEqual([0.5, -0.75]);
  });

  test("in summaries", () => {
    const net = new Sequential([new Conv(dev, { spatialDims: 2, inChannels: 1, outChannels: 2, kernelSize: 1 }), new Softsign()]);
    expect(summary(net, [1, 1, 4, 4], { training: false }).layers.at(-1)!.flops).toBe(3 * 32);
    net.dispose();
  });

  test("in ONNX, once it is said what it is there", async () => {
    const net = new Softsign();
    await expect(exportOnnx(net, [1, 4], { device: dev })).rejects.toThrow(
      "no ONNX for own.test_softsign (say what it is with the option ownOps)",
    );
    const bytes = await exportOnnx(net, [1, 4], {
      device: dev,
      ownOps: {
        test_softsign: ({ inputs: [x], node, constant }) => node("Div", [x, node("Add", [node("Abs", [x]), constant(1)])]),
      },
    });
    const again = importOnnx(dev, bytes);
    const given = dev.tensor({ data: [1, -3, 0, 7], shape: [1, 4] });
    expect([...(await again.forward(given).data())]).toEqual([0.5, -0.75, 0, 0.875]);
  });
});
