/** @file Frames from fragments of packed pixels: one each, all of one frame, by either table of offsets, by where streams begin. */
import { expect, test } from "vitest";
import { packedFrames } from "../../../../src/data/formats/dicom/fragments.ts";
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
const read = (...args: Parameters<typeof packedFrames>) => packedFrames(...args).map((f) => [...f]);

test("a fragment for each frame, and all fragments of one", () => {
  expect(read(items([], parts), 3, "jpeg", none, fail)).toEqual(parts);
  expect(read(items([], parts), 1, "jpeg", none, fail)).toEqual([parts.flat()]);
});

test("by the basic table, by the extended one and its lengths, and by where streams begin", () => {
  expect(read(items([0, 24], parts), 2, "rle", none, fail)).toEqual(frames);
  const extended = { offsets: [0, 24], lengths: [8, 3] };
  expect(read(items([], parts), 2, "rle", extended, fail)).toEqual([frames[0], frames[1].slice(0, 3)]);
  // The extended one counts where both are there.
  expect(read(items([0, 12], parts), 2, "rle", extended, fail)).toEqual([frames[0], frames[1].slice(0, 3)]);
  expect(read(items([], parts), 2, "jpeg", none, fail)).toEqual(frames);
});

test.each([
  ["fewer fragments than frames", items([], parts), 4, none, /has 4 frames, but 3 fragments/],
  ["nothing that tells", items([], parts), 2, none, /nothing tells where each frame begins/],
  ["an offset between fragments", items([0, 13], parts), 2, none, /the offset of frame 1, 13, is that of no fragment/],
  ["a first frame that is not the first fragment", items([12, 24], parts), 2, none, /the offset of frame 0, 12/],
  ["frames that do not ascend", items([0, 0], parts), 2, none, /do not ascend/],
])("%s is an error", (_, bytes, count, table, message) => {
  expect(() => packedFrames(bytes, count, "rle", table, fail)).toThrow(message);
});
