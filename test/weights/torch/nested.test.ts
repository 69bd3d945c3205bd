/** @file Checkpoints that hold several state dicts: parts of one model come together, several models ask for a choice, nothing is lost unsaid. */
import { describe, expect, test } from "vitest";
import { FormatError } from "../../../src/host/errors.ts";
import { readTorch } from "../../../src/weights/torch/file.ts";
import { dict, latin, pickle, tensor, text, torch } from "./made.ts";

type Tree = { readonly [name: string]: Tree | "tensor" | "number" | "text" } | readonly Tree[];

const list = (...items: readonly Buffer[]) => Buffer.concat([latin("]("), ...items, latin("e")]);
function ops(tree: Tree | string): Buffer {
  if (tree === "tensor") return tensor();
  if (tree === "number") return tensor({ shape: [], stride: [] });
  if (typeof tree === "string") return text(tree);
  if (Array.isArray(tree)) return list(...(tree as readonly Tree[]).map(ops));
  return dict(...Object.entries(tree).flatMap(([name, value]) => [text(name), ops(value)]));
}
const file = (tree: Tree) => torch(pickle(ops(tree)));

const a = { "conv.weight": "tensor", "conv.bias": "tensor" } as const;
const b = { "up.weight": "tensor" } as const;

describe("parts of one model come under dotted prefixes", () => {
  test.each<[string, Tree, readonly string[]]>([
    ["encoder and decoder", { encoder: a, decoder: b }, ["encoder.conv.weight", "encoder.conv.bias", "decoder.up.weight"]],
    [
      "three, beside an optimizer",
      { epoch: "text", backbone: b, neck: b, seg_head: b, optimizer: { state: { 0: b } } },
      ["backbone.up.weight", "neck.up.weight", "seg_head.up.weight"],
    ],
    [
      "under a known name",
      { state_dict: { encoder: a, decoder: b } },
      ["encoder.conv.weight", "encoder.conv.bias", "decoder.up.weight"],
    ],
    [
      "each in a checkpoint of its own",
      { encoder: { state_dict: b }, decoder: { model: b } },
      ["encoder.up.weight", "decoder.up.weight"],
    ],
    ["each with a wrapper", { encoder: { "module.w": "tensor" }, decoder: b }, ["encoder.w", "decoder.up.weight"]],
    [
      "beside tensors of the model itself",
      { "scale.w": "tensor", encoder: b, decoder: b },
      ["scale.w", "encoder.up.weight", "decoder.up.weight"],
    ],
    [
      "beside a counter that is a tensor",
      { epoch: "number", encoder: b, decoder: b },
      ["encoder.up.weight", "decoder.up.weight"],
    ],
    ["one model beside a counter that is a tensor", { step: "number", unet: b }, ["up.weight"]],
  ])("%s", async (_, tree, names) => {
    expect([...(await readTorch(file(tree))).tensors.keys()]).toEqual(names);
  });

  test("prefixes of wrappers stay where they are asked for, and a key chooses one part", async () => {
    const bytes = file({ encoder: { "module.w": "tensor" }, decoder: b });
    expect([...(await readTorch(bytes, { keepPrefixes: true })).tensors.keys()]).toEqual([
      "encoder.module.w",
      "decoder.up.weight",
    ]);
    expect([...(await readTorch(bytes, { key: "decoder" })).tensors.keys()]).toEqual(["up.weight"]);
  });
});

describe("what is no parts of one model asks for a choice", () => {
  test.each<[string, Tree, RegExp]>([
    ["two networks", { net_G: a, net_D: b }, /"net_G", "net_D"; choose one with the option key \(--key\)/],
    ["a model and its average", { unet: a, unet_ema: a }, /"unet", "unet_ema"/],
    ["a list of state dicts", [a, b], /"0", "1"/],
    ["folds", { folds: [a, a] }, /"folds\/0", "folds\/1"/],
    ["parts, and something that may be one", { encoder: a, decoder: b, critic: b }, /"encoder", "decoder", "critic"/],
    ["a known name that is one part of several", { encoder: a, net: b }, /"net", "encoder"/],
  ])("%s", async (_, tree, message) => {
    const reading = readTorch(file(tree), { source: "a.pt" });
    await expect(reading).rejects.toThrow(FormatError);
    await expect(reading).rejects.toThrow(message);
  });
});

test("what lies beside the chosen state is named with the way to it", async () => {
  const { tensors, skipped } = await readTorch(file({ model: b, ema: b, optimizer: { state: { 0: b } }, epoch: "text" }));
  expect([...tensors.keys()]).toEqual(["up.weight"]);
  expect(skipped).toEqual([{ name: "ema", reason: expect.stringMatching(/another group of tensors; the option key \(--key\)/) }]);
  const beside = await readTorch(file({ ...b, ema: a }));
  expect([[...beside.tensors.keys()], beside.skipped.map(({ name }) => name)]).toEqual([["up.weight"], ["ema"]]);
});
