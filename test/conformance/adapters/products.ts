/** @file PyTorch's matrix products on the GPU, with gradients. Operands are taken in the case's order, whatever their names. */
import * as v from "../../../src/index.ts";
import { type Adapter, type Adapters, NotCovered } from "../format.ts";
import { operation, same, told } from "../operation_case.ts";

type Tensor = v.Tensor;

const flags = same("transpose_a", "transpose_b");

const product = operation(flags, (_, options, __, [a, b]) => v.matmul(a, b, options));

/** beta · input + alpha · the product of the other two, summed over the batch for `addbmm`. */
const added = (summed = false) =>
  operation(same("beta", "alpha"), (_, { beta = 1, alpha = 1 }, __, [input, a, b]) => {
    const each = v.matmul(a, b);
    return v.add(v.affine(input, beta), v.affine(summed ? v.sum(each, 0) : each, alpha));
  });

const dot = operation({}, (_, __, ___, [a, b]) => v.sum(v.mul(a, b)));
const outerOf = (a: Tensor, b: Tensor) => v.mul(v.reshape(a, [a.size, 1]), v.reshape(b, [1, b.size]));
const outer = operation({}, (_, __, ___, [a, b]) => outerOf(a, b));

/** The axes that one of two operands has of its own and the other lacks are summed first; then one matrix product. */
function einsum(equation: string, operands: readonly Tensor[]): Tensor {
  const [left, right] = equation.replaceAll(" ", "").split("->");
  const terms = left.split(",");
  const letters = [...left.replaceAll(",", "")];
  const output = right ?? [...new Set(letters)].filter((l) => letters.filter((m) => m === l).length === 1).sort().join(""); // prettier-ignore
  if (/[^a-zA-Z,]/.test(left) || terms.some((t) => new Set(t).size < t.length)) throw new NotCovered(`einsum ${equation}`);
  const later = (i: number) => output + terms.slice(i + 1).join("");
  let [term, value] = [terms[0], operands[0]];
  for (let i = 1; i < terms.length; i++) [term, value] = pair(term, value, terms[i], operands[i], later(i));
  [term, value] = summedTo(term, value, output);
  return v.permute(value, [...output].map((l) => term.indexOf(l))); // prettier-ignore
}

function summedTo(term: string, value: Tensor, kept: string): [string, Tensor] {
  const axes = [...term].flatMap((l, i) => (kept.includes(l) ? [] : [i]));
  return [[...term].filter((l) => kept.includes(l)).join(""), axes.length > 0 ? v.sum(value, axes) : value];
}

function pair(left: string, x: Tensor, right: string, y: Tensor, kept: string): [string, Tensor] {
  const [a, xa] = summedTo(left, x, right + kept);
  const [b, yb] = summedTo(right, y, left + kept);
  const size = (l: string) => (a.includes(l) ? xa.shape[a.indexOf(l)] : yb.shape[b.indexOf(l)]);
  const common = [...a].filter((l) => b.includes(l));
  const batch = common.filter((l) => kept.includes(l));
  const inner = common.filter((l) => !kept.includes(l));
  const rows = [...a].filter((l) => !b.includes(l));
  const columns = [...b].filter((l) => !a.includes(l));
  const count = (list: string[]) => list.reduce((n, l) => n * size(l), 1);
  const as = (t: Tensor, term: string, ...groups: string[][]) =>
    v.reshape(v.permute(t, groups.flat().map((l) => term.indexOf(l))), groups.map(count)); // prettier-ignore
  const z = v.matmul(as(xa, a, batch, rows, inner), as(yb, b, batch, inner, columns));
  const letters = [...batch, ...rows, ...columns];
  return [letters.join(""), v.reshape(z, letters.map(size))]; // prettier-ignore
}

/** `dims` axes of the end and the beginning, or two lists of axes. */
const tensordot = operation(same("dims"), (_, { dims = 2 }, __, [a, b]) => {
  const [left, right]: number[][] =
    typeof dims === "number"
      ? [Array.from({ length: dims }, (_, i) => a.rank - dims + i), Array.from({ length: dims }, (_, i) => i)]
      : dims.map((list: number | number[]) => [list].flat());
  const from = (first: number, rank: number) => Array.from({ length: rank }, (_, i) => String.fromCharCode(first + i));
  const [first, second] = [from(97, a.rank), from(65, b.rank)];
  left.forEach((axis, i) => (second[(right[i] + b.rank) % b.rank] = first[(axis + a.rank) % a.rank]));
  const free = [...first, ...second].filter((l, _, all) => all.filter((m) => m === l).length === 1);
  return einsum(`${first.join("")},${second.join("")}->${free.join("")}`, [a, b]);
});

const summation: Adapter = operation(same("equation", "subscripts"), (_, { equation, subscripts }, __, list) =>
  einsum(equation ?? subscripts, list),
);

const chain = operation({}, (_, __, ___, list) => list.reduce((a, b) => v.matmul(a, b)));

const products: Adapters = Object.fromEntries(["matmul", "mm", "bmm", "mv"].map((name) => [`op.${name}`, product]));

export const adapters: Adapters = {
  ...products,
  "op.linear": operation(told("in_features", "out_features"), ({ x, w, b }, _, __, list) =>
    w ? v.linear(x, w, b) : v.linear(list[0], list[1], list[2]),
  ),
  "op.addmm": added(),
  "op.addmv": added(),
  "op.baddbmm": added(),
  "op.addbmm": added(true),
  "op.addr": operation(same("beta", "alpha"), (_, { beta = 1, alpha = 1 }, __, [input, a, b]) =>
    v.add(v.affine(input, beta), v.affine(outerOf(a, b), alpha)),
  ),
  "op.dot": dot,
  "op.vdot": dot,
  "op.inner": operation({}, (_, __, ___, [a, b]) => v.matmul(a, b, { transposeB: true })),
  "op.outer": outer,
  "op.ger": outer,
  "op.einsum": summation,
  "op.tensordot": tensordot,
  "op.chain_matmul": chain,
  "op.multi_dot": chain,
};
