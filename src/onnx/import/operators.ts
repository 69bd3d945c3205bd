/** @file All operators that can be run, and which of their inputs must be known before anything runs. */

import type { OnnxNode } from "../model.ts";
import type { Operator, Operators } from "./operator.ts";
import * as all from "./ops/index.ts";

const operators: Operators = Object.assign({}, ...Object.values(all));

/** The name of a node's operator, with its domain unless that is ONNX's own. */
export const fullName = ({ domain, op }: OnnxNode): string => (domain === "" ? op : `${domain}::${op}`);

/** The operator of a node; undefined if it is not supported. */
export const operatorOf = (node: OnnxNode): Operator | undefined => {
  const name = fullName(node);
  return Object.hasOwn(operators, name) ? operators[name] : undefined;
};

/** Whether a node can be run; constants are read as initializers are. */
export const supported = (node: OnnxNode): boolean =>
  operatorOf(node) !== undefined || (node.domain === "" && node.op === "Constant");

/** Whether an input must be known before anything runs; all must be of what only the host computes. */
export const isKnownInput = (node: OnnxNode, i: number): boolean => {
  const operator = operatorOf(node);
  return operator !== undefined && (operator.known?.includes(i) || !(operator.device ?? operator.shape));
};
