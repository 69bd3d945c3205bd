/** @file numpy's shuffle: from the last item on, each changes places with one before it or itself; words are drawn and masked in blocks. */

import type { MT19937 } from "./mt19937.ts";

/** Words that are drawn at a time, and the indices that they become; the indices that are shuffled are below 2^32. */
const wordsAtOnce = 512;
export const drawnWords = new Uint32Array(wordsAtOnce);
const indices = new Uint32Array(wordsAtOnce);

/**
 * Masked words up to `last`, then up to one less, and so on; gives how many. The next one in the place of one that is rejected: a branch on chance would be
 * guessed wrong as often.
 */
function acceptedIndices(words: Uint32Array, mask: number, last: number): number {
  let count = 0;
  for (let k = 0; k < words.length; k++) {
    const index = (words[k] & mask) >>> 0;
    indices[count] = index;
    count += Number(index <= last - count);
  }
  return count;
}

function exchange<T>(items: T[], last: number, count: number): void {
  for (let k = 0; k < count; k++) {
    const held = items[last - k];
    items[last - k] = items[indices[k]];
    items[indices[k]] = held;
  }
}

/** The same with a list of one kind: the engine compiles each for what it sees. */
function exchangeWords(items: Int32Array, last: number, count: number): void {
  for (let k = 0; k < count; k++) {
    const held = items[last - k];
    items[last - k] = items[indices[k]];
    items[indices[k]] = held;
  }
}

/** Shuffles in place. */
export function shuffle<T>(generator: MT19937, items: T[] | Int32Array): void {
  for (let last = items.length - 1; last > 0;) {
    const mask = 0xffffffff >>> Math.clz32(last);
    // As many words as are drawn at least until the mask, or the list, ends.
    const words = drawnWords.subarray(0, Math.min(wordsAtOnce, last - (mask >>> 1)));
    generator.fill(words);
    const count = acceptedIndices(words, mask, last);
    if (Array.isArray(items)) exchange(items, last, count);
    else exchangeWords(items, last, count);
    last -= count;
  }
}
