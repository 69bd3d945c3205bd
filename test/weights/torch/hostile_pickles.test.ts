/** @file Pickles that lie: nothing is called, nothing is executed, and memory stays within the file's size × 4. */
import { describe, expect, test } from "vitest";
import { readTorch } from "../../../src/weights/torch/file.ts";
import { call, dict, four, global, int, latin, pickle, reads, refuses, tensor, text, torch, tuple } from "./made.ts";

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
