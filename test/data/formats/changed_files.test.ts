/** @file A file that is cut short, replaced or removed while it is read, before each of its reads in turn: an error that names it, or the image as it was. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { FormatError } from "../../../src/index.ts";
import { listSeriesFolder, readImageFile, readImageGrid } from "../../../src/data/index.node.ts";
import { makeVolume, writeImage } from "../../../src/data/index.ts";
import { dicomSlice } from "../../lib/dicom_file.ts";

const folder = mkdtempSync(join(tmpdir(), "voxgrad-changed-"));
const at = (...names: string[]): string => join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

const changes: Readonly<Record<string, (path: string) => void>> = {
  "cut short": (path) => truncateSync(path, readFileSync(path).length >> 1),
  // Of another size, since the clock of a file may stand still for as long as this takes.
  replaced: (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(8)])),
  removed: (path) => rmSync(path, { force: true }),
};

/** What `read` gives with the file changed before the k-th read of any; undefined behind the last read. */
async function changedAt<T>(k: number, change: () => void, read: () => Promise<T>): Promise<PromiseSettledResult<T> | undefined> {
  let reads = 0;
  const due = () => void (++reads === k && change());
  const { arrayBuffer, stream } = Blob.prototype;
  vi.spyOn(Blob.prototype, "arrayBuffer").mockImplementation(function (this: Blob) {
    due();
    return arrayBuffer.call(this);
  });
  vi.spyOn(Blob.prototype, "stream").mockImplementation(function (this: Blob) {
    due();
    return stream.call(this) as ReturnType<Blob["stream"]>;
  });
  const [settled] = await Promise.allSettled([read()]);
  vi.restoreAllMocks();
  return reads < k ? undefined : settled;
}

/** Tries every read. */
async function everyRead<T>(prepare: () => void, path: string, read: () => Promise<T>): Promise<void> {
  for (const [name, change] of Object.entries(changes)) {
    prepare();
    const whole = await read();
    for (let k = 1; ; k++) {
      prepare();
      const settled = await changedAt(k, () => change(path), read);
      if (!settled) {
        expect(k).toBeGreaterThan(1);
        break;
      }
      const where = `${name} before read ${k}`;
      if (settled.status === "fulfilled") expect(settled.value, where).toEqual(whole);
      else {
        expect(settled.reason, where).toBeInstanceOf(FormatError);
        expect((settled.reason as Error).message, where).toContain(path);
      }
    }
  }
}

const volume = makeVolume({ data: Float32Array.from({ length: 6 * 5 * 4 }, (_, i) => Math.sin(i)), shape: [1, 6, 5, 4] });

describe.each([".nii", ".nii.gz", ".mha", ".npy"])("%s", (ending) => {
  const path = at(`a${ending}`);
  test.each([
    ["voxels", readImageFile],
    ["grid", readImageGrid],
  ])("its %s", async (_, read) => {
    const [{ bytes }] = await writeImage(path, volume);
    await everyRead(
      () => writeFileSync(path, bytes),
      path,
      () => read(path),
    );
  });
});

describe("a series never loses a slice", () => {
  const slices = [1, 2, 3].map((instance) => dicomSlice({ instance }));
  const prepare = (): void => {
    mkdirSync(at("series"), { recursive: true });
    for (const [z, bytes] of slices.entries()) writeFileSync(at("series", `${z}.dcm`), bytes);
  };
  test.each(["0.dcm", "2.dcm"])("%s", (name) => everyRead(prepare, at("series", name), () => readImageFile(at("series"))));

  test("and a list tells of it", async () => {
    prepare();
    const settled = await changedAt(
      1,
      () => rmSync(at("series", "2.dcm")),
      () => listSeriesFolder(at("series")),
    );
    expect(settled).toMatchObject({ value: [{ count: 2, problems: [expect.stringContaining("2.dcm cannot be read")] }] });
  });
});
