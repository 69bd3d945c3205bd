/** @file Frames from fragments of packed pixels: one each, all of one frame, by either table of offsets, by where streams begin. */
import { expect, test } from "vitest";
import { type ExtendedTable, packedFrames } from "../../../../src/data/formats/dicom/fragments.ts";
import { FormatError } from "../../../../src/host/errors.ts";

const fail = (why: string) => new FormatError(why);
const none = { offsets: [], lengths: [] };

/** Items of the basic table and the fragments, and their delimiter. */
function items(table: readonly number[], fragments: readonly (readonly number[])[]): Uint8Array {
  const out: number[] = [];
  const u32 = (v: number) => [v & 255, (v >> 8) & 255, (v >> 16) & 255, v >>> 24];
  const item = (body: readonly number[]) => out.push(0xfe, 0xff, 0x00, 0xe0, ...u32(body.length), ...body);
  item(table.flatMap(u32));
  for (const f of fragments) item(f);
  out.push(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0);
  return Uint8Array.from(out);
}

// Three fragments of two frames: the second frame begins at byte 24 behind two items of 8 + 4 bytes.
const parts = [
  [0xff, 0xd8, 1, 2],
  [3, 4, 5, 6],
  [0xff, 0xd8, 7, 0],
];
const frames = [
  [0xff, 0xd8, 1, 2, 3, 4, 5, 6],
  [0xff, 0xd8, 7, 0],
];
const pixels = (bytes: Uint8Array) => ({ size: bytes.length, read: async (from: number, to: number) => bytes.slice(from, to) });

async function read(bytes: Uint8Array, count: number, packing: "jpeg" | "rle", table: ExtendedTable): Promise<number[][]> {
  const frame = await packedFrames(pixels(bytes), count, packing, table, fail);
  return Promise.all(Array.from({ length: count }, async (_, i) => [...(await frame(i))]));
}

test("a fragment for each frame, and all fragments of one", async () => {
  expect(await read(items([], parts), 3, "jpeg", none)).toEqual(parts);
  expect(await read(items([], parts), 1, "jpeg", none)).toEqual([parts.flat()]);
});

test("by the basic table, by the extended one and its lengths, and by where streams begin", async () => {
  expect(await read(items([0, 24], parts), 2, "rle", none)).toEqual(frames);
  const extended = { offsets: [0, 24], lengths: [8, 3] };
  expect(await read(items([], parts), 2, "rle", extended)).toEqual([frames[0], frames[1].slice(0, 3)]);
  // The extended one counts where both are there.
  expect(await read(items([0, 12], parts), 2, "rle", extended)).toEqual([frames[0], frames[1].slice(0, 3)]);
  expect(await read(items([], parts), 2, "jpeg", none)).toEqual(frames);
});

test.each([
  ["fewer fragments than frames", items([], parts), 4, none, /has 4 frames, but 3 fragments/],
  ["nothing that tells", items([], parts), 2, none, /nothing tells where each frame begins/],
  ["an offset between fragments", items([0, 13], parts), 2, none, /the offset of frame 1, 13, is that of no fragment/],
  ["a first frame that is not the first fragment", items([12, 24], parts), 2, none, /the offset of frame 0, 12/],
  ["frames that do not ascend", items([0, 0], parts), 2, none, /do not ascend/],
])("%s is an error", async (_, bytes, count, table, message) => {
  await expect(packedFrames(pixels(bytes), count, "rle", table, fail)).rejects.toThrow(message);
});
