/** @file Small image files of other libraries, as `test/fixtures/data/make_image_files.py` stored them. */

import { readFileSync } from "node:fs";

/** An image: its files, and what they hold. */
export interface StoredImage {
  readonly name: string;
  /** Bytes as base64, by name. */
  readonly files: Readonly<Record<string, string>>;
  readonly shape: readonly number[];
  /** x fastest, then y, z, channel. */
  readonly values: readonly number[];
  readonly affine?: readonly (readonly number[])[];
}

export const storedImages: readonly StoredImage[] = JSON.parse(
  readFileSync(new URL("../../fixtures/data/image_files.json", import.meta.url), "utf8"),
);

/** The files of an image. */
export const filesOfRow = ({ files }: StoredImage): File[] =>
  Object.entries(files).map(([name, base64]) => new File([Buffer.from(base64, "base64")], name));
