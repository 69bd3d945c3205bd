/** @file What an item is kept by on a disk that fails: an error, never the name of an item without its files, whose content nobody asked for. */

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { contentStamp } from "../../../src/data/datasets/content_stamp.node.ts";
import { onFailingDisk } from "../../lib/failing_disk.ts";

const folder = mkdtempSync(join(tmpdir(), "voxgrad-stamp-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
for (const name of ["a.hdr", "a.img", "b.mhd", "b.raw"]) writeFileSync(join(folder, name), "ElementDataFile = b.raw\n");

test.each(["a.hdr", "b.mhd", "."])("of %s, with each call of the system refused", async (name) => {
  const path = join(folder, name);
  const whole = await contentStamp(path);
  expect(whole).toMatch(/^\S+ \d+ /);
  for (let k = 1; ; k++) {
    const { result, failed } = await onFailingDisk(folder, k, () => contentStamp(path).catch((error: Error) => error));
    if (failed === undefined) return expect([k > 2, result]).toEqual([true, whole]);
    expect(result, failed).toBeInstanceOf(Error);
  }
});

test("of a text that is no path, or one behind a file", async () => {
  for (const text of ["a text", join(folder, "nothing"), join(folder, "a.hdr", "below")])
    expect(await contentStamp(text)).toBeUndefined();
});

test("of a folder with one that must not be read, its other files", async () => {
  const open = join(folder, "open");
  for (const name of [open, join(open, "closed"), join(open, "part")]) mkdirSync(name);
  for (const name of ["a.dcm", "closed/b.dcm", "part/c.dcm", ".hidden"]) writeFileSync(join(open, name), name);
  expect((await contentStamp(open))!.split("\n").map((line) => line.split(" ")[0])).toEqual(["a.dcm", "b.dcm", "c.dcm"]);
  chmodSync(folder, 0o755);
  chmodSync(join(open, "closed"), 0);
  // The administrator may read everything.
  const administrator = process.geteuid?.() === 0;
  if (administrator) process.seteuid!(65534);
  try {
    expect(await contentStamp(open)).toMatch(/^a\.dcm .*\n(b\.dcm .*\n)?c\.dcm /);
  } finally {
    if (administrator) process.seteuid!(0);
    chmodSync(join(open, "closed"), 0o700);
  }
});
