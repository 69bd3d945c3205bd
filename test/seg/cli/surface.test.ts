/** @file `voxgrad surface` looks at the channel that it is asked for, and at no other. */

import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeNiftiFile } from "../../../src/data/index.node.ts";
import { makeVolume } from "../../../src/data/index.ts";
import { callCli } from "../../lib/call_cli.ts";
import { temporaryFolder } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
afterAll(remove);

/** A cube of class 1, and a smaller one of a probability. */
async function twoChannels(labelsFirst: boolean): Promise<string> {
  const size = 6;
  const cube = (value: number, [from, to]: readonly [number, number]) =>
    Array.from({ length: size ** 3 }, (_, i) => {
      const inside = [i % size, Math.floor(i / size) % size, Math.floor(i / size ** 2)].every((p) => p >= from && p < to);
      return inside ? value : 0;
    });
  const channels = [cube(1, [1, 5]), cube(0.75, [2, 4])];
  const data = Float32Array.from((labelsFirst ? channels : channels.toReversed()).flat());
  const path = join(folder, `${labelsFirst}.nii`);
  await writeNiftiFile(path, makeVolume({ data, shape: [2, size, size, size] }));
  return path;
}

test("classes beside a probability, in either order", async () => {
  for (const labelsFirst of [true, false]) {
    const file = await twoChannels(labelsFirst);
    const made = (...args: string[]) => callCli(["surface", file, "--out", join(folder, "m.stl"), "--overwrite", ...args]);
    const [classes, probability] = labelsFirst ? ["0", "1"] : ["1", "0"];
    const milliliters = async (...args: string[]) => Number(/([\d.]+) ml/.exec((await made(...args)).stdout)![1]);
    const whole = await milliliters("--label", "1", "--channel", classes);
    expect(whole).toBeGreaterThan(0.04);
    expect(await milliliters("--level", "0.5", "--channel", probability)).toBeLessThan(whole / 3);
    const { code, stderr } = await made("--label", "1", "--channel", probability);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/holds 0\.75, which is no class number/)]);
  }
});

test("a file that counts in meters is told of in cm² and ml as well", async () => {
  const size = 8;
  const data = Uint8Array.from({ length: size ** 3 }, (_, i) =>
    Number([i % size, Math.floor(i / size) % size, Math.floor(i / size ** 2)].every((p) => p > 0 && p < size - 1)),
  );
  const told = async (edge: number, units: "mm" | "m") => {
    const path = join(folder, `${units}.nii`);
    const affine = [0, 1, 2, 3].map((r) => [0, 1, 2, 3].map((c) => (r !== c ? 0 : r === 3 ? 1 : edge)));
    await writeNiftiFile(path, makeVolume({ data, shape: [1, size, size, size] }, affine, { units }));
    return (await callCli(["surface", path, "--label", "1", "--out", join(folder, "u.stl"), "--overwrite"])).stdout.split(
      "\n",
    )[0];
  };
  expect(await told(0.002, "m")).toBe(await told(2, "mm"));
});

test("label values a hair from an integer, as a file's scaling leaves them, are that label", async () => {
  const size = 6;
  const cube = Float32Array.from({ length: size ** 3 }, (_, i) =>
    [i % size, Math.floor(i / size) % size, Math.floor(i / size ** 2)].every((p) => p > 0 && p < size - 1) ? 4.9999 : 0,
  );
  const surfaceOf = async (name: string, data: Float32Array) => {
    const path = join(folder, name);
    await writeNiftiFile(path, makeVolume({ data, shape: [1, size, size, size] }), { dtype: "f32" });
    return callCli(["surface", path, "--label", "5", "--out", join(folder, "h.stl"), "--overwrite"]);
  };
  const { code, stdout } = await surfaceOf("hair.nii", cube);
  expect(code).toBe(0);
  expect(stdout).toBe((await surfaceOf("whole.nii", cube.map(Math.round))).stdout);
});
