/** @file Whether arguments are tensors or devices: plain JavaScript may hand over anything, and a host array has a shape too. */

import { ConfigError } from "../host/errors.ts";
import { described, refused } from "../host/kinds.ts";
import { showShape } from "../host/shape.ts";
import { Tensor } from "./tensor.ts";

/** Throws `ConfigError` that says what came and what to do, unless all that is given are tensors that are alive. */
export function expectKind(op: string, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(value instanceof Tensor))
      throw new ConfigError(`${op}: ${name} is ${described(value)}, expected a tensor${advice(value)}`);
    if (value.disposed) throw new ConfigError(`${op}: ${name} ${showShape(value.shape)} was disposed`);
  }
}

/** As `expectKind`, for a list of tensors. */
export function expectTensorList(op: string, name: string, values: unknown): void {
  if (!Array.isArray(values)) refused(op, name, "a list of tensors", values);
  values.forEach((value, i) => expectKind(op, { [`${name}[${i}]`]: value }));
}

/** Throws `ConfigError` unless `value` can make tensors, as a device does. */
export function expectDevice(op: string, value: unknown): void {
  if (typeof (value as { empty?: unknown } | null | undefined)?.empty !== "function") {
    refused(op, "device", "a device, such as await openDevice()", value);
  }
}

function advice(value: unknown): string {
  if (typeof value === "number") return ": numbers stand only in the second place, so turn the operation round";
  if (typeof value !== "object" || value === null) return "";
  if ("data" in value && "shape" in value) return ": upload it with device.tensor(array)";
  if (ArrayBuffer.isView(value) || Array.isArray(value)) return ": make one with device.tensor({ data, shape })";
  return "";
}
