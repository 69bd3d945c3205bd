/** @file The texts that labels are written with, as DICOM has room for them (PS3.5 section 6.2). */

import type { LabelClass } from "../../labels.ts";

/** One value of so many letters: backslashes, which part values, are written "/", control characters as spaces; `otherwise` where nothing is left. */
export function fittingText(text: string, otherwise: string, most = 64): string {
  const clean = text.replaceAll("\\", "/").replace(/\p{Cc}+/gu, " ");
  return [...clean.trim()].slice(0, most).join("").trim() || otherwise;
}

/** What a user calls an object, what made it, and the classes. */
export const writtenTexts = (
  { description = "", algorithm = "" }: { readonly description?: string; readonly algorithm?: string },
  classes: readonly LabelClass[],
): { description: string; algorithm: string; names: readonly string[] } => ({
  description: fittingText(description, "Segmentation"),
  algorithm: fittingText(algorithm, "voxgrad"),
  names: classes.map(({ name }, i) => fittingText(name, `class ${i + 1}`)),
});
