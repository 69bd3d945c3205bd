/** @file Sums of products along named axes. */

import { matmul } from "../../../autograd/matmul.ts";
import { mul } from "../../../autograd/pointwise.ts";
import { sum } from "../../../autograd/reduce.ts";
import { expand, permute, reshape, slice } from "../../../autograd/view.ts";
import { sizeOf } from "../../../host/array.ts";
import { sameShape } from "../../../host/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

/** A tensor and a label for each of its axes: letters, and "…0", "…1" (from the last one on) for those of an ellipsis. */
interface Term {
  readonly t: Tensor;
  readonly labels: readonly string[];
}

function labelsOf(c: Call, text: string, rank: number): string[] {
  const match = /^([a-zA-Z]*)(\.\.\.)?([a-zA-Z]*)$/.exec(text);
  if (!match) throw c.wrong(`the term "${text}" is no list of letters`);
  const [, before, dots, after] = match;
  const open = rank - before.length - after.length;
  if (open < 0 || (!dots && open > 0)) throw c.wrong(`the term "${text}" for a tensor of ${rank} axes`);
  return [...before, ...Array.from({ length: open }, (_, i) => `…${open - 1 - i}`), ...after];
}

/** Labels of the result: given, or those that stand once in alphabetical order, after the ellipsis. */
function resultLabels(c: Call, text: string | undefined, terms: readonly Term[]): string[] {
  const all = terms.flatMap(({ labels }) => labels);
  const open = new Set(all.filter((l) => l.startsWith("…")));
  const dots = [...open].sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)));
  if (text === undefined) {
    const once = all.filter((l) => !l.startsWith("…") && all.filter((m) => m === l).length === 1);
    return [...dots, ...once.sort()];
  }
  const match = /^([a-zA-Z]*)(\.\.\.)?([a-zA-Z]*)$/.exec(text);
  const labels = match ? [...match[1], ...(match[2] ? dots : []), ...match[3]] : [];
  if (!match || new Set(labels).size !== labels.length || labels.some((l) => !all.includes(l)))
    throw c.wrong(`the result "${text}" is no list of different letters of the terms`);
  return labels;
}

/** The diagonal of axes with the same label. */
function diagonal(c: Call, { t, labels }: Term): Term {
  const label = labels.find((l, i) => labels.indexOf(l) !== i);
  if (label === undefined) return { t, labels };
  const [i, j] = [labels.indexOf(label), labels.lastIndexOf(label)];
  const n = t.shape[i];
  if (t.shape[j] !== n) throw c.wrong(`axes "${label}" have the sizes ${n} and ${t.shape[j]}`);
  const rest = labels.map((_, k) => k).filter((k) => k !== i && k !== j);
  const moved = reshape(permute(t, [...rest, i, j]), [...rest.map((k) => t.shape[k]), n * n]);
  const cut = slice(moved, [...rest.map(() => undefined), [0, n * n, n + 1]]);
  return diagonal(c, { t: cut, labels: [...rest.map((k) => labels[k]), label] });
}

/** Sums over the axes that nothing else needs. */
function summed({ t, labels }: Term, needed: ReadonlySet<string>): Term {
  const axes = labels.flatMap((l, i) => (needed.has(l) ? [] : [i]));
  return axes.length === 0 ? { t, labels } : { t: sum(t, axes), labels: labels.filter((l) => needed.has(l)) };
}

/** The axes of a term in groups, each of one size in the end; axes of size 1 grow where the others are larger. */
function grouped({ t, labels }: Term, groups: readonly (readonly string[])[], sizes: ReadonlyMap<string, number>): Tensor {
  const order = groups.flat();
  const moved = permute(
    t,
    order.map((l) => labels.indexOf(l)),
  );
  const shape = order.map((l) => sizes.get(l)!);
  const grown = sameShape(moved.shape, shape) ? moved : expand(moved, shape);
  return reshape(
    grown,
    groups.map((g) => sizeOf(g.map((l) => sizes.get(l)!))),
  );
}

/** The product of two terms, summed over what only they have. */
function contracted(c: Call, left: Term, right: Term, later: ReadonlySet<string>): Term {
  const a = summed(left, new Set([...later, ...right.labels]));
  const b = summed(right, new Set([...later, ...left.labels]));
  const sizes = new Map<string, number>();
  for (const { t, labels } of [a, b])
    labels.forEach((l, i) => {
      const [known, size] = [sizes.get(l) ?? 1, t.shape[i]];
      if (known !== size && known !== 1 && size !== 1) throw c.wrong(`axes "${l}" have the sizes ${known} and ${size}`);
      sizes.set(l, Math.max(known, size));
    });
  const both = a.labels.filter((l) => b.labels.includes(l));
  const batch = both.filter((l) => later.has(l));
  const inner = both.filter((l) => !later.has(l));
  const [rows, columns] = [a, b].map(({ labels }) => labels.filter((l) => !both.includes(l)));
  const labels = [...batch, ...rows, ...columns];
  const shape = labels.map((l) => sizes.get(l)!);
  const [x, y] = [grouped(a, [batch, rows, inner], sizes), grouped(b, [batch, inner, columns], sizes)];
  // An outer product needs no sums.
  return { t: reshape(inner.length === 0 ? mul(x, y) : matmul(x, y), shape), labels };
}

function einsum(c: Call): Tensor {
  const equation = (c.attribute("equation")?.s ?? "").replaceAll(" ", "");
  const [left, result, ...more] = equation.split("->");
  const texts = left.split(",");
  if (more.length > 0 || texts.length !== c.inputs.length)
    throw c.wrong(`the equation "${equation}" for ${c.inputs.length} inputs`);
  const given = texts.map((text, i): Term => ({ t: c.float(i), labels: labelsOf(c, text, c.shape(i).length) }));
  const wanted = resultLabels(c, result, given);
  const terms = given.map((term) => diagonal(c, term));
  const product = terms.slice(1).reduce((sofar, next, i) => {
    const later = new Set([...wanted, ...terms.slice(i + 2).flatMap(({ labels }) => labels)]);
    return contracted(c, sofar, next, later);
  }, terms[0]);
  const { t, labels } = summed(product, new Set(wanted));
  return permute(
    t,
    wanted.map((l) => labels.indexOf(l)),
  );
}

export const operators: Operators = { Einsum: { device: einsum } };
