/** @file From what the tape tells to nodes of the graph. */

import type { Arguments } from "../../autograd/tape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Emission, Emitters, Names } from "./emission.ts";
import * as all from "./emitters/index.ts";

const emitters: Emitters = Object.assign({}, ...Object.values(all));

/** An observer of the tape: adds the nodes of an operation to the graph. */
export function emit(names: Names, op: string, tensors: readonly (Tensor | undefined)[], result: Tensor, args: Arguments): void {
  // Checkpointing hands on what operations inside of it made.
  if (names.has(result)) return;
  const inputs = tensors.map((t) => t && names.get(t));
  const emitter = Object.hasOwn(emitters, op) ? emitters[op] : undefined;
  const name = emitter?.({ names, builder: names.builder, op, tensors, inputs, result, args: args as Emission["args"] });
  if (name === undefined) names.unknown.add(`${op}${op === "dropout" || op === "batchNorm" ? " in training" : ""}`);
  names.set(result, name ?? names.builder.name("unknown"));
}
