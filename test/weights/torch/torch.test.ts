/** @file PyTorch checkpoints of every kind, as torch wrote them. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { FormatError } from "../../../src/host/errors.ts";
import { readWeights } from "../../../src/weights/read.ts";
import { writeSafetensors } from "../../../src/weights/safetensors.ts";
import { readTorch } from "../../../src/weights/torch/file.ts";
import { expected, expectTensors, fixture } from "../fixtures.ts";

test.each([
  ["every.pt", "PyTorch"],
  ["every_legacy.pt", "PyTorch (legacy)"],
  ["unsigned.pt", "PyTorch"],
  ["deflated.pt", "PyTorch"],
  ["big_endian.pt", "PyTorch"],
  ["net.pt", "PyTorch"],
  ["nested.pt", "PyTorch"],
  ["nnunet.pth", "PyTorch (legacy)"],
  ["other_names.pt", "PyTorch"],
  ["compiled_part.pt", "PyTorch"],
  ["with_list.pth", "PyTorch"],
  ["module.pt", "PyTorch"],
  ["module_legacy.pt", "PyTorch (legacy)"],
  ["scripted.pt", "TorchScript"],
  ["bare.pt", "PyTorch"],
  ["numpy.pt", "PyTorch"],
  ["every.safetensors", "safetensors"],
])("%s", async (name, format) => {
  const { tensors, metadata, skipped, ...file } = await readWeights(fixture(name), { source: name });
  expect(file.format).toBe(format);
  expectTensors(tensors, expected[name], name !== "every.safetensors");
  expect(Object.fromEntries(metadata)).toEqual(expected[name].metadata ?? {});
  expect(skipped.map((entry) => entry.name)).toEqual(expected[name].skipped ?? []);
});

test("tensors that share a storage share memory, so that a checkpoint takes no more than its file", async () => {
  const { tensors } = await readTorch(fixture("every.pt"));
  expect(tensors.get("row")!.data.buffer).toBe(tensors.get("f32")!.data.buffer);
  expect(tensors.get("row")!.data.buffer).not.toBe(tensors.get("f64")!.data.buffer);
});

test("prefixes can be kept, and a group of tensors chosen", async () => {
  const kept = await readTorch(fixture("nested.pt"), { keepPrefixes: true });
  expect([...kept.tensors.keys()][0]).toBe("module._orig_mod.conv.weight");
  const two = fixture("two.pt");
  await expect(readTorch(two)).rejects.toThrow(/several groups of tensors: "generator", "discriminator"; choose one/);
  const { tensors } = await readTorch(two, { key: "discriminator" });
  expectTensors(tensors, expected["net.pt"]);
  const prefixed = writeSafetensors(kept.tensors);
  expectTensors((await readWeights(prefixed)).tensors, expected["nested.pt"]);
  expect([...(await readWeights(prefixed, { keepPrefixes: true })).tensors.keys()]).toEqual([...kept.tensors.keys()]);
  await expect(readWeights(prefixed, { key: "a" })).rejects.toThrow(/no groups to choose from/);
  await expect(readTorch(two, { key: "critic" })).rejects.toThrow(/no "critic".*generator, discriminator/);
  const moments = await readTorch(fixture("nested.pt"), { key: "optimizer/state/0" });
  expect([...moments.tensors.keys()]).toEqual(["step", "exp_avg", "exp_avg_sq"]);
});

test.each([
  ["complex.pt", /tensor "w": its type ComplexFloatStorage is not supported/],
  ["float8.pt", /tensor "w": its type \w+ is not supported/],
  ["evil_system.pt", /would call posix\.system, which is not allowed/],
  ["evil_eval.pt", /would call builtins\.eval/],
  ["evil_getattr.pt", /would call builtins\.getattr/],
  ["evil_popen.pt", /would call (subprocess|commands)\.Popen/],
])("%s is refused", async (name, message) => {
  const reading = readWeights(fixture(name), { source: name });
  await expect(reading).rejects.toThrow(FormatError);
  await expect(reading).rejects.toThrow(message);
  expect(existsSync("/tmp/voxgrad_pwned")).toBe(false);
});
