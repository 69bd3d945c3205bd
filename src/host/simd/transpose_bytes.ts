/** @file A kernel that turns squares of eight rows of eight bytes: rows become columns. */
import {
  type Code,
  type Kernel,
  get,
  here,
  i32,
  load64,
  set,
  shuffle,
  store64,
  type ValueType,
  whileBelow,
} from "./assembler.ts";
import type { Transpose } from "./mixing.ts";

/** Bytes of the first or the last halves of two vectors, in turns. */
const between = (a: number, b: number, half: 0 | 1): Code => {
  const places = Array.from({ length: 16 }, (_, i) => 8 * half + (i >> 1) + 16 * (i % 2));
  return shuffle(get(a), get(b), places);
};

/** `transpose` of mixing.ts with squares of eight bytes. */
export const transposeBytes: Kernel<Transpose> = () => {
  const [end, apart, stepBy, to, toApart, toStep] = [1, 2, 3, 4, 5, 6];
  const [r, at] = [7, 15];
  const step = (local: number, by: Code): Code => set(local, i32.add(get(local), by));
  return {
    parameters: new Array<ValueType>(7).fill("i32"),
    variables: [...new Array<ValueType>(8).fill("v128"), "i32"],
    body: whileBelow(here, get(end), [
      ...set(at, here),
      ...Array.from({ length: 8 }, (_, k) => [...set(r + k, load64(get(at))), ...step(at, get(apart))]).flat(),
      // Rows k and k + 4, then every second one, then all: four vectors of two columns each.
      ...[0, 1, 2, 3].flatMap((k) => set(r + k, between(r + k, r + k + 4, 0))),
      ...set(r + 4, between(r, r + 2, 0)),
      ...set(r + 5, between(r, r + 2, 1)),
      ...set(r + 6, between(r + 1, r + 3, 0)),
      ...set(r + 7, between(r + 1, r + 3, 1)),
      ...set(r, between(r + 4, r + 6, 0)),
      ...set(r + 1, between(r + 4, r + 6, 1)),
      ...set(r + 2, between(r + 5, r + 7, 0)),
      ...set(r + 3, between(r + 5, r + 7, 1)),
      ...set(at, get(to)),
      ...Array.from({ length: 8 }, (_, k) => [
        ...store64(get(at), get(r + (k >> 1)), (k % 2) as 0 | 1),
        ...step(at, get(toApart)),
      ]).flat(),
      ...step(0, get(stepBy)),
      ...step(to, get(toStep)),
    ]),
  };
};
