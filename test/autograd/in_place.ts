/**
 * @file Random small programs: a forward pass over a few parameters, changes of parameters in place, gradients. The reference computes in float64
 * with the values that the forward pass saw.
 */

import * as fc from "fast-check";
import * as vx from "../../src/index.ts";
import { SGD } from "../../src/nn/index.ts";

const size = 3;
const leaves = 4;

const operations: Record<Op, (x: vx.Tensor, y: vx.Tensor) => vx.Tensor> = {
  add: vx.add,
  mul: vx.mul,
  sub: vx.sub,
  square: (x) => vx.square(x),
  exp: (x) => vx.exp(x),
  tanh: (x) => vx.tanh(x),
  matmul: vx.matmul,
};

type Op = "add" | "mul" | "sub" | "square" | "exp" | "tanh" | "matmul";

export interface Program {
  /** Each takes earlier values, counted from the leaves on. */
  readonly ops: readonly { readonly op: Op; readonly a: number; readonly b: number }[];
  /** Between forward and gradient. */
  readonly changes: readonly { readonly how: "step" | "captured" | "write" | "copy" | "repack"; readonly leaf: number }[];
  /** Which leaves each optimizer has; a leaf may be of both. */
  readonly optimizers: readonly (readonly number[])[];
  readonly captured: boolean;
}

const leaf = fc.nat(leaves - 1);

export const programs: fc.Arbitrary<Program> = fc.record({
  ops: fc.array(
    fc.record({
      op: fc.constantFrom<Op[]>("add", "mul", "sub", "square", "exp", "tanh", "matmul"),
      a: fc.nat(99),
      b: fc.nat(99),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  changes: fc.array(
    fc.record({
      how: fc.constantFrom("step" as const, "captured" as const, "write" as const, "copy" as const, "repack" as const),
      leaf,
    }),
    { maxLength: 2 },
  ),
  optimizers: fc.array(fc.uniqueArray(leaf, { minLength: 1, maxLength: leaves }), { minLength: 1, maxLength: 2 }),
  captured: fc.boolean(),
});

const start = (i: number): number[] => Array.from({ length: size * size }, (_, j) => 0.3 * Math.sin(1 + 7 * i + 3 * j));

/** Values, the last of which is summed up. */
function forward(ops: Program["ops"], given: readonly vx.Tensor[]): vx.Tensor {
  const values = [...given];
  for (const { op, a, b } of ops) {
    const [x, y] = [values[a % values.length], values[b % values.length]];
    values.push(operations[op](x, y));
  }
  // All leaves take part, so that each has a gradient.
  return vx.sum(
    values.slice(given.length).reduce(
      (s, v) => vx.add(s, v),
      given.reduce((s, v) => vx.add(s, v)),
    ),
  );
}

function reference(ops: Program["ops"], given: readonly (readonly number[])[]): number {
  const values = given.map((v) => [...v]);
  for (const { op, a, b } of ops) {
    const [x, y] = [values[a % values.length], values[b % values.length]];
    const unary = { square: (v: number) => v * v, exp: Math.exp, tanh: Math.tanh };
    const binary = {
      add: (u: number, v: number) => u + v,
      sub: (u: number, v: number) => u - v,
      mul: (u: number, v: number) => u * v,
    };
    if (op === "matmul") {
      const at = (i: number, j: number) => [0, 1, 2].reduce((s, k) => s + x[i * size + k] * y[k * size + j], 0);
      values.push(x.map((_, i) => at(Math.floor(i / size), i % size)));
    } else if (op in unary) values.push(x.map(unary[op as keyof typeof unary]));
    else values.push(x.map((v, i) => binary[op as keyof typeof binary](v, y[i])));
  }
  return values.flat().reduce((s, v) => s + v, 0);
}

function slopes(ops: Program["ops"]): number[][] {
  const given = Array.from({ length: leaves }, (_, i) => start(i));
  return given.map((values, i) =>
    values.map((_, j) => {
      const moved = (h: number) => given.map((v, k) => (k === i ? v.map((u, l) => (l === j ? u + h : u)) : v));
      return (reference(ops, moved(1e-4)) - reference(ops, moved(-1e-4))) / 2e-4;
    }),
  );
}

/** Whether the gradients came out right or were refused. Throws if they are wrong. */
export async function checkProgram(device: vx.Device, program: Program): Promise<"right" | "refused"> {
  const { ops, changes, optimizers, captured } = program;
  const shape = [size, size];
  const owned: { dispose(): void }[] = [];
  const own = <T extends { dispose(): void }>(t: T): T => (owned.push(t), t);
  const params = Array.from({ length: leaves }, (_, i) => own(vx.parameter(device.tensor({ data: start(i), shape }))));
  const made = optimizers.map((list) =>
    own(
      new SGD(
        list.map((i) => params[i]),
        { lr: 0.5 },
      ),
    ),
  );
  const ones = own(vx.keep(vx.full(device, shape, 1)));
  const steps = made.map((o) => own(vx.capture(device, (x: vx.Tensor) => (o.step(o.parameters.map(() => x)), x))));
  const change = ({ how, leaf }: Program["changes"][number], tracing: boolean): void => {
    const o = made[leaf % made.length];
    if (how === "step" || (how === "captured" && tracing)) o.step(o.parameters.map(() => ones));
    else if (how === "captured") steps[leaf % made.length](ones);
    else if (how === "copy" || tracing) device.stream.copy(ones, params[leaf], 0);
    else if (how === "write") device.write(params[leaf], { data: start(9), shape });
    else own(new SGD([params[leaf]], { lr: 0.5 })).step([ones]);
  };
  const all = (tracing: boolean): vx.Tensor[] => {
    const loss = forward(ops, params);
    for (const c of changes) change(c, tracing);
    return vx.grad(loss, params);
  };
  try {
    const run = captured ? own(vx.capture(device, () => all(true))) : () => vx.scope(() => all(false));
    const got = await Promise.all(run().map((g) => g.data()));
    slopes(ops).forEach((expected, i) =>
      expected.forEach((e, j) => {
        if (!(Math.abs(got[i][j] - e) <= 2e-3 * (1 + Math.abs(e))))
          throw new Error(`leaf ${i}[${j}]: ${got[i][j]}, expected ${e}`);
      }),
    );
    return "right";
  } catch (error) {
    if (error instanceof vx.ConfigError && /changed in place/.test(error.message)) return "refused";
    throw error;
  } finally {
    for (const t of owned) t.dispose();
  }
}
