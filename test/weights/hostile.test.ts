/**
 * @file Files that lie: each is a `FormatError` (or, where it happens to be sound, read), nothing is executed, and what is allocated stays within
 * the file's size × 4. Pickles are put together here by hand, opcode by opcode.
 */
import { deflateRawSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/host/errors.ts";
import { readWeights } from "../../src/weights/read.ts";
import { readTorch } from "../../src/weights/torch/file.ts";
import { fixture } from "./fixtures.ts";

const latin = (text: string) => Buffer.from(text, "latin1");
const u16 = (n: number) => latin(String.fromCharCode(n & 255, n >> 8));
const u32 = (n: number) => Buffer.from(Uint32Array.of(n).buffer);

interface Entry {
  readonly name: string;
  readonly data: Buffer;
  readonly deflate?: boolean;
  /** What the headers say instead of the truth. */
  readonly lie?: {
    readonly size?: number;
    readonly packed?: number;
    readonly offset?: number;
    readonly localName?: string;
    readonly flags?: number;
  };
}

function zip(entries: readonly Entry[], more: { count?: number; start?: number } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, data, deflate = false, lie = {} } of entries) {
    const packed = deflate ? deflateRawSync(data) : data;
    const shared = Buffer.concat([
      u16(lie.flags ?? 0),
      u16(deflate ? 8 : 0),
      u32(0),
      u32(0),
      u32(lie.packed ?? packed.length),
      u32(lie.size ?? data.length),
    ]);
    const local = latin(lie.localName ?? name);
    const part = Buffer.concat([latin("PK\x03\x04"), u16(20), shared, u16(local.length), u16(0), local, packed]);
    const rest = Buffer.concat([u16(name.length), u16(0), u16(0), u16(0), u16(0), u32(0), u32(lie.offset ?? at), latin(name)]);
    directory.push(Buffer.concat([latin("PK\x01\x02"), u16(20), u16(20), shared, rest]));
    parts.push(part);
    at += part.length;
  }
  const central = Buffer.concat(directory);
  const count = more.count ?? entries.length;
  const end = Buffer.concat([
    latin("PK\x05\x06"),
    u32(0),
    u16(count),
    u16(count),
    u32(central.length),
    u32(more.start ?? at),
    u16(0),
  ]);
  return Buffer.concat([...parts, central, end]);
}

// Pickle opcodes
const text = (s: string) => Buffer.concat([latin("X"), u32(s.length), latin(s)]);
const global = (module: string, name: string) => latin(`c${module}\n${name}\n`);
const int = (n: number) => Buffer.concat([latin("J"), u32(n)]);
const tuple = (...items: Buffer[]) => Buffer.concat([latin("("), ...items, latin("t")]);
const call = (f: Buffer, ...args: Buffer[]) => Buffer.concat([f, tuple(...args), latin("R")]);
const dict = (...items: Buffer[]) => Buffer.concat([latin("}("), ...items, latin("u")]);
const pickle = (...ops: Buffer[]) => Buffer.concat([latin("\x80\x02"), ...ops, latin(".")]);
const storage = (key = "0", length = 4, type = "FloatStorage") =>
  Buffer.concat([tuple(text("storage"), global("torch", type), text(key), text("cpu"), int(length)), latin("Q")]);
const tensor = ({ from = storage() as Buffer, offset = 0, shape = [4], stride = [1] } = {}) =>
  call(
    global("torch._utils", "_rebuild_tensor_v2"),
    from,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...stride.map(int)),
    latin("\x89"),
    latin("N"),
  );

const four = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
const torch = (root: Buffer, data: Buffer = four, more: readonly Entry[] = []) =>
  zip([{ name: "a/data.pkl", data: root }, { name: "a/data/0", data }, ...more]);
const one = (w: Buffer) => torch(pickle(dict(text("w"), w)));
const reads = (ops: Buffer) => torch(pickle(dict(text("w"), tensor(), text("x"), ops)));

async function refuses(bytes: Uint8Array, message: RegExp): Promise<void> {
  const reading = readTorch(bytes, { source: "evil.pt" });
  await expect(reading).rejects.toThrow(FormatError);
  await expect(reading).rejects.toThrow(message);
  await expect(reading).rejects.toThrow(/^evil\.pt: /);
}

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

