/**
 * @file Kernels of the passes of a Fourier transform with the factors 2 to 5: two lines at a time, in float64. What each rounds is what
 * the loops of fft.ts do.
 */
import {
  type Code,
  f64,
  f64x2,
  type FunctionSource,
  get,
  here,
  i32,
  type Kernel,
  load,
  load64,
  set,
  store,
  type ValueType,
  whileBelow,
} from "./assembler.ts";

const { add, sub, mul } = f64x2;

/** A complex vector. */
interface Pair {
  readonly re: Code;
  readonly im: Code;
}

/** Keeps values in variables, which are what it gives back. */
type Keep = (value: Code) => Code;

type FourierPass = (
  from: number,
  end: number,
  distance: number,
  apart: number,
  to: number,
  stride: number,
  table: number,
) => void;

/**
 * A pass: elements `apart` bytes from each other become as many others `stride` bytes from each other at `to`; imaginary parts are `distance` bytes behind
 * real ones. Each stretch of `stride` bytes has its own twiddle factors, one behind the other in a table. `outputs` are before them; the first has none.
 */
function pass(r: number, outputs: (x: readonly Pair[], keep: Keep) => readonly Pair[]): FunctionSource {
  const [end, distance, apart, to, stride, table] = [1, 2, 3, 4, 5, 6];
  const [at, target, stretch] = [7, 8, 9];
  const splat = 10;
  const factors = 2 * (r - 1);
  let used = splat + factors;
  const code: number[] = [];
  const keep: Keep = (value) => {
    code.push(...set(used, value));
    return get(used++);
  };
  const step = (local: number, by: Code): Code => set(local, i32.add(get(local), by));
  code.push(...set(at, here));
  const x = Array.from({ length: r }, (_, k) => {
    if (k > 0) code.push(...step(at, get(apart)));
    return { re: keep(load(get(at))), im: keep(load(i32.add(get(at), get(distance)))) };
  });
  code.push(...set(target, get(to)));
  outputs(x, keep).forEach(({ re, im }, k) => {
    const put = (a: Code, b: Code): void =>
      void code.push(...store(get(target), a), ...store(i32.add(get(target), get(distance)), b));
    if (k === 0) return put(re, im);
    code.push(...step(target, get(stride)));
    const [a, b] = [keep(re), keep(im)];
    const [c, d] = [get(splat + 2 * k - 2), get(splat + 2 * k - 1)];
    put(sub(mul(a, c), mul(b, d)), add(mul(a, d), mul(b, c)));
  });
  code.push(...step(0, i32.of(16)), ...step(to, i32.of(16)));
  return {
    parameters: new Array<ValueType>(7).fill("i32"),
    variables: ["i32", "i32", "i32", ...new Array<ValueType>(used - splat).fill("v128")],
    body: whileBelow(here, get(end), [
      ...Array.from({ length: factors }, (_, k) => set(splat + k, load64(get(table), 8 * k))).flat(),
      ...step(table, i32.of(8 * factors)),
      ...set(stretch, i32.add(here, get(stride))),
      ...whileBelow(here, get(stretch), code),
      // The first output has moved on by a stretch.
      ...Array.from({ length: r - 1 }, () => step(to, get(stride))).flat(),
    ]),
  };
}

const plus = (a: Pair, b: Pair, keep: Keep): Pair => ({ re: keep(add(a.re, b.re)), im: keep(add(a.im, b.im)) });
const minus = (a: Pair, b: Pair, keep: Keep): Pair => ({ re: keep(sub(a.re, b.re)), im: keep(sub(a.im, b.im)) });
const constant = (v: number): Code => f64x2.splat(f64.of(v));

const fourier2: Kernel<FourierPass> = () => pass(2, ([a, b], keep) => [plus(a, b, keep), minus(a, b, keep)]);

const fourier3: Kernel<FourierPass> = () =>
  pass(3, ([a, b, c], keep) => {
    const sum = plus(b, c, keep);
    const half = constant(Math.sqrt(3) / 2);
    const dif = { re: keep(mul(sub(b.re, c.re), half)), im: keep(mul(sub(b.im, c.im), half)) };
    const halved = (v: Code): Code => f64x2.div(v, constant(2));
    const mid = { re: keep(sub(a.re, halved(sum.re))), im: keep(sub(a.im, halved(sum.im))) };
    return [
      plus(a, sum, keep),
      { re: add(mid.re, dif.im), im: sub(mid.im, dif.re) },
      { re: sub(mid.re, dif.im), im: add(mid.im, dif.re) },
    ];
  });

const fourier4: Kernel<FourierPass> = () =>
  pass(4, ([a, b, c, d], keep) => {
    const [sum, dif, odd] = [plus(a, c, keep), minus(a, c, keep), plus(b, d, keep)];
    const turn = { re: keep(sub(b.im, d.im)), im: keep(sub(d.re, b.re)) };
    return [plus(sum, odd, keep), plus(dif, turn, keep), minus(sum, odd, keep), minus(dif, turn, keep)];
  });

const fourier5: Kernel<FourierPass> = () =>
  pass(5, ([a, b, c, d, e], keep) => {
    const [ca, cb] = [1, 2].map((k) => constant(Math.cos((2 * k * Math.PI) / 5)));
    const [sa, sb] = [1, 2].map((k) => constant(Math.sin((2 * k * Math.PI) / 5)));
    const less = constant(-Math.sin((2 * Math.PI) / 5));
    const [outer, inner] = [plus(b, e, keep), plus(c, d, keep)];
    const [outerD, innerD] = [minus(b, e, keep), minus(c, d, keep)];
    const even = (p: Code, q: Code): Pair => ({
      re: keep(add(add(a.re, mul(p, outer.re)), mul(q, inner.re))),
      im: keep(add(add(a.im, mul(p, outer.im)), mul(q, inner.im))),
    });
    const [first, second] = [even(ca, cb), even(cb, ca)];
    const odd = {
      re: keep(add(mul(sa, outerD.im), mul(sb, innerD.im))),
      im: keep(sub(mul(less, outerD.re), mul(sb, innerD.re))),
    };
    const odd2 = {
      re: keep(sub(mul(sb, outerD.im), mul(sa, innerD.im))),
      im: keep(sub(mul(sa, innerD.re), mul(sb, outerD.re))),
    };
    const total = { re: add(add(a.re, outer.re), inner.re), im: add(add(a.im, outer.im), inner.im) };
    return [total, plus(first, odd, keep), plus(second, odd2, keep), minus(second, odd2, keep), minus(first, odd, keep)];
  });

/** Passes by their factors. */
export const fourier = { fourier2, fourier3, fourier4, fourier5 };

/** Those of a module. */
export type FourierKernels = Readonly<Record<keyof typeof fourier, FourierPass>>;
