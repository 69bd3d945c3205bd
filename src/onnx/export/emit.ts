/** @file From what the tape tells to nodes of the graph. */

import type { Arguments } from "../../autograd/tape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Emission, Emitters, Names } from "./emission.ts";
import * as all from "./emitters/index.ts";

const emitters: Emitters = Object.assign({}, ...Object.values(all));

const hint = (op: string): string => {
  if (op.startsWith("own.")) return " (say what it is with the option ownOps)";
  return op === "dropout" || op === "batchNorm" ? " in training" : "";
};

/** An observer of the tape: adds the nodes of an operation to the graph. */
export function emit(
  names: Names,
  op: string,
  tensors: readonly (Tensor | undefined)[],
  result: Tensor,
  args: Arguments,
  own: Emitters = {},
): void {
  // Checkpointing hands on what operations inside of it made.
  if (names.has(result)) return;
  const inputs = tensors.map((t) => t && names.get(t));
  const emitter = [own, emitters].find((table) => Object.hasOwn(table, op))?.[op];
  const name = emitter?.({ names, builder: names.builder, op, tensors, inputs, result, args: args as Emission["args"] });
  if (name === undefined) names.unknown.add(`${op}${hint(op)}`);
  names.set(result, name ?? names.builder.name("unknown"));
}
