/** @file Whether arguments are tensors: plain JavaScript may hand over anything, and a host array has a shape too. */

import { ConfigError } from "../host/errors.ts";
import { Tensor } from "./tensor.ts";

/** Throws `ConfigError` that says what came and what to do, unless all that is given are tensors. */
export function expectKind(op: string, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(value instanceof Tensor)) throw new ConfigError(`${op}: ${name} is ${described(value)}`);
  }
}

function described(value: unknown): string {
  if (typeof value === "number")
    return `the number ${value}, expected a tensor: numbers stand only in the second place, so turn the operation round`;
  if (value === undefined || value === null) return `${value}, expected a tensor`;
  if (typeof value !== "object") return `a ${typeof value}, expected a tensor`;
  if ("data" in value && "shape" in value) return "a host array, expected a tensor: upload it with device.tensor(array)";
  if (ArrayBuffer.isView(value) || Array.isArray(value)) {
    return "a list of numbers, expected a tensor: make one with device.tensor({ data, shape })";
  }
  return `a ${value.constructor?.name ?? "object"}, expected a tensor`;
}
