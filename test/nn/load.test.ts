/** @file Weights into modules: all of them or a part, with a report; freezing; parameter groups. */
import { afterAll, describe, expect, test } from "vitest";
import { grad, mean, square } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { CheckpointError, ConfigError } from "../../src/host/errors.ts";
import type { HostArray } from "../../src/host/array.ts";
import { readTorch } from "../../src/weights/index.ts";
import { device } from "../lib/device.ts";
import { fixture } from "../weights/fixtures.ts";

const gpu = await device();

/** The network of make_checkpoints.py. */
function makeNet(classes = 1): nn.Sequential {
  return new nn.Sequential({
    conv: new nn.Conv(gpu, { spatialDims: 2, inChannels: 1, outChannels: 2, kernelSize: 3 }),
    norm: new nn.BatchNorm(gpu, 2),
    head: new nn.Sequential([new nn.Identity(), new nn.Linear(gpu, { inFeatures: 2, outFeatures: classes, bias: false })]),
  });
}
const net = makeNet();
const { tensors: state } = await readTorch(fixture("net.pt"));
afterAll(() => net.dispose());

const without = (...names: string[]): Map<string, HostArray> => new Map([...state].filter(([name]) => !names.includes(name)));
const values = async (model: nn.Module, name: string) => Array.from((await model.stateDict()).get(name)!.data);

describe("loadStateDict", () => {
  test("loads PyTorch's file without a mapping table", async () => {
    expect(net.loadStateDict(state)).toEqual({ loaded: [...state.keys()], missing: [], unexpected: [], misshaped: [] });
    for (const [name, { data }] of state) expect(await values(net, name), name).toEqual(Array.from(data));
  });

  test("strict and not, with a report that can be read", () => {
    const part = without("conv.bias", "norm.running_var").set("extra", { data: new Float32Array(1), shape: [1] });
    expect(() => net.loadStateDict(part)).toThrow(CheckpointError);
    expect(() => net.loadStateDict(part)).toThrow(/missing: conv\.bias, norm\.running_var\. unexpected: extra/);
    const report = net.loadStateDict(part, { strict: false });
    expect(report).toMatchObject({ missing: ["conv.bias", "norm.running_var"], unexpected: ["extra"], misshaped: [] });
    expect(nn.describeLoad(report, 1)).toBe(
      "6 tensors loaded\n  2 missing from the file, left as they were:\n    conv.bias\n    … and 1 more\n  1 not of this model, ignored:\n    extra",
    );
  });

  test("other shapes are refused as in PyTorch, or skipped on demand", async () => {
    const other = makeNet(3);
    const before = await values(other, "head.1.weight");
    expect(() => other.loadStateDict(state, { strict: false })).toThrow(
      /other shapes: head\.1\.weight: model \[3, 2\], file \[1, 2\]/,
    );
    expect(await values(other, "conv.bias")).not.toEqual(Array.from(state.get("conv.bias")!.data));
    const report = other.loadStateDict(state, { strict: false, skipMisshaped: true });
    expect(report.misshaped).toEqual(["head.1.weight: model [3, 2], file [1, 2]"]);
    expect(await values(other, "head.1.weight")).toEqual(before);
    expect(await values(other, "conv.bias")).toEqual(Array.from(state.get("conv.bias")!.data));
    other.dispose();
  });

  test("a part by name, and under other names", async () => {
    const other = makeNet(3);
    expect(other.loadStateDict(state, { select: /^(conv|norm)\./ })).toMatchObject({
      missing: [],
      unexpected: [],
      misshaped: [],
    });
    const renamed = new Map([...state].map(([k, v]) => [`encoder.${k}`, v]));
    const strip = (name: string) => (name.startsWith("encoder.head") ? undefined : name.slice("encoder.".length));
    expect(other.loadStateDict(renamed, { strict: false, rename: strip }).missing).toEqual(["head.1.weight"]);
    expect(() => other.loadStateDict(renamed, { rename: () => "conv.bias" })).toThrow(/"conv.bias" for both/);
    other.dispose();
  });

  test("a tensor with two names is there if one of them is", () => {
    const shared = new nn.PReLU(gpu);
    const tied = new nn.Sequential({ a: shared, b: shared });
    const slope = { data: Float32Array.of(0.5), shape: [1] };
    expect(tied.loadStateDict(new Map([["b.weight", slope]]))).toMatchObject({ loaded: ["b.weight"], missing: [] });
    tied.dispose();
  });
});

describe("training a part", () => {
  test("frozen parameters are left out, buffers stay buffers", () => {
    const model = makeNet();
    const all = model.namedParameters().map(([name]) => name);
    expect(model.freeze("conv")).toEqual(["conv.weight", "conv.bias"]);
    expect(() => model.freeze("con")).toThrow(/no parameter's name matches con; names look like conv\.weight/);
    expect(model.freeze((name) => name === "con")).toEqual([]);
    expect(model.namedParameters().map(([name]) => name)).toEqual(all.slice(2));
    expect(model.freeze()).toEqual(all.slice(2));
    expect(model.parameterCount).toBe(0);
    expect(model.unfreeze(/bias$/)).toEqual(["conv.bias", "norm.bias"]);
    expect(model.unfreeze(/^conv/g)).toEqual(["conv.weight"]);
    model.unfreeze();
    expect(model.namedParameters().map(([name]) => name)).toEqual(all);
    model.dispose();
  });

  test("layer-wise learning rates and decay, by groups", async () => {
    const model = new nn.Sequential({
      a: new nn.Conv(gpu, { spatialDims: 1, inChannels: 1, outChannels: 1, kernelSize: 1 }),
      b: new nn.Conv(gpu, { spatialDims: 1, inChannels: 1, outChannels: 1, kernelSize: 1 }),
    });
    const groups = nn.parameterGroups<nn.SGDOptions>(model, [
      { match: "b", options: { lr: 0 } },
      { match: (name) => name.endsWith("bias"), options: { weightDecay: 0 } },
    ]);
    const optimizer = new nn.SGD(groups, { lr: 0.1, weightDecay: 1 });
    expect(optimizer.rates).toEqual([0, 0.1, 0.1]);
    const before = await model.stateDict();
    const loss = mean(square(model.forward(gpu.tensor({ data: [1, 2, 3], shape: [1, 1, 3] }))));
    const gradients = grad(loss, optimizer.parameters);
    const of = new Map(await Promise.all(optimizer.parameters.map(async (p, i) => [p, (await gradients[i].data())[0]] as const)));
    optimizer.step(gradients);
    const after = await model.stateDict();
    const named = new Map(model.namedParameters());
    const rules: Record<string, [lr: number, decay: number]> = {
      "a.weight": [0.1, 1],
      "a.bias": [0.1, 0],
      "b.weight": [0, 1],
      "b.bias": [0, 1],
    };
    for (const [name, [lr, decay]] of Object.entries(rules)) {
      const w = before.get(name)!.data[0];
      expect(after.get(name)!.data[0], name).toBeCloseTo(w - lr * (of.get(named.get(name)!)! + decay * w), 5);
    }
    expect(() => nn.parameterGroups(model, [{ match: "encoder", options: {} }])).toThrow(ConfigError);
    expect(() => nn.parameterGroups(model, [{ match: "encoder", options: {} }])).toThrow(/names look like a\.weight/);
    optimizer.dispose();
    model.dispose();
  });
});
