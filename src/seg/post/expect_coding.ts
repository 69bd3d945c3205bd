/** @file What stands for the coding of outputs must be one. */

import { expectFields } from "../../host/kinds.ts";

/** Throws `ConfigError` for what is no coding of outputs. */
export function expectCoding(op: string, name: string, outputs: unknown): void {
  expectFields(op, name, outputs, { channels: "number", decision: "text", valuesOf: "function" });
}
