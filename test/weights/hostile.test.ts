/**
 * @file Files that lie: each is a `FormatError` (or, where it happens to be sound, read), nothing is executed, and what is allocated stays within
 * the file's size × 4. Pickles that lie: torch/hostile_pickles.test.ts.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/host/errors.ts";
import { readWeights } from "../../src/weights/read.ts";
import { readTorch } from "../../src/weights/torch/file.ts";
import { fixture } from "./fixtures.ts";
import {
  type Entry,
  dict,
  four,
  global,
  int,
  latin,
  one,
  pickle,
  reads,
  refuses,
  storage,
  tensor,
  text,
  torch,
  zip,
} from "./torch/made.ts";

test("the hand-made files are read when they tell the truth", async () => {
  for (const file of [
    one(tensor()),
    reads(latin("N")),
    zip([
      { name: "data.pkl", data: pickle(dict(text("w"), tensor())), deflate: true },
      { name: "data/0", data: four, deflate: true },
    ]),
  ]) {
    const { tensors } = await readTorch(file);
    expect([...tensors.get("w")!.data]).toEqual([1, 2, 3, 4]);
  }
});

describe("archives", () => {
  const good = pickle(dict(text("w"), tensor()));
  const main: Entry = { name: "a/data.pkl", data: good };
  const data: Entry = { name: "a/data/0", data: four };
  test.each<[string, Buffer, RegExp]>([
    ["no directory", zip([main, data]).subarray(0, 200), /no directory/],
    ["a directory outside", zip([main, data], { start: 1 << 20 }), /outside of the file/],
    ["more entries than there are", zip([main, data], { count: 60000 }), /outside of the file|damaged/],
    ["an entry behind the end", zip([main, { ...data, lie: { offset: 1 << 24 } }]), /does not lie in the file/],
    ["a size behind the end", zip([main, { ...data, lie: { size: 1 << 24, packed: 1 << 24 } }]), /does not lie in the file/],
    ["two sizes", zip([main, { ...data, lie: { size: 1 << 24 } }]), /two sizes differ/],
    [
      "entries that overlap",
      zip([main, { ...data, data: Buffer.alloc(16, 1) }, { name: "a/data/0", data: four, lie: { offset: 0 } }]),
      /does not lie|twice|overlap/,
    ],
    [
      "one range for two entries",
      zip([
        main,
        data,
        { name: "a/data/1", data: four, lie: { offset: zip([main]).length - 46 - 10 - 22, localName: "a/data/1" } },
      ]),
      /overlap|does not lie/,
    ],
    ["another name in the local header", zip([main, { ...data, lie: { localName: "a/data/1" } }]), /does not lie in the file/],
    ["an entry twice", zip([main, data, data]), /twice/],
    ["an encrypted entry", zip([main, { ...data, lie: { flags: 1 } }]), /encrypted/],
    ["no data.pkl", zip([data]), /no data\.pkl/],
    ["no storage", zip([main]), /storage data\/0 is missing/],
    ["a storage too short", zip([main, { ...data, data: four.subarray(4) }]), /12 bytes instead of 16/],
    [
      "a bomb by its own word",
      zip([
        { ...main, deflate: true },
        { name: "a/data/0", data: Buffer.alloc(1 << 26), deflate: true },
      ]).subarray(),
      /bytes instead of 16|more memory/,
    ],
    [
      "a bomb that says it is small",
      zip([main, { name: "a/data/0", data: Buffer.alloc(1 << 24), deflate: true, lie: { size: 16 } }]),
      /inflates to more than the 16/,
    ],
    [
      "a bomb of a pickle",
      zip([{ name: "a/data.pkl", data: Buffer.alloc(1 << 26, "N"), deflate: true }, data]),
      /more memory than four times/,
    ],
    ["less than promised", zip([main, { ...data, deflate: true, lie: { size: 17 } }]), /inflates to 16 bytes instead of the 17/],
    ["noise for deflate", zip([main, { ...data, data: Buffer.alloc(64, 0xa7) }]).fill(0), /./],
  ])("%s", async (name, bytes, message) => {
    if (name === "noise for deflate") return refuses(bytes, /no PyTorch file/);
    await refuses(bytes, message);
  });

  test("noise instead of deflated bytes", async () => {
    const bytes = zip([main, { ...data, deflate: true }]);
    bytes.fill(0xff, bytes.indexOf("a/data/0") + 8, bytes.indexOf("a/data/0") + 14);
    await refuses(bytes, /cannot be inflated|inflates to/);
  });
});

describe("tensors", () => {
  test.each<[string, Buffer, RegExp]>([
    ["beyond the storage", one(tensor({ shape: [5] })), /tensor "w": shape \[5\] .* reaches beyond its storage of 4/],
    ["beyond it by offset", one(tensor({ offset: 1 })), /beyond/],
    ["beyond it by stride", one(tensor({ shape: [2, 2], stride: [4, 1] })), /beyond/],
    ["a negative offset", one(tensor({ offset: -1 })), /damaged/],
    ["a negative stride", one(tensor({ offset: 3, stride: [-1] })), /damaged/],
    ["strides for another shape", one(tensor({ stride: [1, 1] })), /damaged/],
    ["a thousand axes", one(tensor({ shape: Array(1000).fill(1), stride: Array(1000).fill(1) })), /damaged/],
    ["expanded without end", one(tensor({ shape: [1 << 30], stride: [0] })), /more memory than four times/],
    ["sizes whose product overflows", one(tensor({ shape: Array(40).fill(1 << 30), stride: Array(40).fill(0) })), /damaged/],
    ["a storage of another length", one(tensor({ from: storage("0", 5) })), /16 bytes instead of 20/],
    ["a storage of another type", one(tensor({ from: storage("0", 4, "DoubleStorage") })), /16 bytes instead of 32/],
    ["a storage outside of the folder", one(tensor({ from: storage("../../data.pkl") })), /is missing/],
    ["a type that does not exist", one(tensor({ from: storage("0", 4, "EvilStorage") })), /EvilStorage is not supported/],
    ["no storage", one(tensor({ from: latin("N") })), /no storage/],
    ["no tensors", one(int(3)), /no tensors were found; the file holds w/],
  ])("%s", (_, bytes, message) => refuses(bytes, message));
});

describe("what is left of a good file", () => {
  const names = ["every.pt", "every_legacy.pt", "nested.pt", "deflated.pt", "module_legacy.pt", "every.safetensors", "net.pt"];
  /** Reads or refuses, and never anything else. */
  const survives = async (bytes: Uint8Array) => {
    try {
      await readWeights(bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  };

  test.each(names)("%s cut short anywhere", async (name) => {
    const bytes = fixture(name);
    const step = Math.max(1, Math.floor(bytes.length / 150));
    for (let n = 0; n < bytes.length; n += step)
      await expect(readWeights(bytes.subarray(0, n)), `${n} bytes`).rejects.toThrow(FormatError);
  });

  test.each(names)("%s with bytes changed", async (name) => {
    const bytes = fixture(name);
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const copy = bytes.slice();
        for (const [at, value] of changes) copy[at] = value;
        await survives(copy);
      }),
      { numRuns: 150, seed: 4 },
    );
  });

  test("random pickles", async () => {
    const opcode = fc.constantFrom(
      ..."().012NIJKLMSTUVXabcdeghijlopqrstu}]QRGBC\x80\x81\x85\x86\x87\x88\x8a\x8c\x91\x93\x94".split(""),
    );
    const piece = fc.oneof(
      { weight: 5, arbitrary: opcode.map(latin) },
      { weight: 1, arbitrary: fc.nat(3).map((n) => latin(String.fromCharCode(n))) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(tensor(), text("a"), dict(), global("torch", "Size"), latin("h\x00"), latin("q\x00")),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), (parts) => survives(torch(pickle(...parts)))),
      { numRuns: 1500, seed: 4 },
    );
  });
});

test("legacy files whose storages lie", async () => {
  const bytes = fixture("every_legacy.pt");
  const length = Buffer.from(bytes).indexOf(Buffer.from(Float32Array.of(0.3616154193878174).buffer)) - 8;
  for (const lie of [2n ** 50n, -1n, 1n]) {
    const lying = bytes.slice();
    new DataView(lying.buffer).setBigInt64(length, lie, true);
    await refuses(lying, /storage \d+ has -?\d+ elements instead of/);
  }
  await refuses(latin("\x80\x02\x8a\x01\x01."), /not one of torch\.save/);
});
