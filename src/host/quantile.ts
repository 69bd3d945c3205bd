/**
 * @file Order statistics without sorting. Floats are ordered by their bits once the sign is folded in, so counting 16 bits at a time finds the k-th
 * smallest in two passes over float32 and four over float64, for any number of ranks and however often a value repeats.
 */

type Floats = Float32Array | Float64Array;

const bins = 1 << 16;

/** The elements of the given ranks (0 = smallest) of an unsorted array without NaN; −0 comes before 0. */
export function selectRanks(values: Floats, ranks: readonly number[]): number[] {
  const digits = values instanceof Float32Array ? float32Digits(values) : float64Digits(values);
  let groups: Group[] = [{ prefix: [], below: 0, ranks: [...new Set(ranks)] }];
  const found = new Map<number, number>();
  const counts = new Uint32Array(bins);
  for (let level = 0; level < digits.levels; level++) {
    const next: Group[] = [];
    for (const group of groups) {
      counts.fill(0);
      digits.count(group.prefix, counts);
      split(group, counts, next);
    }
    groups = next;
  }
  for (const { prefix, ranks: own } of groups) for (const rank of own) found.set(rank, digits.value(prefix));
  return ranks.map((rank) => found.get(rank)!);
}

/** Elements that begin with the digits `prefix`; `below` others are smaller. */
interface Group {
  readonly prefix: readonly number[];
  readonly below: number;
  readonly ranks: readonly number[];
}

/** Finds the digit that the element of each rank goes on with. */
function split({ prefix, below, ranks }: Group, counts: Uint32Array, out: Group[]): void {
  const ordered = [...ranks].sort((a, b) => a - b);
  let seen = below;
  for (let bin = 0, at = 0; bin < bins && at < ordered.length; bin++) {
    const end = seen + counts[bin];
    const from = at;
    while (at < ordered.length && ordered[at] < end) at++;
    if (at > from) out.push({ prefix: [...prefix, bin], below: seen, ranks: ordered.slice(from, at) });
    seen = end;
  }
}

interface Digits {
  readonly levels: number;
  /** Counts the next digit of the elements that begin with `prefix`. */
  count(prefix: readonly number[], counts: Uint32Array): void;
  value(digits: readonly number[]): number;
}

// Positive floats grow with their bits and negative ones shrink: flipping the sign of the first and all bits of the second gives one ascending order.
const fold = (word: number): number => word ^ ((word >> 31) | 0x80000000);
const unfold = (word: number): number => (word & 0x80000000 ? word ^ 0x80000000 : ~word);

function float32Digits(values: Float32Array): Digits {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  return {
    levels: 2,
    count([high], counts) {
      if (high === undefined) for (let i = 0; i < words.length; i++) counts[fold(words[i]) >>> 16]++;
      else countLow(words, high, counts);
    },
    value: ([high, low]) => new Float32Array(Int32Array.of(unfold((high << 16) | low)).buffer)[0],
  };
}

function countLow(words: Int32Array, high: number, counts: Uint32Array): void {
  for (let i = 0; i < words.length; i++) {
    const folded = fold(words[i]);
    if (folded >>> 16 === high) counts[folded & 0xffff]++;
  }
}

function float64Digits(values: Float64Array): Digits {
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  return {
    levels: 4,
    count(prefix, counts) {
      for (let i = 0; i < words.length; i += 2) {
        const sign = words[i + 1] >> 31;
        const high = words[i + 1] ^ (sign | 0x80000000);
        const low = words[i] ^ sign;
        if (prefix.length > 0 && high >>> 16 !== prefix[0]) continue;
        if (prefix.length > 1 && (high & 0xffff) !== prefix[1]) continue;
        if (prefix.length > 2 && low >>> 16 !== prefix[2]) continue;
        const digit = prefix.length === 0 ? high >>> 16 : prefix.length === 1 ? high : prefix.length === 2 ? low >>> 16 : low;
        counts[digit & 0xffff]++;
      }
    },
    value([a, b, c, d]) {
      const high = (a << 16) | b;
      const low = (c << 16) | d;
      const positive = (high & 0x80000000) !== 0;
      return new Float64Array(Int32Array.of(positive ? low : ~low, unfold(high)).buffer)[0];
    },
  };
}
