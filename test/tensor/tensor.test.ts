/** @file Tensors: upload, read-back, views, lifetime. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ConfigError,
  type Device,
  DTypeError,
  full,
  openDevice,
  scope,
  ShapeError,
  square,
  type Tensor,
} from "../../src/index.ts";
import { Storage } from "../../src/tensor/buffers.ts";
import { runChild } from "../lib/child.ts";

let device: Device;
beforeAll(async () => void (device = await openDevice()));
afterAll(() => device.close());

const live = (): number => device.memory.live;

describe("upload and read-back", () => {
  test.each([
    ["f32", [1.5, -2, 3e38, 0], [1.5, -2, Math.fround(3e38), 0], Float32Array],
    ["i32", [1, -2, 2 ** 31 - 1, -(2 ** 31)], [1, -2, 2 ** 31 - 1, -(2 ** 31)], Int32Array],
    ["u32", [0, 1, 2 ** 32 - 1, 7], [0, 1, 2 ** 32 - 1, 7], Uint32Array],
  ] as const)("%s comes back as it went in, from plain and typed arrays", async (dtype, values, expected, type) => {
    using t = device.tensor({ data: values, shape: [2, 2] }, dtype);
    using u = device.tensor({ data: Float64Array.from(values), shape: [4] }, dtype);
    const data = await t.data();
    expect(data).toBeInstanceOf(type);
    expect([...data]).toEqual(expected);
    expect(await u.data()).toEqual(data);
    expect([t.size, t.rank, t.bytes]).toEqual([4, 2, 16]);
  });

  test("a part of a typed array is uploaded from its own offset", async () => {
    using t = device.tensor({ data: Float32Array.from([1, 2, 3, 4, 5]).subarray(2, 4), shape: [2] });
    expect([...(await t.data())]).toEqual([3, 4]);
  });

  test("empty tensors and scalars", async () => {
    using none = device.tensor({ data: [], shape: [3, 0] });
    using scalar = device.tensor({ data: [7], shape: [] });
    device.write(none, { data: [], shape: [0] });
    expect((await none.data()).length).toBe(0);
    expect(await scalar.item()).toBe(7);
    using copy = device.empty([3, 0]);
    device.eager.copy(none, copy, 0);
    await device.settle();
  });

  test("odd f16 sizes are rounded up to words; f16 is neither read nor written by the host", async () => {
    using t = device.empty([3], "f16");
    using u = device.empty([3], "f16");
    expect(t.bytes).toBe(8);
    device.eager.copy(t, u, 0);
    await device.settle();
    expect(() => t.data()).toThrow(DTypeError);
    expect(() => device.write(t, { data: [1, 2, 3], shape: [3] })).toThrow(DTypeError);
    const before = live();
    expect(() => device.tensor({ data: [1], shape: [1] }, "f16")).toThrow(DTypeError);
    expect(live()).toBe(before);
  });

  test("a read sees the values of its moment, whatever is written later", async () => {
    using t = device.tensor({ data: [1, 2], shape: [2] });
    const first = t.data();
    device.write(t, { data: [3, 4], shape: [2] });
    const second = t.data();
    using nine = full(device, [2], 9);
    device.eager.copy(nine, t, 0);
    const third = t.data();
    t.dispose();
    using other = device.tensor({ data: [5, 6], shape: [2] }); // may get the very same buffer
    expect(await Promise.all([first, second, third].map(async (p) => [...(await p)]))).toEqual([
      [1, 2],
      [3, 4],
      [9, 9],
    ]);
    expect([...(await other.data())]).toEqual([5, 6]);
  });

  test("many reads in flight do not mix, small and large", async () => {
    const sizes = [1, 10, 100, 300_000, 1, 10];
    const reads = sizes.map((n, i) => {
      using t = full(device, [n], i);
      return t.data();
    });
    (await Promise.all(reads)).forEach((data, i) => {
      expect(data.length).toBe(sizes[i]);
      expect(data.every((v) => v === i)).toBe(true);
    });
  });

  test("wrong shapes are refused with a message, and take no memory", async () => {
    const before = device.memory;
    expect(() => device.tensor({ data: [1, 2], shape: [3] })).toThrow(
      /device.tensor: the array has 2 values, but its shape \[3\] holds 3/,
    );
    expect(() => device.tensor({ data: [1, 2], shape: [-1, -2] })).toThrow(/integers of at least 0, got \[-1, -2\]/);
    expect(() => device.empty([2, 1.5])).toThrow(ShapeError);
    expect(() => device.empty([Number.NaN])).toThrow(ShapeError);
    expect(device.memory).toEqual(before);
    using t = device.empty([2, 2]);
    expect(() => device.write(t, { data: [1, 2], shape: [2] })).toThrow(/do not fill a tensor of shape \[2, 2\]/);
    expect(() => t.item()).toThrow(/item: expected one element, got shape \[2, 2\]/);
    await device.settle();
  });
});

test("arguments of another kind, as other libraries take them, are refused with the form that is wanted", () => {
  const wanted = /device\.\w+: expected \{ data, shape \}/;
  expect(() => device.tensor(new Float32Array(4) as never, [2, 2] as never)).toThrow(wanted);
  expect(() => device.tensor(undefined as never)).toThrow(wanted);
  expect(() => device.tensor({ data: "ab", shape: [2] } as never)).toThrow(wanted);
  expect(() => device.tensor({ data: [1] } as never)).toThrow(/a shape is a list of sizes, got undefined/);
  expect(() => device.empty(4 as never)).toThrow(/a shape is a list of sizes, got number/);
  expect(() => device.empty([2], "f64" as never)).toThrow(/types f32, i32, u32, f16, got f64/);
  using t = device.empty([2]);
  expect(() => device.write(t, new Float32Array(2) as never)).toThrow(wanted);
});

describe("views", () => {
  test("share memory, which lives as long as one of them", async () => {
    const before = device.memory;
    const t = device.tensor({ data: [1, 2, 3, 4], shape: [4] });
    const v = t.view([2, 2]);
    t.dispose();
    expect(live() - before.live).toBe(256);
    device.write(v, { data: [5, 6, 7, 8], shape: [4] });
    expect([...(await v.data())]).toEqual([5, 6, 7, 8]);
    v.dispose();
    expect(device.memory.buffers).toBe(before.buffers);
    expect(() => full(device, [4], 1).view([3])).toThrow(/view: \[4\] has 4 elements, \[3\] has 3/);
  });

  test("a rebased tensor reads and writes at its offset, and its old memory is returned", async () => {
    const before = device.memory.buffers;
    using flat = full(device, [128], 0);
    using t = device.tensor({ data: [1, 2], shape: [2] });
    device.eager.copy(t, flat, 256);
    const version = device.layoutVersion;
    t.rebase(flat.storage, 256);
    expect(device.layoutVersion).toBe(version + 1);
    expect(device.memory.buffers).toBe(before + 1);
    expect([...(await t.data())]).toEqual([1, 2]);
    device.write(t, { data: [3, 4], shape: [2] });
    using s = square(t);
    expect([...(await s.data())]).toEqual([9, 16]);
    expect([...(await flat.data())].slice(62, 67)).toEqual([0, 0, 3, 4, 0]);
    t.rebase(t.storage, 256); // onto itself: must not lose the memory in between
    expect([...(await t.data())]).toEqual([3, 4]);
  });

  test("rebase refuses disposed tensors and memory of a capture", () => {
    using flat = full(device, [64], 0);
    const t = flat.view([64]);
    t.dispose();
    expect(() => t.rebase(flat.storage, 0)).toThrow(ConfigError);
    expect(flat.storage.released).toBe(false);
    expect(() => flat.rebase(new Storage(256), 0)).toThrow(/before the captured step/);
  });
});

describe("lifetime", () => {
  test("disposal gives memory back once; use afterwards is a ConfigError that shows the shape", () => {
    const before = device.memory.buffers;
    const t = full(device, [2, 3], 0);
    const v = t.view([6]);
    t.dispose();
    t.dispose();
    expect(device.memory.buffers).toBe(before + 1);
    v.dispose();
    expect(device.memory.buffers).toBe(before);
    expect(t.disposed).toBe(true);
    expect(() => t.data()).toThrow(/a tensor \[2, 3\] was used after it was disposed/);
    expect(() => t.view([6])).toThrow(ConfigError);
    expect(() => square(t)).toThrow(ConfigError);
    expect(() => device.write(t, { data: [1, 2, 3, 4, 5, 6], shape: [2, 3] })).toThrow(ConfigError);
  });

  test("`using` disposes at the end of the block, also when it throws", () => {
    const before = device.memory.buffers;
    let seen: Tensor | undefined;
    expect(() => {
      using t = full(device, [3], 0);
      seen = t;
      throw new Error("mine");
    }).toThrow("mine");
    expect(seen!.disposed).toBe(true);
    expect(device.memory.buffers).toBe(before);
  });

  test("what a scope made is gone, its result is not", async () => {
    const before = device.memory.buffers;
    using y = scope(() => square(square(full(device, [1], 3))));
    expect(device.memory.buffers).toBe(before + 1);
    expect(await y.item()).toBe(81);
  });

  test("forgotten tensors are returned when they are collected; views and originals count once", () => {
    const { stdout, stderr } = runChild(
      `
      import { openDevice, full } from "./src/index.ts";
      const device = await openDevice();
      const kept = full(device, [1], 1).view([1, 1]);
      (() => { for (let i = 0; i < 50; i++) full(device, [100], i).view([10, 10]); })();
      const before = device.memory.buffers;
      for (let i = 0; i < 20 && device.memory.buffers > 1; i++) { await new Promise((r) => setTimeout(r, 10)); gc(); }
      console.log(before, device.memory.buffers, device.memory.live, await kept.item());
      device.close();`,
      ["--expose-gc"],
    );
    expect(stdout, stderr).toBe("51 1 256 1");
  });
});
