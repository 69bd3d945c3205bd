/** @file The demo's volumes are written once, and over nothing. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ConfigError } from "../../../src/index.ts";
import { writeSynthetic } from "../../../src/seg/run/synthetic.node.ts";

const folder = mkdtempSync(join(tmpdir(), "voxgrad-synthetic-"));
const at = (...names: string[]): string => join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true }));

test("the demo's volumes: gone on with where they were interrupted, complete as they are, and never over other files", async () => {
  await writeSynthetic(folder, 0);
  const [image, label] = [at("imagesTr", "img3.nii.gz"), at("labelsTr", "img39.nii.gz")];
  const [before, inode] = [readFileSync(image), statSync(label).ino];
  for (const path of [at("dataset.json"), image]) rmSync(path);
  await writeSynthetic(folder, 0);
  expect(readFileSync(image).equals(before)).toBe(true);
  expect(statSync(label).ino).toBe(inode);
  await expect(writeSynthetic(folder, 1)).rejects.toThrow(
    /dataset.json exists and is not what the demo writes; choose another folder or seed/,
  );

  rmSync(at("dataset.json"));
  writeFileSync(label, "precious");
  await expect(writeSynthetic(folder, 0)).rejects.toThrow(ConfigError);
  expect(readFileSync(label, "utf8")).toBe("precious");
});
