/** @file The files of test/fixtures/checkpoints and what make_checkpoints.py says is in them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { WeightTensor } from "../../src/weights/elements.ts";
import { readTfjs } from "../../src/weights/index.ts";

export const folder = new URL("../fixtures/checkpoints/", import.meta.url);
export const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, folder)));

/** A TensorFlow.js model in a folder of its own. */
export const openTfjs = (name: string, at = fileURLToPath(folder)) =>
  readTfjs(readFileSync(join(at, name, "model.json")), async (path) => readFileSync(join(at, name, path)), name);

export interface Expected {
  readonly tensors: readonly (readonly [name: string, dtype: string, shape: readonly number[], values: readonly number[]])[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly skipped?: readonly string[];
  readonly output?: { readonly shape: readonly number[]; readonly data: readonly number[] };
}

export const expected = JSON.parse(readFileSync(new URL("expected.json", folder), "utf8")) as Readonly<Record<string, Expected>>;

const types: Readonly<Record<string, string>> = { bool: "BOOL", bfloat16: "BF16" };
const typeOf = (torch: string) => types[torch] ?? torch.replace("float", "F").replace("uint", "U").replace("int", "I");

/** Names, types, shapes and values, all of them exact. */
export function expectTensors(got: ReadonlyMap<string, WeightTensor>, { tensors }: Expected, ordered = true): void {
  const names = tensors.map(([name]) => name);
  if (ordered) expect([...got.keys()]).toEqual(names);
  else expect([...got.keys()].sort()).toEqual(names.slice().sort());
  for (const [name, dtype, shape, values] of tensors) {
    const tensor = got.get(name)!;
    expect([name, tensor.dtype, tensor.shape]).toEqual([name, typeOf(dtype), shape]);
    expect(Array.from(tensor.data), name).toEqual(values);
  }
}
