/** @file The conformance runner: what it counts, what it refuses, and its exit codes. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Adapter, decode, difference } from "./format.ts";
import { finder } from "./lookup.ts";

let dir = "";
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "conformance-"))));
afterEach(() => rmSync(dir, { recursive: true }));

const run = (...args: string[]) => {
  const script = join(import.meta.dirname, "run.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--conditions=voxgrad-source", script, dir, ...args], {
    encoding: "utf8",
  });
  return { status, stderr, lines: stdout.trimEnd().split("\n") };
};
const tensor = (data: unknown, shape: number[]) => ({ $tensor: { dtype: "float32", shape, data } });
const flip = (id: string, expected: unknown, args = {}) => ({
  id,
  op: "monai.transforms.Flip",
  args,
  inputs: { img: tensor([[1, 2]], [1, 2]) },
  expected,
  tolerance: { exact: true },
});

describe("run", { timeout: 30_000 }, () => {
  test("counts passed, failed and not covered per operation, totals last, and writes them as JSON", () => {
    const cases = [
      flip("a/1", tensor([[2, 1]], [1, 2])),
      flip("a/2", tensor([[2, 2]], [1, 2])),
      flip("a/3", { error: "ValueError" }, { spatial_axis: 5 }),
      flip("a/4", { error: "ValueError" }),
      { id: "a/5", op: "nobody.has.This", expected: 1 },
    ];
    writeFileSync(join(dir, "a.json"), JSON.stringify({ group: "a", count: 5, cases }));
    const { status, lines } = run("--json", join(dir, "out.txt"));
    expect(status).toBe(1);
    expect(lines.at(-1)).toBe("2 passed, 2 failed, 1 not covered");
    expect(lines[0]).toMatch(/^monai.transforms.Flip +2 passed, 2 failed, 0 not covered$/);
    expect(lines.join("\n")).toMatch(/FAILED a\/2\n.*1 of 2 elements differ; at 1 got 1, expected 2/);
    expect(lines.join("\n")).toMatch(/FAILED a\/4\n.*expected an error/);
    expect(JSON.parse(readFileSync(join(dir, "out.txt"), "utf8"))).toMatchObject({ passed: 2, failed: 2, notCovered: 1 });
    expect(run("--case", "a/1")).toMatchObject({ status: 0, lines: [expect.anything(), "1 passed, 0 failed, 0 not covered"] });
    expect(run("--group", "b")).toMatchObject({ status: 2, stderr: expect.stringContaining('no group "b"') });
  });

  test("an option that an adapter does not know is a failure that names it, an unknown operation is not covered", () => {
    const x = tensor([1, 2], [1, 2]);
    const cases = [
      flip("a/1", tensor([[2, 1]], [1, 2]), { along: 1 }),
      { id: "a/2", op: "op.softmax", args: { dim: 1, temperature: 2 }, inputs: { x }, expected: x },
      { id: "a/3", op: "optim.SGD", args: { lr: 1, rho: 2 }, inputs: { p0: "wave((1,),1,1,1,0)" }, expected: [] },
      { id: "a/4", op: "monai.losses.DiceLoss", args: { sharpen: true }, inputs: {}, expected: { error: "TypeError" } },
      { id: "a/5", op: "monai.networks.nets.UNet", args: { depth: 3 }, inputs: { input_shape: [1, 1, 8, 8] }, expected: {} },
      { id: "a/6", op: "train.UNet2d+DiceLoss+Adam", args: { epochs: 3 }, inputs: {}, expected: {} },
      { id: "a/7", op: "optim.Rprop", args: {}, inputs: {}, expected: [] },
      { id: "a/8", op: "op.softmax_in_rings", args: {}, inputs: { x }, expected: x },
    ];
    writeFileSync(join(dir, "a.json"), JSON.stringify({ group: "a", count: 8, cases }));
    const text = run().lines.join("\n");
    expect(text.match(/unknown option \w+ of \S+/g)).toEqual([
      "unknown option along of monai.transforms.Flip",
      "unknown option temperature of op.softmax",
      "unknown option rho of optim.SGD",
      "unknown option sharpen of DiceLoss",
      "unknown option depth of UNet",
      "unknown option epochs of train.UNet2d+DiceLoss+Adam",
    ]);
    expect(text).toMatch(/0 passed, 6 failed, 2 not covered$/);
  });

  test("refuses an empty folder and a file that is not a case file", () => {
    expect(run()).toMatchObject({ status: 2, stderr: expect.stringContaining("no case files") });
    writeFileSync(join(dir, "a.json"), "{");
    expect(run()).toMatchObject({ status: 2, stderr: expect.stringContaining("a.json") });
    writeFileSync(join(dir, "a.json"), "{}");
    expect(run()).toMatchObject({ status: 2, stderr: expect.stringContaining('list "cases"') });
  });
});

describe("lookup", () => {
  const [softmax, logSoftmax, leaky, conv, sgd]: Adapter[] = Array.from({ length: 5 }, () => () => 0);
  const named = { "op.softmax": softmax, "op.log_softmax": logSoftmax, "op.leaky_relu": leaky, "op.conv": conv };
  const find = finder(named, [[/^optim\.SGD/, sgd]]);

  test.for<[string, Adapter | undefined]>([
    ["op.softmax", softmax],
    ["op.softmax2d_dim1", softmax],
    ["op.log_softmax_axis2", logSoftmax],
    ["torch.nn.LogSoftmax", logSoftmax],
    ["torch.nn.functional.leaky_relu", leaky],
    ["nn.LeakyReLU(0.2)", leaky],
    ["op.act.LeakyReLU", leaky],
    ["op.conv3d", conv],
    ["op.conv_no_bias", conv],
    ["optim.SGD+StepLR", sgd],
    ["op.softmax_in_rings", undefined],
    ["op.conv_transpose", undefined],
    ["other.softmax", undefined],
    ["op.toString", undefined],
  ])("%s", ([op, adapter]) => expect(find(op)).toBe(adapter));
});

describe("format", () => {
  test("decodes every form", () => {
    expect(decode({ $tensor: { dtype: "int64", shape: [2, 2], rle: [[3, 3], [1, 1]] } })).toEqual({ data: Int32Array.of(3, 3, 3, 1), shape: [2, 2] }); // prettier-ignore
    expect(decode(tensor(["NaN", "-Infinity"], [2])).data).toEqual(Float32Array.of(NaN, -Infinity));
    expect(decode({ $wave: { shape: [2], a: 2, b: 0.5, c: 1, d: 3, dtype: "float64" } }).data[1]).toBe(3 + 2 * Math.sin(2));
    expect(decode({ $sphere: { shape: [1, 3], spacing: [1, 2], centre: [0, 2], radius: 2 } })).toEqual({
      data: Float32Array.of(1, 1, 1),
      shape: [1, 1, 1, 3],
    });
    expect(decode({ $zeros: { shape: [2] } })).toEqual({ data: new Float32Array(2), shape: [1, 1, 2] });
    expect(decode({ $fn: "x > 1" })(1)).toBe(false);
    expect(decode({ $fn: "torch.tanh" })(0.5)).toBe(Math.tanh(0.5));
    expect(decode([{ $slice: [1, null, null] }, "Infinity", "x"])).toEqual([{ start: 1, stop: null, step: null }, Infinity, "x"]);
  });

  test.for<[string, number, number | boolean]>([
    ["x > 0", 1, true],
    ["(x > 3) & (x < 7)", 7, false],
    ["lambda x: np.where((x > 3) & (x < 7), True, False)", 5, true],
    ["-x ** 2 + 10 // 3", 3, -6],
    ["2 * (x - .5) / 4", 2.5, 1],
    ["torch.maximum(x, -x) != 2", -2, false],
  ])("the function %s of %d is %s", ([source, x, want]) => expect(decode({ $fn: source })(x)).toBe(want));

  test("a function that it cannot read keeps its text as its name", () => {
    const f = decode({ $fn: "lambda x: torch.log_softmax(x, dim=1)" });
    expect(f.name).toBe("lambda x: torch.log_softmax(x, dim=1)");
    expect(() => f(1)).toThrow("the function lambda x");
  });

  test("finds differences of value, shape, length and key, and nothing else", () => {
    const tol = { rtol: 1e-4, atol: 1e-5 };
    const x = { data: Float32Array.of(1, NaN), shape: [2] };
    expect(difference(x, x, tol)).toBeUndefined();
    expect(difference({ ...x, shape: [1, 2] }, x, tol)).toMatch(/shape \[1,2\], expected \[2\]/);
    expect(difference({ data: Float32Array.of(1, 0), shape: [2] }, x, tol)).toMatch(/1 of 2/);
    expect(difference([1, 2], [1, 2, 3], tol)).toMatch(/2 entries/);
    expect(difference({ a: 1 }, { a: 1, b: 2 }, tol)).toMatch(/result.b: missing/);
    expect(difference(1.00005, 1, tol)).toBeUndefined();
    expect(difference(1.001, 1, tol)).toMatch(/got 1.001/);
    expect(difference(1.0000001, 1, { exact: true, float_rtol: 1e-3 })).toMatch(/expected 1/);
    expect(difference(0.5000001, 0.5, { exact: true, float_rtol: 1e-3 })).toBeUndefined();
    expect(difference(undefined, 0, tol)).toMatch(/got undefined/);
  });
});
