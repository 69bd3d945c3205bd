/** @file Files as an archive: what is read from it is what was put in, and nothing is in it of when it was made. */

import { expect, test } from "vitest";
import { FormatError } from "../../../src/host/errors.ts";
import { Budget } from "../../../src/host/bytes/budget.ts";
import { readEntry, readZip } from "../../../src/host/bytes/zip.ts";
import { zipFiles } from "../../../src/seg/run/archive.ts";

const bytesOf = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());
const fail = (why: string): FormatError => new FormatError(why);

test("files of any size by their paths, the same bytes each time", async () => {
  // One that is read in several pieces, one that is empty.
  const large = new Uint8Array(5_000_000).map((_, i) => i % 251);
  const files = new Map([
    ["run/config.json", new Blob(["{}"])],
    ["run/Köpfe/größe.bin", new Blob([large])],
    ["run/metrics.jsonl", new Blob([])],
  ]);
  const told: string[] = [];
  const archive = await bytesOf(await zipFiles(files, { onProgress: (done, total) => told.push(`${done}/${total}`) }));
  expect(told).toEqual(["0/3", "1/3", "2/3"]);
  const entries = await readZip(archive, fail);
  expect([...entries.keys()]).toEqual([...files.keys()]);
  const budget = new Budget(2 ** 24, fail);
  for (const [name, file] of files)
    expect(Buffer.compare(await readEntry(entries.get(name)!, budget, fail), await bytesOf(file)), name).toBe(0);
  expect(Buffer.compare(await bytesOf(await zipFiles(files)), archive)).toBe(0);
});

test("it ends with its signal, and refuses options that it does not know", async () => {
  const files = new Map([["a", new Blob(["a"])]]);
  await expect(zipFiles(files, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  await expect(zipFiles(files, { onprogress: () => {} } as never)).rejects.toThrow(/onProgress/);
});
