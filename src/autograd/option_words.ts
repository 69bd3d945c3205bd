/** @file Words among the options of operations, which their layers look at when they are made. */

import { ConfigError } from "../host/errors.ts";
import { expectWord } from "../host/words.ts";
import { type ConvOptions, expectPaddingWord } from "../kernels/conv/shape.ts";

/** Throws `ConfigError` for an option that is another word than convolutions know, `ShapeError` for such a padding. */
export function expectConvWords(op: string, { padding, paddingMode = "zeros", activation = "none" }: ConvOptions): void {
  expectPaddingWord(op, padding);
  expectWord(op, "paddingMode", paddingMode, ["zeros", "reflect", "replicate", "circular"]);
  expectWord(op, "activation", activation, ["none", "relu"]);
}

/** Throws `ConfigError` for what is no activation that a norm does. */
export function expectNormActivation(op: string, activation: unknown): void {
  const known = typeof activation === "object" && activation !== null && ("leakyRelu" in activation || "prelu" in activation);
  if (activation !== undefined && activation !== "relu" && !known)
    throw new ConfigError(`${op}: activation must be "relu", { leakyRelu } or { prelu }, got ${JSON.stringify(activation)}`);
}
