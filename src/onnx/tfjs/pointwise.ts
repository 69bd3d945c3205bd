/** @file Operations on each element, in the layout that the values have. */

import type { GraphBuilder } from "./builder.ts";
import type { TfNode } from "./graph_def.ts";
import type { Translator, Translators } from "./translator.ts";

type Make = (g: GraphBuilder, x: string, node: TfNode) => string;

/** Of one value. */
const unary =
  (make: Make): Translator =>
  (node, g) => {
    const { first, rank } = g.get(node.input(0));
    g.give(node.name, make(g, first ?? g.asLast(node.input(0)), node), { first: first !== undefined, rank });
  };

/** An operation that ONNX has too. */
const same = (op: string): Translator => unary((g, x) => g.add(op, [x]));

/**
 * The names of values that are stretched over each other, in one layout: that with the channels second where a value has it and the others can be brought to it.
 * Those can be whose number of axes is known to be the same, and constants.
 */
export function together(
  names: readonly string[],
  g: GraphBuilder,
): { readonly names: readonly string[]; readonly first: boolean; readonly rank: number | undefined } {
  const values = names.map((name) => g.get(name));
  const rank = values.find(({ first }) => first !== undefined)?.rank;
  const fits = rank !== undefined && values.every((v) => v.rank === rank || (v.constant && v.rank! <= rank));
  if (fits) return { names: names.map((name) => fitted(name, rank, g)), first: true, rank };
  const ranks = values.map((v) => v.rank);
  const most = ranks.every((r) => r !== undefined) ? Math.max(...ranks) : undefined;
  return { names: names.map((name) => g.asLast(name)), first: false, rank: most };
}

/** A single number is stretched in any layout, and is shared by all. */
function fitted(name: string, rank: number, g: GraphBuilder): string {
  const { constant } = g.get(name);
  return constant && constant.shape.length === 0 ? g.asLast(name) : g.asFirst(name, rank);
}

/** Of several values. */
const joined =
  (make: (g: GraphBuilder, names: readonly string[], node: TfNode) => string): Translator =>
  (node, g) => {
    const { names, first, rank } = together(node.inputs, g);
    g.give(node.name, make(g, names, node), { first, rank });
  };

const binary = (op: string): Translator => joined((g, names) => g.add(op, names));

const isWhole = (node: TfNode): boolean => ["DT_INT32", "DT_INT64"].includes(node.type("T"));

/** Of integers rounded down, as TensorFlow.js divides them: what is left over is taken away first. */
const wholeQuotient = (g: GraphBuilder, [a, b]: readonly string[]): string =>
  g.add("Div", [g.add("Sub", [a, g.add("Mod", [a, b])]), b]);

const divide = joined((g, names, node) => (isWhole(node) ? wholeQuotient(g, names) : g.add("Div", names)));

/** The angle of a point; half a turn more where x is below 0. */
const angle = joined((g, [y, x]) => {
  const [zero, pi] = [g.scalar(0), Math.PI];
  const turn = g.add("Where", [g.add("Less", [y, zero]), g.scalar(-pi), g.scalar(pi)]);
  const more = g.add("Where", [g.add("Less", [x, zero]), turn, zero]);
  const whole = g.add("Add", [g.add("Atan", [g.add("Div", [y, x])]), more]);
  const origin = g.add("And", [g.add("Equal", [x, zero]), g.add("Equal", [y, zero])]);
  return g.add("Where", [origin, zero, whole]);
});

const clip: Make = (g, x) => g.add("Clip", [x, g.scalar(0), g.scalar(6)]);

const clipByValue: Translator = (node, g) => {
  const [low, high] = [1, 2].map((i) => g.asLast(node.input(i)));
  unary((_, x) => g.add("Clip", [x, low, high]))(node, g);
};

const codes: Readonly<Record<string, number>> = { DT_FLOAT: 1, DT_INT32: 6, DT_INT64: 7, DT_BOOL: 9, DT_DOUBLE: 1 };

const cast: Make = (g, x, node) => {
  const to = codes[node.type("DstT")];
  if (to === undefined) throw node.fail(`a cast to ${node.type("DstT")} is not supported`);
  return g.add("Cast", [x], { to });
};

export const translators: Translators = {
  Abs: same("Abs"),
  Acos: same("Acos"),
  Acosh: same("Acosh"),
  Asin: same("Asin"),
  Asinh: same("Asinh"),
  Atan: same("Atan"),
  Atanh: same("Atanh"),
  Ceil: same("Ceil"),
  Cos: same("Cos"),
  Cosh: same("Cosh"),
  Erf: same("Erf"),
  Exp: same("Exp"),
  Floor: same("Floor"),
  Inv: same("Reciprocal"),
  IsInf: same("IsInf"),
  IsNan: same("IsNaN"),
  Log: same("Log"),
  LogicalNot: same("Not"),
  Neg: same("Neg"),
  Reciprocal: same("Reciprocal"),
  Relu: same("Relu"),
  Round: same("Round"),
  Selu: same("Selu"),
  Sigmoid: same("Sigmoid"),
  Sign: same("Sign"),
  Sin: same("Sin"),
  Sinh: same("Sinh"),
  Softplus: same("Softplus"),
  Softsign: same("Softsign"),
  Sqrt: same("Sqrt"),
  Tan: same("Tan"),
  Tanh: same("Tanh"),
  Elu: unary((g, x, node) => g.add("Elu", [x], { alpha: { float: node.number("alpha", 1) } })),
  LeakyRelu: unary((g, x, node) => g.add("LeakyRelu", [x], { alpha: { float: node.number("alpha", 0.2) } })),
  Relu6: unary(clip),
  Rsqrt: unary((g, x) => g.add("Reciprocal", [g.add("Sqrt", [x])])),
  Square: unary((g, x) => g.add("Mul", [x, x])),
  Log1p: unary((g, x) => g.add("Log", [g.add("Add", [x, g.scalar(1)])])),
  Expm1: unary((g, x) => g.add("Sub", [g.add("Exp", [x]), g.scalar(1)])),
  ZerosLike: unary((g, x) => g.add("Mul", [x, g.scalar(0)])),
  OnesLike: unary((g, x) => g.add("Add", [g.add("Mul", [x, g.scalar(0)]), g.scalar(1)])),
  Cast: unary(cast),
  ClipByValue: clipByValue,
  Add: binary("Add"),
  AddV2: binary("Add"),
  AddN: binary("Sum"),
  BiasAdd: binary("Add"),
  Sub: binary("Sub"),
  Mul: binary("Mul"),
  Div: divide,
  RealDiv: divide,
  Maximum: binary("Max"),
  Minimum: binary("Min"),
  Pow: binary("Pow"),
  Prelu: binary("PRelu"),
  Equal: binary("Equal"),
  Greater: binary("Greater"),
  GreaterEqual: binary("GreaterOrEqual"),
  Less: binary("Less"),
  LessEqual: binary("LessOrEqual"),
  LogicalAnd: binary("And"),
  LogicalOr: binary("Or"),
  NotEqual: joined((g, names) => g.add("Not", [g.add("Equal", names)])),
  FloorDiv: joined((g, names, node) => (isWhole(node) ? wholeQuotient(g, names) : g.add("Floor", [g.add("Div", names)]))),
  // Both have the sign of the divisor.
  FloorMod: binary("Mod"),
  Mod: binary("Mod"),
  Atan2: angle,
  SquaredDifference: joined((g, names) => {
    const d = g.add("Sub", names);
    return g.add("Mul", [d, d]);
  }),
  SelectV2: binary("Where"),
  Select: binary("Where"),
};
