/** @file Files on disk: writes in one step and JSON. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConfigError, FormatError } from "../../src/host/errors.ts";
import { makeFolder, readJson, writeFileAtomic } from "../../src/host/files.node.ts";

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "voxgrad-files-"))));
afterAll(() => rm(dir, { recursive: true }));

test("writes, replaces, and leaves nothing behind", async () => {
  const path = join(dir, "a.txt");
  await writeFileAtomic(path, "one");
  await writeFileAtomic(path, Uint8Array.of(0x74, 0x77, 0x6f));
  expect(await readFile(path, "utf8")).toBe("two");
  expect(await readdir(dir)).toEqual(["a.txt"]);
});

test("on an error the old file is untouched", async () => {
  const folder = join(dir, "folder");
  await mkdir(join(folder, "inner"), { recursive: true });
  await writeFile(join(folder, "inner", "kept"), "kept");
  // A folder that is not empty cannot be replaced by a file.
  await expect(writeFileAtomic(join(folder, "inner"), "x")).rejects.toThrow();
  expect(await readdir(folder)).toEqual(["inner"]);
  expect(await readFile(join(folder, "inner", "kept"), "utf8")).toBe("kept");
  await expect(writeFileAtomic(join(dir, "none", "a"), "x")).rejects.toThrow(/ENOENT/);
});

test("JSON, and what is none", async () => {
  await writeFile(join(dir, "good.json"), '{"a": [1]}');
  await writeFile(join(dir, "bad.json"), "{");
  expect(await readJson(join(dir, "good.json"), "op")).toEqual({ a: [1] });
  for (const [name, message] of [
    ["bad.json", /^op: .*bad\.json is not JSON: /],
    ["none.json", /^op: cannot read .*none\.json: ENOENT/],
  ] as const) {
    await expect(readJson(join(dir, name), "op")).rejects.toThrow(FormatError);
    await expect(readJson(join(dir, name), "op")).rejects.toThrow(message);
  }
});

test("writes a file whose name is as long as names can be", async () => {
  const path = join(dir, `${"z".repeat(248)}.nii.gz`);
  await writeFileAtomic(path, "long");
  expect(await readFile(path, "utf8")).toBe("long");
  await rm(path);
});

test("makes folders within each other, also those that are there or that another makes meanwhile", async () => {
  await Promise.all([0, 1, 2].map(() => makeFolder(join(dir, "a/b/c"))));
  await makeFolder(join(dir, "a/b/c"));
  await writeFileAtomic(join(dir, "a/b/c/file"), "");
  await expect(makeFolder(join(dir, "a/b/c/file/d"))).rejects.toThrow(ConfigError);
  await symlink(join(dir, "nowhere"), join(dir, "link"));
  for (const name of ["a/b/c/file", "link"]) await expect(makeFolder(join(dir, name)), name).rejects.toThrow(/something else/);
});

// Where Node's own recursive mkdir goes round for good.
test.runIf(existsSync("/proc/self"))("a system that takes no folder is an error", async () => {
  await expect(makeFolder("/proc/voxgrad/run")).rejects.toThrow(/^cannot make the folder \/proc\/voxgrad: ENOENT/);
});
