/** @file A command that writes, on a disk that fails once, at each of its calls in turn: all of its result is there, or nothing of it. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { makeVolume, writeNifti } from "../../../src/data/index.ts";
import { Workplace } from "../../lib/every_fault.ts";

const work = new Workplace();
afterAll(() => work.remove());

beforeAll(() =>
  work.fill(async (folder) => {
    await mkdir(folder);
    const image = makeVolume({ data: Uint8Array.from({ length: 24 }, (_, i) => i), shape: [1, 2, 3, 4] });
    await writeFile(join(folder, "a.nii"), await writeNifti(image));
  }),
);

test("convert-image, into one file", () => work.everyFault(["convert-image", work.at("a.nii"), work.at("new", "a.nrrd")]));

test("convert-image, into a header and its data, of which neither stands alone", () =>
  work.everyFault(["convert-image", work.at("a.nii"), work.at("new", "a.mhd")]));
