/** @file The shared files of all formats but DICOM are read as their table says. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readImageFile } from "../../../src/data/formats/images.node.ts";
import { FormatError } from "../../../src/host/errors.ts";
import { differences, type Expected } from "./expected.ts";

const DATA = process.env.VOXGRAD_DATA ?? new URL("../../../../shared/data", import.meta.url).pathname;
const base = join(DATA, "formats/derived");
const table: Record<string, Expected> = existsSync(base)
  ? JSON.parse(readFileSync(join(base, "expected_files.json"), "utf8"))
  : {};

describe.skipIf(!existsSync(base))(`files of ${base} (skipped where absent)`, () => {
  test.each(Object.entries(table))("%s", async (name, want) => {
    const reading = readImageFile(join(base, name));
    if (want.expect === "reject") return expect(reading).rejects.toThrow(FormatError);
    if (want.expect === "either") return void (await reading.catch((error) => expect(error).toBeInstanceOf(FormatError)));
    expect(differences(await reading, want)).toEqual([]);
  });
});
