/** @file A terminal, a pipe or a log that takes no more: the work goes on, and what was not said is told by the exit code. */

import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { makeVolume, writeNifti } from "../../../src/data/index.ts";

const cli = fileURLToPath(new URL("../../../src/seg/cli/main.node.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "voxgrad-streams-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const [image, out] = [join(folder, "a.nii"), join(folder, "a.nrrd")];
writeFileSync(image, await writeNifti(makeVolume({ data: Uint8Array.of(1, 2), shape: [1, 2, 1, 1] })));

/** A file that is always full; only Linux has it. */
const full = "/dev/full";

/** A conversion, with one of its streams full. */
function convert(stream: "stdout" | "stderr") {
  const taken = openSync(full, "w");
  try {
    const stdio = ["ignore", stream === "stdout" ? taken : "pipe", stream === "stderr" ? taken : "pipe"] as const;
    const args = ["--conditions=voxgrad-source", cli, "convert-image", image, out, "--overwrite"];
    const { status, stderr } = spawnSync(process.execPath, args, { stdio: [...stdio], encoding: "utf8" });
    return { status, stderr, made: existsSync(out) };
  } finally {
    closeSync(taken);
    rmSync(out, { force: true });
  }
}

describe.runIf(existsSync(full))("a full log", () => {
  test("of results", () =>
    expect(convert("stdout")).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^Error: cannot write .*ENOSPC.*\n$/),
      made: true,
    }));
  test("of progress and errors", () => expect(convert("stderr")).toMatchObject({ status: 0, made: true }));
});
