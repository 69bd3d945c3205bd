/** @file Runs once before the tests: the embedded shaders are those on disk, also under `npx vitest`; a folder that all test processes share. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export default async function setup(): Promise<() => void> {
  const embed = new URL("../shaders/embed.mjs", import.meta.url).href;
  const { embedShaders } = (await import(embed)) as { embedShaders: () => void };
  embedShaders();
  const folder = mkdtempSync(join(tmpdir(), "voxgrad-tests-"));
  process.env.VOXGRAD_TEST_FOLDER = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
