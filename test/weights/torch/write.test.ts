/** @file Checkpoints written for PyTorch, read again. That `torch.load` takes them is shown by the results folders that nnU-Net predicts with. */

import { expect, test } from "vitest";
import { DTypeError } from "../../../src/index.ts";
import { readTorch, type TorchTensor, writeTorch } from "../../../src/weights/index.ts";

test("tensors, equal ones once, and plain data", async () => {
  const weight = { data: Float32Array.from({ length: 6 }, (_, i) => i / 4 - 0.5), shape: [2, 3] };
  const bytes = writeTorch({
    network_weights: new Map<string, TorchTensor>([
      ["a.weight", weight],
      ["a.all_modules.0.weight", { ...weight, data: weight.data.slice() }],
      ["scale", { data: Float64Array.of(3), shape: [] }],
      ["count", { data: Int32Array.of(7, -7), shape: [2] }],
    ]),
    optimizer_state: null,
    current_epoch: 1000,
    loss: -0.25,
    large: 2 ** 40,
    axes: [0, 1, 2],
    init_args: { configuration: "3d_fullres", größe: true },
  });
  const { tensors, metadata, format } = await readTorch(bytes, { key: "network_weights" });
  expect(format).toBe("PyTorch");
  expect(tensors.get("a.weight")).toMatchObject({ dtype: "F32", ...weight });
  expect(tensors.get("a.all_modules.0.weight")!.data.buffer).toBe(tensors.get("a.weight")!.data.buffer);
  expect(tensors.get("scale")).toMatchObject({ dtype: "F64", shape: [], data: Float64Array.of(3) });
  expect(tensors.get("count")).toMatchObject({ dtype: "I32", data: Int32Array.of(7, -7) });
  expect(Object.fromEntries(metadata)).toMatchObject({
    current_epoch: "1000",
    loss: "-0.25",
    large: String(2 ** 40),
    axes: "[0,1,2]",
    "init_args.configuration": "3d_fullres",
    "init_args.größe": "true",
  });
  // Contents begin at multiples of 64, for who maps the file into memory.
  const at = Buffer.from(bytes).indexOf(new Uint8Array(weight.data.buffer));
  expect(at).toBeGreaterThan(0);
  expect(at % 64).toBe(0);
});

test("arrays that PyTorch has no type for", () => {
  expect(() => writeTorch({ data: Uint16Array.of(1), shape: [1] })).toThrow(DTypeError);
});
