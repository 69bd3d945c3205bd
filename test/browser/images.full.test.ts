/** @file Images in Chromium: every voxel and the affine of a DICOM series are Node's, JPEG pictures too, and items are kept in the origin's private files. */

import { expect, test } from "vitest";
import { browserSite, evaluateIn } from "../lib/browser_site.ts";
import { dicomSlice, encodings } from "../lib/dicom_file.ts";
import { readAll, readPicture } from "./images_in_page.ts";

const site = browserSite({ "images.js": "test/browser/images_in_page.ts" });

/** What a function of images_in_page.ts gives in a page of its own. */
async function inPage(name: string, ...args: readonly unknown[]): Promise<unknown> {
  const page = await site.open();
  const list = args.map((a) => JSON.stringify(a)).join(", ");
  return evaluateIn(page, site, "images.js", `${name}(${list})`);
}

test("a series of several encodings, rescaled and oblique", async () => {
  const orientation = [0.8, 0.6, 0, -0.6, 0.8, 0];
  const kinds = [encodings.deflated, encodings.explicit, encodings.implicit, encodings.bigEndian];
  const files = [2, 0, 3, 1].map((k) => [
    ...dicomSlice({
      position: [5, -7, 2.5 * k],
      instance: k + 1,
      orientation,
      size: [17, 13],
      encoding: kinds[k],
      more: { 0x00281053: ["DS", "0.37"], 0x00281052: ["DS", "-11"] },
    }),
  ]);
  const there = await inPage("readAll", files);
  const here = await readAll(files);
  expect(here.shape).toEqual([1, 17, 13, 4]);
  expect(there).toEqual(here);
});

// 14 × 9 pixels, made by Pillow with quality 90.
const pictures = {
  gray: [
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYU",
    "GBIUFRT/wAALCAAJAA4BAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEG",
    "E1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJ",
    "ipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/APob4XfHm4/4",
    "V8v7k/6r09q+Dv2mfjzcf8Jg/wC4P3z2r60+F/8AyT1f+uX9K+Dv2mv+Rxf/AHzX/9k=",
  ].join(""),
  color: [
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYU",
    "GBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAAJAA4D",
    "AREAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKB",
    "kaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZ",
    "mqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQF",
    "BgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5",
    "OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX",
    "2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDy/wCBl0/9lwfu+w7V5/EHh4vaP3T+mMZxPL6k9Oh9B6Ndvg/u+3pX5rX8PF/Kf57e",
    "IHFEvr23U8M+Bn/IMg/3RX91cQfxWf2ljP8Acn6H0JovRvpX5rXP89/ED/fvmf/Z",
  ].join(""),
};

test.each(["gray", "color"] as const)("a JPEG in %s is decoded by the browser as by the package in Node", async (kind) => {
  const there = (await inPage("readPicture", pictures[kind])) as Awaited<ReturnType<typeof readPicture>>;
  const here = await readPicture(pictures[kind]);
  expect(there.shape).toEqual([kind === "gray" ? 1 : 3, 14, 9, 1]);
  expect(there.shape).toEqual(here.shape);
  expect(new Set(there.voxels).size).toBeGreaterThan(20);
  // Both round what they compute with integers.
  there.voxels.forEach((v, i) => expect(Math.abs(v - here.voxels[i])).toBeLessThanOrEqual(1));
});

test("a damaged JPEG is an error there too", async () => {
  const cut = `${pictures.gray.slice(0, 120)}AAAA`;
  await expect(inPage("readPicture", cut)).rejects.toThrow(/FormatError|has no frame header|cannot be decoded/);
});

test("items are made once and read again from the origin's private files", async () => {
  const { made, values, missing, files } = (await inPage("keepItems")) as Record<string, never>;
  const doubled = [0, 1, 2].map((k) => [2 * k, 2 * k + 1]);
  expect({ made, values, missing }).toEqual({ made: 3, values: [...doubled, ...doubled, [1, "two"]], missing: true });
  expect(files).toHaveLength(4);
});
