/** @file What stands for the files of a model must be some. */

import { expectFields } from "../../host/kinds.ts";

/** Throws `ConfigError` for what are no files of a model. */
export function expectFiles(op: string, files: unknown): void {
  expectFields(op, "files", files, { name: "text", paths: "texts", read: "function" });
}
