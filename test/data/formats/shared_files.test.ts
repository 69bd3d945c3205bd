/** @file The shared files of all formats but DICOM are read as their table says; pairs of formats of one image agree. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readImageFile } from "../../../src/data/formats/images.node.ts";
import { FormatError } from "../../../src/host/errors.ts";
import { differences, type Expected } from "./expected.ts";

const DATA = process.env.VOXGRAD_DATA ?? new URL("../../../../shared/data", import.meta.url).pathname;
const base = join(DATA, "formats/derived");
const table: Record<string, Expected> = existsSync(base) ? JSON.parse(readFileSync(join(base, "expected_files.json"), "utf8")) : {};

describe.skipIf(!existsSync(base))(`files of ${base} (skipped where absent)`, () => {
  test.each(Object.entries(table))("%s", async (name, want) => {
    const reading = readImageFile(join(base, name));
    if (want.expect === "reject") return expect(reading).rejects.toThrow(FormatError);
    if (want.expect === "either") return void (await reading.catch((error) => expect(error).toBeInstanceOf(FormatError)));
    expect(differences(await reading, want)).toEqual([]);
  });

  test("every other image is read, or refused by a FormatError", async () => {
    const folders = ["nifti", "nrrd", "nrrd-fnndsc", "metaimage", "analyze"].map((f) => join(DATA, "formats", f));
    const paths = folders.flatMap((f) => readdirSync(f).map((n) => join(f, n))).filter((p) => /\.(nii|nii\.gz|nrrd|nhdr|mha|mhd|hdr|hdr\.gz|png)$/.test(p));
    const refused: string[] = [];
    for (const path of paths) {
      await readImageFile(path).catch((error: Error) => {
        expect(error, path).toBeInstanceOf(FormatError);
        refused.push(error.message);
      });
    }
    console.log(refused.join("\n"));
  });
});
