/** @file The other shared files are read or refused for a good reason, and formats agree on what they hold. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readImageFile } from "../../../src/data/formats/images.node.ts";
import { FormatError } from "../../../src/host/errors.ts";

const base = process.env.VOXGRAD_DATA ?? new URL("../../../../shared/data", import.meta.url).pathname;

describe.skipIf(!existsSync(join(base, "formats")))(`files of ${base} (skipped where absent)`, () => {
  test("every other image is read, or refused by a FormatError", async () => {
    const folders = ["nifti", "nrrd", "nrrd-fnndsc", "metaimage", "analyze"].map((f) => join(base, "formats", f));
    const images = /\.(nii|nii\.gz|nrrd|nhdr|mha|mhd|hdr|hdr\.gz|png)$/;
    const refused: string[] = [];
    for (const path of folders.flatMap((f) => readdirSync(f).map((n) => join(f, n))).filter((p) => images.test(p))) {
      await readImageFile(path).catch((error: Error) => {
        expect(error, path).toBeInstanceOf(FormatError);
        refused.push(path.slice(path.lastIndexOf("/") + 1));
      });
    }
    // Two headers without their data, and a skip that no NRRD can have.
    expect(refused.sort()).toEqual(["BallBinary30x30x30_byteskip_minus_five.nhdr", "nifti1.hdr", "nifti2.hdr"]);
  });

  test("a ball packed by bzip2 and by gzip", async () => {
    const [a, b] = await Promise.all(
      ["bz2", "gz"].map((e) => readImageFile(join(base, `formats/nrrd/BallBinary30x30x30_${e}.nrrd`))),
    );
    expect(a.data).toEqual(b.data);
    expect(a.affine).toEqual(b.affine);
  });

  test.each(["adi_slice", "avf_float_32"])("NRRD and NIfTI of %s agree", async (name) => {
    const [a, b] = await Promise.all([".nrrd", ".nii.gz"].map((e) => readImageFile(join(base, "formats/nrrd-fnndsc", name + e))));
    expect(a.shape).toEqual(b.shape);
    a.affine.flat().forEach((v, i) => expect(v).toBeCloseTo(b.affine.flat()[i], 3));
    expect(Float64Array.from(a.data)).toEqual(Float64Array.from(b.data));
  });
});
