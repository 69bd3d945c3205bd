/** @file Nodes of pointwise functions: of one tensor each row of `src/kernels/pointwise.ts` has one here, or this does not compile. */

import { elements } from "../../../host/elements.ts";
import type { unaryOps } from "../../../kernels/pointwise.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import type { AttributeValue } from "../../native.ts";
import type { Emission, Emitter, Emitters } from "../emission.ts";

const plain =
  (op: string): Emitter =>
  ({ builder, inputs }) =>
    builder.node(op, inputs);

const withFloats =
  (op: string, names: (a: number, b: number) => Readonly<Record<string, number>>): Emitter =>
  ({ builder, inputs, args }) => {
    const attributes = Object.entries(names(args.a, args.b)).map(([key, float]): [string, AttributeValue] => [key, { float }]);
    return builder.node(op, inputs, Object.fromEntries(attributes));
  };

/** Several nodes: `n` adds one, numbers become constants. */
type Formula = (n: (op: string, ...inputs: (string | number)[]) => string, x: string, a: number, b: number) => string;

const formula =
  (f: Formula): Emitter =>
  ({ builder, inputs, args }) => {
    const n = (op: string, ...list: (string | number)[]) =>
      builder.node(
        op,
        list.map((v) => (typeof v === "number" ? builder.float(v) : v)),
      );
    return f(n, inputs[0]!, args.a, args.b);
  };

const unaries: { readonly [K in keyof typeof unaryOps]: Emitter | undefined } = {
  relu: plain("Relu"),
  sigmoid: plain("Sigmoid"),
  leakyRelu: withFloats("LeakyRelu", (a) => ({ alpha: a })),
  elu: withFloats("Elu", (a) => ({ alpha: a })),
  tanh: plain("Tanh"),
  affine: formula((n, x, a, b) => {
    const scaled = a === 1 && b !== 0 ? x : a === -1 ? n("Neg", x) : n("Mul", x, a);
    return b === 0 ? scaled : n("Add", scaled, b);
  }),
  exp: plain("Exp"),
  log: plain("Log"),
  sqrt: plain("Sqrt"),
  abs: plain("Abs"),
  square: formula((n, x) => n("Mul", x, x)),
  reciprocal: plain("Reciprocal"),
  clamp: formula((n, x, a, b) => n("Clip", x, a, b)),
  selu: withFloats("Selu", (a, b) => ({ alpha: a, gamma: b })),
  gelu: formula((n, x) => n("Mul", n("Mul", x, 0.5), n("Add", n("Erf", n("Mul", x, Math.SQRT1_2)), 1))),
  geluTanh: formula((n, x) => {
    const cube = n("Mul", n("Mul", n("Mul", x, x), x), 0.044715);
    return n("Mul", n("Mul", x, 0.5), n("Add", n("Tanh", n("Mul", n("Add", x, cube), Math.sqrt(2 / Math.PI))), 1));
  }),
  silu: formula((n, x, a) => n("Mul", x, n("Sigmoid", a === 1 ? x : n("Mul", x, a)))),
  mish: plain("Mish"),
  softplus: formula((n, x, a, b) => {
    const scaled = a === 1 ? x : n("Mul", x, a);
    const smooth = a === 1 ? n("Softplus", x) : n("Div", n("Softplus", scaled), a);
    // Above 15 both are one float.
    return b >= 15 ? smooth : n("Where", n("Greater", scaled, b), x, smooth);
  }),
  hardswish: plain("HardSwish"),
  logSigmoid: formula((n, x) => n("Neg", n("Softplus", n("Neg", x)))),
  rsqrt: formula((n, x) => n("Reciprocal", n("Sqrt", x))),
  sign: plain("Sign"),
  floor: plain("Floor"),
  round: plain("Round"),
  relu6: formula((n, x) => n("Clip", x, 0, 6)),
  isFinite: undefined,
  erf: plain("Erf"),
};

/** The name of a tensor or number that is an argument. */
const operand = (e: Emission, v: Tensor | number): string => (v instanceof Tensor ? e.names.get(v) : e.builder.float(v));

const pair =
  (op: string): Emitter =>
  (e) =>
    e.builder.node(op, [e.inputs[0], operand(e, e.args.b)]);

// Truth values are numbers here.
const comparison =
  (op: string, not = false): Emitter =>
  (e) => {
    const holds = e.builder.node(op, [e.inputs[0], operand(e, e.args.b)]);
    return e.builder.node("Cast", [not ? e.builder.node("Not", [holds]) : holds], { to: elements.f32.onnx });
  };

const where: Emitter = (e) => {
  const condition = e.builder.node("Cast", [e.names.get(e.args.condition)], { to: elements.bool.onnx });
  return e.builder.node("Where", [condition, operand(e, e.args.a), operand(e, e.args.b)]);
};

export const emitters: Emitters = {
  ...Object.fromEntries(Object.entries(unaries).filter((row): row is [string, Emitter] => row[1] !== undefined)),
  add: pair("Add"),
  sub: pair("Sub"),
  mul: pair("Mul"),
  div: pair("Div"),
  maximum: pair("Max"),
  minimum: pair("Min"),
  pow: pair("Pow"),
  eq: comparison("Equal"),
  ne: comparison("Equal", true),
  lt: comparison("Less"),
  le: comparison("LessOrEqual"),
  gt: comparison("Greater"),
  ge: comparison("GreaterOrEqual"),
  where,
};
