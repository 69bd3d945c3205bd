/** @file A disk that is full: the error names the file, the exit code tells, and nothing is left half written. */

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { succeed, temporaryFolder, tinyOptions, writeTinyDataset } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const cli = fileURLToPath(new URL("../../../src/seg/cli/main.node.ts", import.meta.url));
const train = ["train", "--data", at("data"), ...tinyOptions];

/** A disk of so many KiB at `disk`, for one command that then shows what lies there: its own mount, which nobody else sees. */
const disk = at("disk");
const shell = (kib: number) =>
  `mount -t tmpfs -o size=${kib}k tmpfs '${disk}' && { "$@"; code=$?; cd '${disk}'; echo; find . -type f; cat run/metrics.jsonl 2>/dev/null; exit $code; }`;
const inMount = (kib: number, command: readonly string[]) =>
  spawnSync("unshare", ["-rm", "sh", "-c", shell(kib), "sh", ...command], { encoding: "utf8" });

mkdirSync(disk);
// Only Linux has mounts of one's own, and not everywhere may everybody make them.
const possible = inMount(8, ["true"]).status === 0;

function onDisk(kib: number, args: readonly string[]) {
  const { status, stderr, stdout } = inMount(kib, [process.execPath, "--conditions=voxgrad-source", cli, ...args]);
  const lines = stdout.split("\n");
  return {
    status,
    message: /^Error: .*/m.exec(stderr)?.[0],
    files: lines.filter((line) => line.startsWith("./")).sort(),
    metrics: lines.filter((line) => line.startsWith("{")),
  };
}

const failed = (name: string, ...files: string[]) => ({
  status: 1,
  message: expect.stringMatching(new RegExp(`^Error: cannot write .*${name}: ENOSPC`)),
  files: files.map((file) => `./${file}`),
});

beforeAll(async () => {
  await writeTinyDataset(at("data"));
  await succeed([...train, "--out", at("run")]);
}, 120_000);
afterAll(remove);

describe.runIf(possible)("a full disk", () => {
  test("train: what is begun is not left half written", () => {
    expect(onDisk(8, [...train, "--out", join(disk, "run")])).toMatchObject(failed("config\\.json", "run/run.json"));
  });

  test("train: no checkpoint, and every line of the metrics is whole", () => {
    const found = onDisk(20, [...train, "--out", join(disk, "run")]);
    expect(found).toMatchObject(
      failed("checkpoint\\.safetensors", "run/config.json", "run/metrics.jsonl", "run/run.json", "run/sessions.jsonl"),
    );
    for (const line of found.metrics) JSON.parse(line);
  });

  // A table lies beside its lock and, while it is written, beside the one before.
  test("predict: what does not fit is not there, maps before are, each with its row", () => {
    const args = ["predict", "--run", at("run"), "--out", join(disk, "maps"), at("data", "imagesTr")];
    expect(onDisk(4, args)).toMatchObject(failed("volumes\\.csv"));
    expect(onDisk(12, args)).toMatchObject(failed("volumes\\.csv", "maps/case0.nii.gz", "maps/volumes.csv"));
  });

  test("convert: no file", () => {
    const args = ["convert", at("run", "checkpoint.safetensors"), join(disk, "w.safetensors")];
    expect(onDisk(4, args)).toMatchObject(failed("w\\.safetensors"));
  });
});

test("a line that does not fit into a file is not there, nor a file that could not be written", () => {
  const files = new URL("../../../src/host/files.node.ts", import.meta.url).href;
  const program = `
    import { appendWhole, createFile } from ${JSON.stringify(files)};
    await appendWhole("lines", "x".repeat(400) + "\\n");
    for (const [f, name] of [[appendWhole, "lines"], [createFile, "lock"]]) {
      await f(name, "y".repeat(600)).catch((error) => console.log(error.message, error.code));
    }`;
  mkdirSync(at("small"));
  // Files of at most 512 bytes; the signal that would end the process is ignored.
  const limit = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
  const command = [process.execPath, "--conditions=voxgrad-source", "--input-type=module", "-e", program];
  const { stdout } = spawnSync("sh", ["-c", limit, "sh", ...command], { encoding: "utf8", cwd: at("small") });
  expect(stdout).toMatch(/^cannot write lines: EFBIG.* EFBIG\ncannot write lock: EFBIG.* EFBIG\n$/);
  expect(readFileSync(at("small", "lines"), "utf8")).toBe(`${"x".repeat(400)}\n`);
  expect(readdirSync(at("small"))).toEqual(["lines"]);
});
