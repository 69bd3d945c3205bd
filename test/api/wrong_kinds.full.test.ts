/** @file Every public function, called with arguments of other kinds than it takes as plain JavaScript may: an error that is ours, or a result. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDevice, VoxgradError } from "../../src/index.ts";

// Of its own: class indices that no class has are told at the next read-back, which may be another test's.
const gpu = await openDevice();
const imageData = { data: Float32Array.from({ length: 64 }, (_, i) => i % 3), shape: [1, 1, 8, 8] };
const wrong: Readonly<Record<string, unknown>> = {
  undefined,
  null: null,
  number: 3,
  boolean: true,
  text: "x",
  numbers: [1, 2, 3],
  texts: ["a"],
  values: new Float32Array(4),
  record: {},
  "host array": { data: new Float32Array(4), shape: [2, 2] },
  function: () => 1,
};
// They measure for minutes what they are given rightly.
const apart = new Set(["measureCeiling", "tune", "bench"]);

type Entry = Readonly<Record<string, unknown>>;
type Callable = (new (...args: unknown[]) => unknown) & ((...args: unknown[]) => unknown);

const isClass = (f: Callable) => Function.prototype.toString.call(f).startsWith("class");

async function bareErrors(name: string, f: Callable): Promise<string[]> {
  const out: string[] = [];
  // For each its own: some give a tensor back, or change it.
  const image = gpu.tensor(imageData);
  for (const [kind, value] of Object.entries({ ...wrong, tensor: image })) {
    const places = {
      1: [value],
      "2, after a tensor": [image, value],
      "2, after a device": [gpu, value],
      3: [image, image, value],
    };
    for (const [place, args] of Object.entries(places)) {
      try {
        await (isClass(f) ? new f(...args) : f(...args));
      } catch (e) {
        if (!(e instanceof VoxgradError)) out.push(`${name}: ${kind} as argument ${place}: ${String(e).slice(0, 120)}`);
      }
    }
  }
  return out;
}

const folder = process.cwd();
const apartFolder = mkdtempSync(join(tmpdir(), "voxgrad-kinds-"));
beforeAll(() => process.chdir(apartFolder));
afterAll(() => {
  process.chdir(folder);
  rmSync(apartFolder, { recursive: true });
  gpu.close();
});

test.each<[string, () => Promise<Entry>]>([
  ["voxgrad", () => import("../../src/index.ts")],
  ["voxgrad/nn", () => import("../../src/nn/index.ts")],
  ["voxgrad/data", () => import("../../src/data/index.ts")],
  ["voxgrad/data/node", () => import("../../src/data/index.node.ts")],
  ["voxgrad/weights", () => import("../../src/weights/index.ts")],
  ["voxgrad/onnx", () => import("../../src/onnx/index.ts")],
  ["voxgrad/testing", () => import("../../src/testing/index.ts")],
  ["voxgrad/bench", () => import("../../src/bench/index.ts")],
  ["voxgrad/seg", () => import("../../src/seg/index.ts")],
  ["voxgrad/seg/node", () => import("../../src/seg/index.node.ts")],
])(
  "%s",
  async (_, load) => {
    const functions = Object.entries(await load()).filter(
      (entry): entry is [string, Callable] =>
        typeof entry[1] === "function" && !apart.has(entry[0]) && !(entry[1].prototype instanceof Error),
    );
    const bare: string[] = [];
    for (const [name, f] of functions) bare.push(...(await bareErrors(name, f)));
    expect(bare).toEqual([]);
  },
  300_000,
);
