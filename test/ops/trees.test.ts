/**
 * @file Workgroups add up by subgroups (lib/subgroup_tree.wgsl) what they add by shared memory alone (lib/tree.wgsl): every kernel that does either, with
 * workgroups as wide as those of a software adapter and of hardware. That sums are right at all is what the rows of the op table tell.
 */

import { globSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { crossEntropyLoss, focalLoss } from "../../src/nn/index.ts";
import { channelStatistics } from "../../src/kernels/channel_statistics.ts";
import { gradientNorm, unscale } from "../../src/kernels/optim/gradients.ts";
import { fragmentsOf, readWgsl } from "../../src/kernels/lib/wgsl.ts";
import type { KernelCall } from "../../src/tensor/kernel.ts";
import { expectClose, readAll } from "../lib/compare.ts";

const narrow = await vx.openDevice();
const wide = await vx.openDevice();
Object.defineProperty(wide, "software", { value: false });
afterAll(() => [narrow, wide].forEach((device) => device.close()));

type Results = Record<string, vx.Tensor>;
type Make = (shape: readonly number[], value?: (i: number) => number) => vx.Tensor;

/** A result and the gradients of what it becomes by other numbers of no order. */
const steps = (y: vx.Tensor, ...leaves: vx.Tensor[]): Results => {
  const others = y.device.tensor({ data: Float32Array.from({ length: y.size }, (_, i) => Math.cos(i * i)), shape: y.shape });
  const gradients = vx.grad(vx.sum(vx.mul(y, others)), leaves);
  return { y, ...Object.fromEntries(gradients.map((g, i) => [`gradient ${i}`, g])) };
};
const leaf = (x: vx.Tensor): vx.Tensor => Object.assign(x, { requiresGrad: true });
const classes = (i: number): number => i % 3;

const cases: Record<string, (make: Make, device: vx.Device) => Results> = {
  sums: (make) => ({ one: vx.sum(make([70_001])), rows: vx.sum(make([3, 5003]), [1]), short: vx.sum(make([9, 65]), [1]) }),
  extremes: (make) => {
    const [x, y] = [make([3, 5003]), make([3, 5003], (i) => (i === 77 ? NaN : i - 6000))];
    return { most: vx.amax(x, [1]), least: vx.amin(x, [1]), all: vx.amax(y, [1]), none: vx.amin(y, [1]) };
  },
  instanceNorm: (make) => {
    const x = leaf(make([2, 3, 41, 52], (i) => 3 + Math.sin(i)));
    return steps(vx.instanceNorm(x), x);
  },
  slabs: (make, device) => {
    device.choices.set("norm", "slabs");
    const [x, w, b] = [make([2, 3, 80, 80]), make([3]), make([3])].map(leaf);
    return steps(vx.batchNorm(x, w, b), x, w, b);
  },
  prelu: (make) => {
    const [x, slope] = [make([2, 3, 4001]), make([3])].map(leaf);
    return steps(vx.prelu(x, slope), x, slope);
  },
  crossEntropy: (make) => {
    const x = leaf(make([2, 3, 4001]));
    return steps(crossEntropyLoss(x, make([2, 4001], classes)), x);
  },
  focal: (make) => {
    const x = leaf(make([2, 3, 4001]));
    return steps(focalLoss(x, make([2, 1, 4001], classes), { toOnehotY: true }), x);
  },
  regions: (make) => ({ sums: vx.regionSums(make([2, 3, 9001]), make([2, 1, 9001], classes), { indexTarget: true }) }),
  gradients: (make, device) => {
    const norm = device.empty([1]);
    const [good, bad] = [make([9001]), make([9001], (i) => (i === 5000 ? Infinity : 2))];
    gradientNorm([good, make([70])], norm);
    const scale = (of: vx.Tensor) => {
      const state = make([8], (i) => i + 1);
      unscale([of], state);
      return state;
    };
    return { norm, kept: scale(good), lowered: scale(bad), cleared: bad };
  },
  statistics: (make) => ({ ...channelStatistics(make([1, 2, 50, 61])) }),
};

interface Run {
  readonly results: Awaited<ReturnType<typeof readAll>>;
  /** Names of the kernels that added by subgroups. */
  readonly kernels: readonly string[];
}

async function run(device: vx.Device, name: string, way: string): Promise<Run> {
  const keys: string[] = [];
  device.choices.set("tree", way);
  const send = device.run.bind(device);
  device.run = (call: KernelCall) => {
    keys.push(call.program.key);
    send(call);
  };
  const make: Make = (shape, value = (i) => Math.sin(i * 0.37) + 0.1) =>
    device.tensor({ data: Float32Array.from({ length: vx.sizeOf(shape) }, (_, i) => value(i)), shape });
  try {
    const results = await readAll(vx.scope(() => cases[name](make, device)));
    return { results, kernels: keys.filter((key) => key.includes("subgroups")).map((key) => key.split(" ", 1)[0]) };
  } finally {
    device.run = send;
    device.choices.clear();
  }
}

describe.runIf(narrow.gpu.features.has("subgroups"))("by subgroups", () => {
  describe.each([
    ["narrow", narrow],
    ["wide", wide],
  ] as const)("%s workgroups", (_, device) => {
    test.each(Object.keys(cases))("%s", async (name) => {
      const plain = await run(device, name, "plain");
      expect(plain.kernels).toEqual([]);
      const subgroups = await run(device, name, "subgroups");
      expect(await run(device, name, "subgroups"), "the same bits again").toEqual(subgroups);
      for (const [key, values] of Object.entries(plain.results)) {
        if (name === "extremes") expect(subgroups.results[key]).toEqual(values);
        else expectClose(key, subgroups.results[key], values, 2e-6, 1e-2);
      }
    });
  });

  test("every kernel with a tree is here", async () => {
    const seen = new Set<string>();
    for (const name of Object.keys(cases)) (await run(narrow, name, "subgroups")).kernels.forEach((kernel) => seen.add(kernel));
    const files = globSync("shaders/**/*.wgsl").sort();
    const texts = new Map(files.map((f) => [f.slice("shaders/".length, -".wgsl".length), readWgsl(f, readFileSync(f, "utf8"))]));
    const withTrees = [...texts].filter(
      ([name, { uses }]) => !name.startsWith("lib/") && fragmentsOf(uses, texts).includes("lib/tree"),
    );
    expect([...seen].sort()).toEqual(withTrees.map(([name]) => name.replace("/", ".")).sort());
  });
});

test("hardware with subgroups adds by them, a software adapter and what has none by shared memory", () => {
  const keys = (device: vx.Device) => {
    const found: string[] = [];
    const run = device.run;
    device.run = ({ program }: KernelCall) => void found.push(program.key);
    vx.scope(() => void vx.sum(device.empty([100, 100]), [1]));
    device.run = run;
    return found;
  };
  expect(keys(narrow)).toEqual(["reduce.lanes LANES32 sum single"]);
  expect(keys(wide)).toEqual([`reduce.lanes LANES256 sum single${wide.gpu.features.has("subgroups") ? " subgroups" : ""}`]);
});
