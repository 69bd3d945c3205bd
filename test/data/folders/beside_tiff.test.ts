/** @file TIFF stacks whose voxel size stands in a file beside them. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadCase } from "../../../src/data/folders/decathlon.node.ts";
import { FormatError } from "../../../src/host/errors.ts";

const dir = mkdtempSync(join(tmpdir(), "voxgrad-tiff-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** Pages of 2 × 1 pixels of a byte. */
function tiff(pages: number): Uint8Array {
  const entries = (data: number): [tag: number, type: number, value: number][] => [
    [256, 3, 2],
    [257, 3, 1],
    [258, 3, 8],
    [259, 3, 1],
    [262, 3, 1],
    [273, 4, data],
    [277, 3, 1],
    [278, 3, 1],
    [279, 4, 2],
  ];
  const size = 2 + 9 * 12 + 4;
  const bytes = new Uint8Array(8 + pages * (size + 2));
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0, 8]);
  for (let p = 0; p < pages; p++) {
    const at = 8 + p * (size + 2);
    view.setUint16(at, 9, true);
    for (const [i, [tag, type, value]] of entries(at + size).entries()) {
      view.setUint16(at + 2 + 12 * i, tag, true);
      view.setUint16(at + 4 + 12 * i, type, true);
      view.setUint32(at + 6 + 12 * i, 1, true);
      view.setUint32(at + 10 + 12 * i, value, true);
    }
    view.setUint32(at + size - 4, p === pages - 1 ? 0 : at + size + 2, true);
    bytes.set([p, p + 10], at + size);
  }
  return bytes;
}

const files = {
  "a_0000.tif": tiff(3),
  "a.json": '{"spacing": [3, 0.5, 0.8]}',
  "b_0000.tif": tiff(3),
  "c.tif": tiff(2),
  "c.json": '{"spacing": [3, 0]}',
};
for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
const image = async (name: string) => (await loadCase({ id: name, image: [join(dir, name)] }, [])).image;

test("the spacing of z, y, x beside a stack; 1 without it", async () => {
  const a = await image("a_0000.tif");
  expect([a.shape, a.spacing]).toEqual([
    [1, 2, 1, 3],
    [0.8, 0.5, 3],
  ]);
  expect((await image("b_0000.tif")).spacing).toEqual([1, 1, 1]);
});

test("a spacing that is none is an error", async () => {
  await expect(image("c.tif")).rejects.toThrow(FormatError);
});
