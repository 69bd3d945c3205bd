/** @file Weight files: the tensors in them, and what a network computes with them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { noGrad, type Device } from "../../../src/index.ts";
import type { Module } from "../../../src/nn/index.ts";
import * as seg from "../../../src/seg/index.ts";
import { readWeights, type WeightTensor } from "../../../src/weights/index.ts";
import { type Adapter, type Adapters, expectKnown, NotCovered } from "../format.ts";
import { camel } from "../../lib/names.ts";
import { device } from "../device.ts";
import { summary } from "../network_case.ts";
import { makers } from "./networks.ts";

/** MONAI's UNet unless the case names another network. */
function network(dev: Device, { name = "UNet", type = name, ...args }: Record<string, any>): Module {
  const monai = makers[`nets.${type}`];
  if (monai) return monai(dev, args);
  const make = (seg as Record<string, unknown>)[type];
  if (typeof make !== "function") throw new NotCovered(`network ${type}`);
  const options = Object.entries(args).filter(([k, v]) => v !== null || k === "act" || k === "norm");
  return new (make as any)(dev, Object.fromEntries(options.map(([k, v]) => [camel(k), v])));
}

type Tensors = ReadonlyMap<string, WeightTensor>;

/** The tensors that a case asks for by name; it may use the names in the file or those without prefixes. */
function asked(expected: any, all: readonly Tensors[]): Record<string, unknown> {
  const find = (name: string): WeightTensor | undefined => all.map((tensors) => tensors.get(name)).find(Boolean);
  const entries = Array.isArray(expected) ? (expected as [string, any][]) : Object.entries<any>(expected);
  const value = (t: WeightTensor | undefined, like: any) => (t && like?.samples ? summary(t, like) : (t ?? null));
  return Object.fromEntries(entries.map(([name, like]) => [name, value(find(name), like)]));
}

const load: Adapter = async ({ op, args, inputs, expected }, { dir }) => {
  expectKnown(op, args, ["file", "key", "strict", "net"]);
  const bytes = readFileSync(join(dir, args.file));
  const options = { source: args.file, ...(args.key === undefined ? {} : { key: args.key }) };
  const { tensors } = await readWeights(bytes, options);
  const { tensors: raw } = await readWeights(bytes, { ...options, keepPrefixes: true });
  const asInFile = [expected.first_key, expected.last_key].some((name) => raw.has(name) && !tensors.has(name));
  const listed = asInFile ? raw : tensors;
  let names = [...listed.keys()];
  const result: Record<string, unknown> = {
    num_tensors: listed.size,
    state_dict: [...listed].map(([name, { shape }]) => [name, [...shape]]),
  };
  if (args.net) {
    const dev = await device();
    const net = network(dev, args.net).eval();
    const report = net.loadStateDict(tensors, { strict: args.strict ?? true });
    result.missing_keys = report.missing;
    result.unexpected_keys = report.unexpected;
    if (inputs.x) {
      const out = noGrad(() => net.forward(dev.tensor(inputs.x)));
      result.output = { data: await out.data(), shape: out.shape };
    }
    // safetensors files are sorted by type and name; the first and last key are those of the network.
    if (!asInFile) names = [...net.namedTensors()].map(([name]) => name).filter((name) => tensors.has(name));
    net.dispose();
  }
  const given = expected.tensors ? { tensors: asked(expected.tensors, [tensors, raw]) } : asked(expected, [tensors, raw]);
  return { ...given, ...result, keys: names, first_key: names[0], last_key: names.at(-1) };
};

export const adapters: Adapters = {
  "checkpoint.load": load,
  "torch.load": load,
  "safetensors.load": load,
  "safetensors.torch.load_file": load,
};
