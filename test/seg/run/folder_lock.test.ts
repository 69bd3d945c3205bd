/** @file Of all that want the folder of a run at once, one gets it: also where a process that is gone left its lock. */
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { folderStore, inTurn } from "../../../src/seg/run/folder_store.node.ts";

const gone = JSON.stringify({ pid: 2 ** 30, host: hostname() });

test.each([
  ["no lock", undefined],
  ["a lock of a process that is gone", gone],
  ["a lock that a crash cut short", gone.slice(0, 9)],
])("%s: one of eight takes it, and leaves nothing behind", async (_, left) => {
  for (let round = 0; round < 8; round++) {
    const folder = await mkdtemp(join(tmpdir(), "voxgrad-lock-"));
    try {
      if (left !== undefined) await writeFile(join(folder, "run.lock"), left);
      // Some of them as long after each other as a step of taking takes.
      const soon = async (i: number) => (await setTimeout(i % 4), folderStore(folder).lock!());
      const all = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => soon(i)));
      const taken = all.flatMap((r) => (r.status === "fulfilled" ? [r.value] : []));
      expect(taken).toHaveLength(1);
      for (const { reason } of all.filter((r) => r.status === "rejected")) expect(reason.message).toMatch(/is in use by process/);
      expect(await readdir(folder)).toEqual(["run.lock"]);
      await taken[0]();
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
});

test("who takes a folder removes what killed processes left in it, and nothing that may still be written", async () => {
  const folder = await mkdtemp(join(tmpdir(), "voxgrad-lock-"));
  try {
    const [old, fresh, other] = [`.${"0a".repeat(8)}.tmp`, `.${"1b".repeat(8)}.tmp`, ".mine.tmp"];
    for (const name of [old, fresh, other]) await writeFile(join(folder, name), "");
    await mkdir(join(folder, "predictions"));
    await writeFile(join(folder, "predictions", old), "");
    for (const name of [old, other, join("predictions", old)]) await utimes(join(folder, name), 1e9, 1e9);
    const unlock = await folderStore(folder).lock!();
    await unlock();
    expect((await readdir(folder, { recursive: true })).sort()).toEqual([fresh, other, "predictions"].sort());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("how old a file is goes by the clock of its disk: what another process writes stays, whatever the time is here", async () => {
  const folder = await mkdtemp(join(tmpdir(), "voxgrad-lock-"));
  const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 7_200_000);
  try {
    const fresh = `.${"1b".repeat(8)}.tmp`;
    await writeFile(join(folder, fresh), "");
    await inTurn(folder, "tables.lock", async () => undefined);
    expect(await readdir(folder)).toEqual([fresh]);
  } finally {
    clock.mockRestore();
    await rm(folder, { recursive: true, force: true });
  }
});

test("a process looks once for what others left, not for each of the cases of a folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "voxgrad-lock-"));
  try {
    const old = `.${"0a".repeat(8)}.tmp`;
    const turnWith = async () => {
      await writeFile(join(folder, old), "");
      await utimes(join(folder, old), 1e9, 1e9);
      await inTurn(folder, "tables.lock", async () => undefined);
      return readdir(folder);
    };
    expect([await turnWith(), await turnWith()]).toEqual([[], [old]]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
