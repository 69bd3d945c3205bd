/** @file Predicting many volumes takes no more memory than predicting some: results go to disk one by one. */

import { linkSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestImage3d, makeVolume, RandomState } from "../../../src/data/index.ts";
import { writeNiftiFile } from "../../../src/data/index.node.ts";
import { runCli, succeed, temporaryFolder, tinyOptions, writeTinyDataset } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  await writeTinyDataset(at("data"));
  await succeed(["train", "--data", at("data"), "--out", at("run"), ...tinyOptions, "--epochs", "1"]);
  // Large enough for 50 of them to fill the garbage collector's young generation, as any number then does.
  const { image } = createTestImage3d(40, 40, 40, { channelDim: 0, radMin: 4, radMax: 8, randomState: new RandomState(3) });
  await writeNiftiFile(at("volume.nii.gz"), makeVolume(image), { dtype: "f32" });
});
afterAll(remove);

/** Peak resident memory in MiB of predicting `count` volumes. */
async function peak(count: number): Promise<number> {
  const images = at(`images${count}`);
  mkdirSync(images);
  for (let i = 0; i < count; i++) linkSync(at("volume.nii.gz"), join(images, `v${i}.nii.gz`));
  const report = 'process.on("exit",()=>process.stderr.write(`peak ${process.resourceUsage().maxRSS}\\n`))';
  const env = { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(report)}"` };
  const { code, stdout, stderr } = await runCli(["predict", "--run", at("run"), "--out", at(`out${count}`), images], env);
  expect(code, stderr).toBe(0);
  expect(stdout).toContain(`${count} label maps in`);
  return Number(/^peak (\d+)$/m.exec(stderr)![1]) / 1024;
}

test("500 volumes take the memory of 50", async () => {
  const [some, many] = [await peak(50), await peak(500)];
  console.log(`peak memory: ${some.toFixed(0)} MiB for 50 volumes, ${many.toFixed(0)} MiB for 500`);
  expect(many).toBeLessThan(1.1 * some);
}, 600_000);
