/** @file What operations of `defineOp` are in ONNX, as the user says. */

import type { HostArray } from "../../host/array.ts";
import type { AttributeValue } from "../native.ts";
import type { Emitters } from "./emission.ts";

/** One call of an operation of `defineOp` in a graph under construction. */
export interface OwnNode {
  /** Names of the inputs in the graph, in the order of the call. */
  readonly inputs: readonly string[];
  /** The record of arguments of the call, empty without one. */
  readonly args: Readonly<Record<string, unknown>>;
  /**
   * Adds a node of operator set 19 with one output and gives its name. Numbers are integer attributes, `{ float: 0.5 }` is a float. `op` is ONNX's name,
   * `inputs` names of the graph.
   */
  node(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, AttributeValue>>): string;
  /** Adds a float constant and gives its name; a number is a scalar. */
  constant(value: number | HostArray): string;
}

/** Nodes for an operation of `defineOp`; gives the name of the result. */
export type OwnOpExport = (call: OwnNode) => string;

/** The emitters of these operations, as the tape names them. */
export function ownEmitters(ops: Readonly<Record<string, OwnOpExport>>): Emitters {
  return Object.fromEntries(
    Object.entries(ops).map(([name, emit]) => [
      `own.${name}`,
      ({ builder, inputs, args }) =>
        emit({
          inputs: inputs as readonly string[],
          args,
          node: (op, given, attributes) => builder.node(op, given, attributes),
          constant: (value) =>
            typeof value === "number"
              ? builder.float(value)
              : builder.constant({ kind: "float", data: Float32Array.from(value.data), shape: value.shape }),
        }),
    ]),
  );
}
