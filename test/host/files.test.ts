/** @file Files on disk: writes in one step and JSON. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConfigError, FormatError } from "../../src/host/errors.ts";
import { createFile, createFolder, makeFolder, readJson, writeFileAtomic } from "../../src/host/files.node.ts";
import { onFailingDisk } from "../lib/failing_disk.ts";

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

test("a folder that a killed process was making is not there, and goes when another one is made an hour later", async () => {
  const place = join(dir, "exports");
  const program = `
    import { createFolder } from ${JSON.stringify(new URL("../../src/host/files.node.ts", import.meta.url).href)};
    async function* slowly() {
      yield Uint8Array.of(1, 2, 3);
      console.log("begun");
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }
    await createFolder("model", [{ name: "plans.json", bytes: "{}" }, { name: "fold_0/weights", bytes: slowly() }]);`;
  await mkdir(place);
  const child = spawn(process.execPath, ["--conditions=voxgrad-source", "--input-type=module", "-e", program], { cwd: place });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  const [left] = await readdir(place);
  expect(left).toMatch(/^\.[0-9a-f]{16}\.tmp$/);

  await createFolder(join(place, "model"), [{ name: "fold_0/weights", bytes: "w" }]);
  expect((await readdir(place)).sort()).toEqual([left, "model"]);
  await rm(join(place, "model"), { recursive: true });
  // Old as a whole: what was written to last counts.
  const all = ["", ...(await readdir(join(place, left), { recursive: true }))];
  for (const name of all.slice(1)) await utimes(join(place, left, name), 1e9, 1e9);
  await createFolder(join(place, "first"), []);
  expect(await readdir(place)).toContain(left);
  await utimes(join(place, left), 1e9, 1e9);
  await createFolder(join(place, "model"), [{ name: "fold_0/weights", bytes: "w" }]);
  expect((await readdir(place, { recursive: true })).sort()).toEqual(["first", "model", "model/fold_0", "model/fold_0/weights"]);
  await expect(createFolder(join(place, "model"), [])).rejects.toThrow(ConfigError);
});

test("a folder that cannot be made whole is not there", async () => {
  const place = join(dir, "faults");
  await mkdir(place);
  for (let k = 1, ended = false; !ended; k++) {
    const make = () =>
      createFolder(join(place, "model"), [
        { name: "plans.json", bytes: "{}" },
        { name: "fold_0/weights", bytes: "w" },
      ]).then(
        () => undefined,
        (error: Error) => error,
      );
    const { result, failed } = await onFailingDisk(place, k, make);
    expect(await readdir(place), failed).toEqual(result ? [] : ["model"]);
    await rm(join(place, "model"), { recursive: true, force: true });
    ended = failed === undefined;
    expect(k).toBeLessThan(40);
  }
});

test("a file that could be made by half only is not there, and one that was there is untouched", async () => {
  const place = join(dir, "half");
  await mkdir(place);
  const failures: string[] = [];
  for (let k = 1, ended = false; !ended; k++) {
    const make = () => createFile(join(place, "lock"), "0123456789").catch((error: unknown) => error);
    const { result, failed } = await onFailingDisk(place, k, make);
    if (failed === undefined) ended = true;
    else {
      failures.push(failed.split(" ")[0]);
      expect(result).toMatchObject({ message: expect.stringMatching(/^cannot write .*lock: E[A-Z]+: made up/) });
      expect(await readdir(place), failed).toEqual([]);
    }
  }
  expect(failures).toEqual(["open", "write", "close"]);
  await expect(createFile(join(place, "lock"), "other")).rejects.toMatchObject({ code: "EEXIST" });
  expect(await readFile(join(place, "lock"), "utf8")).toBe("0123456789");
});

// Where Node's own recursive mkdir goes round for good.
test.runIf(existsSync("/proc/self"))("a system that takes no folder is an error", async () => {
  await expect(makeFolder("/proc/voxgrad/run")).rejects.toThrow(/^cannot make the folder \/proc\/voxgrad: ENOENT/);
});
