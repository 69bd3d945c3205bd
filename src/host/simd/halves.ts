/**
 * @file Kernels between real lines and what a Fourier transform takes two of them as, the real and the imaginary parts of a complex one, and between that
 * one's spectrum and the halves of theirs. Complex values are float64, imaginary parts `distance` bytes behind real ones; all else is float32, of two lines
 * in turns.
 */
import {
  type Code,
  f32x4,
  f64,
  f64x2,
  type Kernel,
  get,
  here,
  i32,
  load,
  set,
  shuffleWords,
  step,
  store,
  type ValueType,
  whileBelow,
} from "./assembler.ts";

const { add, sub, mul } = f64x2;
const advance = (...locals: number[]): Code => locals.flatMap((local) => step(local, i32.of(16)));
const behind = (local: number, distance: number): Code => i32.add(get(local), get(distance));

/** Of four elements the first and third, or the others. */
const first = (v: Code): Code => f64x2.ofF32(shuffleWords(v, v, [0, 2, 0, 2]));
const second = (v: Code): Code => f64x2.ofF32(shuffleWords(v, v, [1, 3, 1, 3]));
const inTurns = (a: Code, b: Code): Code => shuffleWords(f32x4.ofF64(a), f32x4.ofF64(b), [0, 4, 1, 5]);

/** Two real lines become a complex one. */
export const splitPairs: Kernel<(from: number, end: number, to: number, distance: number) => void> = () => {
  const [end, to, distance] = [1, 2, 3];
  return {
    parameters: new Array<ValueType>(4).fill("i32"),
    body: whileBelow(here, get(end), [
      ...store(get(to), first(load(here))),
      ...store(behind(to, distance), second(load(here))),
      ...advance(0, to),
    ]),
  };
};

/** Imaginary and real parts, in this order, times a factor. */
export const joinPairs: Kernel<(from: number, end: number, distance: number, to: number, scale: number) => void> = () => {
  const [end, distance, to, scale, factor] = [1, 2, 3, 4, 5];
  return {
    parameters: ["i32", "i32", "i32", "i32", "f64"],
    variables: ["v128"],
    body: [
      ...set(factor, f64x2.splat(get(scale))),
      ...whileBelow(here, get(end), [
        ...store(get(to), inTurns(mul(load(behind(0, distance)), get(factor)), mul(load(here), get(factor)))),
        ...advance(0, to),
      ]),
    ],
  };
};

/** A frequency of the spectra of two real lines from that of the complex one, at `here`, and its mirror image; imaginary parts are `apart` behind. */
export const halfSpectra: Kernel<
  (from: number, end: number, mirror: number, distance: number, to: number, apart: number) => void
> = () => {
  const [end, mirror, distance, to, apart] = [1, 2, 3, 4, 5];
  const [re, im, mirrorRe, mirrorIm] = [6, 7, 8, 9];
  const half = (v: Code): Code => mul(v, f64x2.splat(f64.of(0.5)));
  return {
    parameters: new Array<ValueType>(6).fill("i32"),
    variables: new Array<ValueType>(4).fill("v128"),
    body: whileBelow(here, get(end), [
      ...set(re, load(here)),
      ...set(im, load(behind(0, distance))),
      ...set(mirrorRe, load(get(mirror))),
      ...set(mirrorIm, load(behind(mirror, distance))),
      ...store(get(to), inTurns(half(add(get(re), get(mirrorRe))), half(add(get(im), get(mirrorIm))))),
      ...store(behind(to, apart), inTurns(half(sub(get(im), get(mirrorIm))), half(sub(get(mirrorRe), get(re))))),
      ...advance(0, mirror, to),
    ]),
  };
};

/** The other way around, with real and imaginary parts exchanged, which turns the direction of the transform around; where both are one, `to` counts. */
export const wholeSpectra: Kernel<
  (from: number, end: number, apart: number, to: number, mirror: number, distance: number) => void
> = () => {
  const [end, apart, to, mirror, distance] = [1, 2, 3, 4, 5];
  const [aRe, bRe, aIm, bIm] = [6, 7, 8, 9];
  return {
    parameters: new Array<ValueType>(6).fill("i32"),
    variables: new Array<ValueType>(4).fill("v128"),
    body: whileBelow(here, get(end), [
      ...set(aRe, first(load(here))),
      ...set(bRe, second(load(here))),
      ...set(aIm, first(load(behind(0, apart)))),
      ...set(bIm, second(load(behind(0, apart)))),
      ...store(get(mirror), sub(get(bRe), get(aIm))),
      ...store(behind(mirror, distance), add(get(aRe), get(bIm))),
      ...store(get(to), add(get(aIm), get(bRe))),
      ...store(behind(to, distance), sub(get(aRe), get(bIm))),
      ...advance(0, to, mirror),
    ]),
  };
};