describe("pickles", () => {
  const ops = (...b: Buffer[]) => Buffer.concat(b);
  test.each<[string, Buffer, RegExp]>([
    ["os.system", reads(call(global("os", "system"), text("true"))), /would call os\.system/],
    ["Python 2's eval", reads(call(global("__builtin__", "eval"), text("1"))), /would call builtins\.eval/],
    ["a class that runs programs", reads(call(global("subprocess", "Popen"), text("true"))), /would call subprocess\.Popen/],
    ["an unknown function", reads(call(global("my.project", "build_model"))), /would call my\.project\.build_model/],
    ["by INST", reads(latin("(X\x04\x00\x00\x00trueios\nsystem\n")), /would call os\.system/],
    ["by OBJ", reads(ops(latin("("), global("os", "system"), text("true"), latin("o"))), /would call os\.system/],
    [
      "by STACK_GLOBAL",
      reads(ops(text("os"), text("system"), latin("\x93"), tuple(text("true")), latin("R"))),
      /would call os\.system/,
    ],
    ["a call of what is no name", reads(ops(text("os.system"), tuple(), latin("R"))), /no named class or function/],
    [
      "a rebuild by any function",
      reads(
        call(
          global("torch._tensor", "_rebuild_from_type_v2"),
          global("os", "system"),
          latin("N"),
          tuple(text("true")),
          latin("N"),
        ),
      ),
      /would call torch\._tensor\._rebuild_from_type_v2/,
    ],
    ["state for a function", reads(ops(global("os", "system"), dict(), latin("b"))), /state is set on what is no object/],
    ["an extension code", reads(latin("\x82\x01")), /opcode 0x82/],
    ["an opcode that does not exist", reads(latin("\xff")), /opcode 0xff/],
    ["protocol 9", torch(latin("\x80\x09.")), /protocol 9/],
    ["an empty stack", torch(latin("\x80\x02.")), /stack is empty/],
    ["a mark that is not there", torch(latin("\x80\x02t.")), /no mark/],
    ["a value from below a mark", torch(latin("\x80\x02N(a.")), /stack is empty/],
    ["no STOP", torch(latin("\x80\x02N")), /0 are left/],
    ["a text of 4 GB", torch(latin("\x80\x02X\xff\xff\xff\xff.")), /4294967295 bytes are wanted/],
    ["a text of 2^63 bytes", torch(latin("\x80\x04\x8d\0\0\0\0\0\0\0\x80.")), /bytes are wanted/],
    ["a frame of 2^60 bytes", torch(latin("\x80\x04\x95\0\0\0\0\0\0\0\x10N.")), /frame is longer/],
    ["a long integer of 2 GB", torch(latin("\x80\x02\x8b\xff\xff\xff\x7f.")), /integer of 2147483647 bytes/],
    ["an integer of a million digits", torch(latin(`L${"9".repeat(1e6)}L\n.`)), /is no integer/],
    ["a text that is not UTF-8", torch(latin("\x80\x02X\x01\0\0\0\xff.")), /not UTF-8/],
    ["a memo that is empty", torch(latin("\x80\x02h\x07.")), /memorized under 7/],
    ["items for a list", torch(latin("\x80\x02]NNs.")), /no dict/],
    ["items for a number", torch(latin("\x80\x02K\x01Na.")), /no list/],
    ["half an item", torch(latin("\x80\x02}(Nu.")), /no dict/],
    ["a persistent id of another kind", torch(pickle(text("evil"), latin("Q"))), /no storage/],
    ["a million lists", torch(ops(latin("\x80\x02"), Buffer.alloc(1e6, "]"), latin("."))), /more memory than four times/],
    ["a million dicts", torch(ops(latin("\x80\x02"), Buffer.alloc(1e6, "}"), latin("."))), /more memory than four times/],
    ["two million marks", torch(ops(latin("\x80\x02"), Buffer.alloc(2e6, "("), latin("."))), /more memory than four times/],
    [
      "a million memo entries",
      torch(ops(latin("\x80\x02N"), Buffer.alloc(1e6, 0x94), latin("."))),
      /more memory than four times/,
    ],
    [
      "a million copies of one list",
      torch(
        ops(
          latin("\x80\x02]("),
          Buffer.alloc(1e5, "N"),
          latin("eq\x00("),
          Buffer.concat(Array(1e4).fill(latin("ccollections\ndeque\nh\x00\x85R"))),
          latin("."),
        ),
      ),
      /more memory than four times/,
    ],
  ])("%s", (_, bytes, message) => refuses(bytes, message));

  test("lists inside of lists, a million deep", async () => {
    const deep = ops(Buffer.alloc(2e5, "]"), Buffer.alloc(2e5 - 1, "a"));
    // Big enough a file for the objects: no recursion may break on it.
    const bytes = torch(pickle(dict(text("w"), tensor(), text("x"), deep)), four, [
      { name: "a/filler", data: Buffer.alloc(8e6) },
    ]);
    expect([...(await readTorch(bytes)).tensors.keys()]).toEqual(["w"]);
  });

  test("doubling by the memo, to 2^60 leaves", async () => {
    const doubled = Array.from({ length: 60 }, () => latin("q\x00h\x00\x86"));
    await refuses(torch(pickle(latin("]"), ...doubled)), /no tensors were found/);
    const modules = Array.from({ length: 60 }, () =>
      ops(
        latin("q\x00"),
        latin("0"),
        global("torch.nn", "Module"),
        latin(")\x81"),
        dict(text("_parameters"), dict(), text("_modules"), dict(text("a"), latin("h\x00"), text("b"), latin("h\x00"))),
        latin("b"),
      ),
    );
    await refuses(torch(pickle(dict(), ...modules)), /more memory than four times|no tensors/);
  });

  test("a list that holds itself", async () => {
    await refuses(torch(latin("\x80\x02]q\x00h\x00a.")), /no tensors were found/);
    await refuses(torch(latin("\x80\x02}q\x00X\x05\0\0\0modelh\x00s.")), /no tensors were found/);
  });

  test("classes are carried along and do nothing", async () => {
    const made = [
      call(global("my.project", "Mode"), int(1)),
      ops(global("argparse", "Namespace"), latin(")\x81"), dict(text("lr"), int(1)), latin("b")),
      global("os", "system"),
    ];
    for (const value of made) expect([...(await readTorch(reads(value))).tensors.keys()]).toEqual(["w"]);
  });
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
