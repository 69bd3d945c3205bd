/** @file Descriptions of TIFF that nobody vouches for: they are passed over, in a time that goes with their length. */

import { expect, test } from "vitest";
import { readImage } from "../../../src/data/formats/read_image.ts";
import { rolesOf } from "../../../src/data/formats/tiff/roles.ts";
import { FormatError } from "../../../src/host/errors.ts";
import { named } from "../../lib/written_files.ts";

/** Pages of 1 × 1 pixels with the values 1, 2 …, the first one described; `beside` are bytes behind it without a directory. */
function tiff(description: string, pages: number, beside = 0): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(`${description}\0`);
  const bytes = 2 + 7 * 12 + 4;
  const out = new Uint8Array(8 + pages * (bytes + 4) + text.length + beside);
  const view = new DataView(out.buffer);
  out.set([0x49, 0x49, 42, 0]);
  const [pixels, texts] = [8 + pages * bytes, 8 + pages * (bytes + 4)];
  view.setUint32(4, 8, true);
  out.set(text, texts);
  for (let page = 0; page < pages; page++) {
    const at = 8 + page * bytes;
    const entries = [
      [256, 3, 1, 1],
      [257, 3, 1, 1],
      [258, 3, 1, 8],
      page === 0 ? [270, 2, text.length, texts] : [262, 3, 1, 1],
      [273, 4, 1, beside > 0 ? texts + text.length : pixels + 4 * page],
      [278, 3, 1, 1],
      [279, 4, 1, 1],
    ];
    view.setUint16(at, entries.length, true);
    for (const [i, [tag, type, count, value]] of entries.entries()) {
      view.setUint16(at + 2 + 12 * i, tag, true);
      view.setUint16(at + 4 + 12 * i, type, true);
      view.setUint32(at + 6 + 12 * i, count, true);
      view.setUint32(at + 10 + 12 * i, value, true);
    }
    view.setUint32(at + bytes - 4, page + 1 < pages ? at + bytes : 0, true);
    out[pixels + 4 * page] = page + 1;
  }
  return out;
}

const ome = (attributes: string, data = "") =>
  `<OME><Pixels DimensionOrder="XYZCT" SizeX="1" SizeY="1" ${attributes}>${data}</Pixels></OME>`;

test.each([
  [
    "pages that are no numbers",
    ome(`SizeC="1" SizeZ="2" SizeT="1"`, `<TiffData IFD="0.5" FirstZ="0"/><TiffData IFD="1" FirstZ="1"/>`),
  ],
  ["pages before the first", ome(`SizeC="1" SizeZ="2" SizeT="1"`, `<TiffData IFD="-1" PlaneCount="2"/>`)],
  [
    "planes without end",
    ome(`SizeC="1" SizeZ="2" SizeT="1"`, `<TiffData PlaneCount="1e9"/><TiffData FirstZ="1e9" PlaneCount="1e9"/>`),
  ],
  ["sizes without end", ome(`SizeC="1e9" SizeZ="1e9" SizeT="1e9"`)],
  ["negative sizes", ome(`SizeC="-1" SizeZ="-2" SizeT="NaN"`)],
  ["voxels of no size", ome(`SizeC="1" SizeZ="2" SizeT="1" PhysicalSizeX="NaN" PhysicalSizeY="0"`)],
  ["voxels of any size", ome(`SizeC="1" SizeZ="2" SizeT="1" PhysicalSizeX="1e300" PhysicalSizeY="1e-300"`)],
  ["ImageJ's", "ImageJ=1.53\nimages=1e9\nchannels=-5\nslices=NaN\nframes=1e300\nspacing=-1e300\nunit=mm"],
  ["tifffile's", `{"shape": [1e300, 2], "axes": "__proto__"}`],
])("%s are passed over", async (_, description) => {
  const { data, shape } = await readImage(named("a.tif", tiff(description, 2)));
  expect([shape, [...data]]).toEqual([
    [1, 1, 1, 2],
    [1, 2],
  ]);
});

test("planes without directories are no more than pages can be", async () => {
  const reading = readImage(named("a.tif", tiff("ImageJ=1.53\nimages=70000\nslices=70000", 1, 70_000)));
  await expect(reading).rejects.toThrow(FormatError);
  await expect(reading).rejects.toThrow(/70000 planes; at most 65536/);
});

// Expressions that go over a text again and again would take minutes.
const many = 4e6;
test.each([
  ["ImageJ's lines", `ImageJ=1\n${"a=1\n".repeat(many / 4)}`],
  ["empty lines", `ImageJ=1${"\n".repeat(many)}`],
  ["elements without an end", `<OME>${"<Pixels ".repeat(many / 8)}`],
  ["long words", `<OME>${`<Pixels ${"a".repeat(3900)}>`.repeat(many / 3900)}`],
  ["many elements", ome("", "<TiffData/>".repeat(many / 11))],
  ["many axes", `{"shape": [1], "axes": "${"C".repeat(many)}"}`],
])("%s take no time", (_, description) => {
  const begun = performance.now();
  const roles = rolesOf({ description, resolution: [1, 1], samples: 1 }, 2, (text) => new FormatError(text));
  expect(roles.order).toEqual([0, 1]);
  // 40 ms by themselves.
  expect(performance.now() - begun).toBeLessThan(1000);
});
