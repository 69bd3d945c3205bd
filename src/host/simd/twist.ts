/** @file Steps of the generator MT19937, four words at a time. */
import { bits, type Code, get, here, i32, i32x4, type Kernel, load, next, set, store, whileBelow } from "./assembler.ts";
import { lanesOf } from "./chunks.ts";
import { places } from "./places.ts";

/**
 * The next 624 words behind those in the first chunk; what is given out of them goes to the second. In a row of words, each comes of those 624, 623 and 227
 * places before: four at a time need none of each other.
 */
const twist: Kernel<(from: number, to: number) => void> = () => {
  const [x, y] = [2, 3];
  const word = (n: number): Code => i32x4.splat(i32.of(n | 0));
  const right = (v: Code, n: number): Code => i32x4.shiftRightUnsigned(v, i32.of(n));
  const left = (v: Code, n: number): Code => i32x4.shiftLeft(v, i32.of(n));
  const mix = (step: Code): Code => set(x, bits.xor(get(x), step));
  const odd = i32x4.sub(word(0), bits.and(get(y), word(1)));
  return {
    parameters: ["i32", "i32"],
    variables: ["v128", "v128"],
    body: whileBelow(here, get(1), [
      ...set(y, bits.or(bits.and(load(here), word(0x80000000)), bits.and(load(here, 4), word(0x7fffffff)))),
      ...set(x, bits.xor(load(here, 4 * 397), bits.xor(right(get(y), 1), bits.and(odd, word(0x9908b0df))))),
      ...store(here, get(x), 4 * 624),
      ...mix(right(get(x), 11)),
      ...mix(bits.and(left(get(x), 7), word(0x9d2c5680))),
      ...mix(bits.and(left(get(x), 15), word(0xefc60000))),
      ...mix(right(get(x), 18)),
      ...store(here, get(x), places.second),
      ...next,
    ]),
  };
};

const lanesFor = /* @__PURE__ */ lanesOf({ twist });

/**
 * The next state of a generator that has `drawn` words in all, in the place of the last one, and the words that it gives out; false where these are few, and
 * where the kernels are not to be had.
 */
export function twistInLanes(key: Uint32Array, words: Uint32Array, drawn: number): boolean {
  const lanes = lanesFor(drawn);
  if (!lanes) return false;
  const { kernels, memory } = lanes;
  const at = (place: number) => new Uint32Array(memory.buffer, place, key.length);
  at(places.first).set(key);
  kernels.twist(places.first, places.first + key.byteLength);
  key.set(at(places.first + key.byteLength));
  words.set(at(places.second));
  return true;
}
