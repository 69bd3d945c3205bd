/**
 * @file Unpacking bzip2 (Julian Seward's format, version 1.0), block by block: Huffman codes, move to front, the inverse of the Burrows-Wheeler
 * transform, and runs. No platform has it, and a decoder is shorter than what a package for it asks for.
 */

import type { FormatError } from "../errors.ts";
import type { Fail } from "./budget.ts";

/** Most unpacked bytes that are held at a time: a run of four bytes and a count becomes 259. */
const pieceSize = 1 << 16;
const longestCode = 20;

/** Bits, the highest of each byte first. */
class Bits {
  at = 0;
  private held = 0;
  private count = 0;
  private readonly bytes: Uint8Array;
  private readonly fail: Fail;

  constructor(bytes: Uint8Array, fail: Fail) {
    this.bytes = bytes;
    this.fail = fail;
  }

  /** The next bits as a number, at most 24 of them. */
  read(bits: number): number {
    while (this.count < bits) {
      if (this.at >= this.bytes.length) throw this.damaged("ends too early");
      this.held = (this.held << 8) | this.bytes[this.at++];
      this.count += 8;
    }
    this.count -= bits;
    return (this.held >>> this.count) & ((1 << bits) - 1);
  }

  flag(): boolean {
    return this.read(1) === 1;
  }

  word(): number {
    return ((this.read(16) << 16) | this.read(16)) >>> 0;
  }

  /** Streams begin at whole bytes; a byte is held at most, since none is read before it is needed. */
  toWholeByte(): void {
    this.count = 0;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  damaged(what: string): FormatError {
    return this.fail(`the bzip2 data ${what}; the file is cut short or damaged`);
  }
}

/** A canonical Huffman code: for each length the last code, and where its symbols begin. */
interface Code {
  readonly last: Int32Array;
  readonly offset: Int32Array;
  readonly symbols: Uint16Array;
}

function codeOf(lengths: Uint8Array): Code {
  const counts = new Int32Array(longestCode + 1);
  for (const length of lengths) counts[length]++;
  const last = new Int32Array(longestCode + 1).fill(-1);
  const offset = new Int32Array(longestCode + 1);
  const start = new Int32Array(longestCode + 2);
  let code = 0;
  for (let length = 1; length <= longestCode; length++) {
    offset[length] = start[length] - code;
    code += counts[length];
    last[length] = code - 1;
    code <<= 1;
    start[length + 1] = start[length] + counts[length];
  }
  const symbols = new Uint16Array(lengths.length);
  for (let s = 0; s < lengths.length; s++) symbols[start[lengths[s]]++] = s;
  return { last, offset, symbols };
}

function symbolOf(bits: Bits, { last, offset, symbols }: Code): number {
  for (let length = 1, code = 0; length <= longestCode; length++) {
    code = (code << 1) | bits.read(1);
    if (code <= last[length]) {
      const at = code + offset[length];
      if (at < 0 || at >= symbols.length) break;
      return symbols[at];
    }
  }
  throw bits.damaged("have a code that stands for nothing");
}

/** Bytes that occur in a block, in order. */
function usedBytes(bits: Bits): Uint8Array {
  const groups = bits.read(16);
  const used: number[] = [];
  for (let g = 0; g < 16; g++) {
    if (!((groups >> (15 - g)) & 1)) continue;
    const members = bits.read(16);
    for (let k = 0; k < 16; k++) if ((members >> (15 - k)) & 1) used.push(16 * g + k);
  }
  if (used.length === 0) throw bits.damaged("have a block of no bytes");
  return Uint8Array.from(used);
}

/** Which code each fifty symbols have: moved to front, in unary. */
function selectorsOf(bits: Bits, codes: number): Uint8Array {
  const count = bits.read(15);
  if (count === 0) throw bits.damaged("have a block without codes");
  const order = Array.from({ length: codes }, (_, i) => i);
  return Uint8Array.from({ length: count }, () => {
    let at = 0;
    while (bits.flag()) if (++at >= codes) throw bits.damaged("name a code that is not there");
    const [chosen] = order.splice(at, 1);
    order.unshift(chosen);
    return chosen;
  });
}

function lengthsOf(bits: Bits, symbols: number): Uint8Array {
  let length = bits.read(5);
  return Uint8Array.from({ length: symbols }, () => {
    while (true) {
      if (length < 1 || length > longestCode) throw bits.damaged("have a code of a length that there is not");
      if (!bits.flag()) return length;
      length += bits.flag() ? -1 : 1;
    }
  });
}

/** A block before its runs are unpacked: for each place the byte in the low 8 bits, and above them the place that follows. */
interface Block {
  readonly links: Uint32Array;
  readonly length: number;
  readonly first: number;
}

function readBlock(bits: Bits, most: number): Block {
  if (bits.flag()) throw bits.damaged("are of a version before 1.0, which shuffled its bytes");
  const origin = bits.read(24);
  const front = usedBytes(bits);
  const end = front.length + 1;
  const codes = bits.read(3);
  if (codes < 2 || codes > 6) throw bits.damaged(`have ${codes} codes`);
  const selectors = selectorsOf(bits, codes);
  const tables = Array.from({ length: codes }, () => codeOf(lengthsOf(bits, end + 1)));
  let links = new Uint32Array(Math.min(most, 1 << 16));
  let length = 0;
  let run = 0;
  let place = 1;
  for (let n = 0; ; n++) {
    const selector = selectors[Math.floor(n / 50)];
    if (selector === undefined) throw bits.damaged("have more symbols than codes for them");
    const symbol = symbolOf(bits, tables[selector]);
    if (symbol <= 1) {
      // Digits 1 and 2 of a number of base 2, the lowest first.
      run += place << symbol;
      place <<= 1;
      if (run > most) throw bits.damaged("have a block that is too long");
      continue;
    }
    const added = run + (symbol === end ? 0 : 1);
    if (length + added > most) throw bits.damaged("have a block that is too long");
    if (length + added > links.length) {
      const larger = new Uint32Array(Math.min(most, Math.max(2 * links.length, length + added)));
      larger.set(links);
      links = larger;
    }
    links.fill(front[0], length, length + run);
    length += run;
    run = 0;
    place = 1;
    if (symbol === end) break;
    const byte = front[symbol - 1];
    front.copyWithin(1, 0, symbol - 1);
    front[0] = byte;
    links[length++] = byte;
  }
  if (origin >= length) throw bits.damaged("begin behind the end of a block");
  link(links, length);
  return { links, length, first: links[origin] >>> 8 };
}

/** The inverse Burrows-Wheeler transform: place i of the sorted bytes is followed by the place where that byte stood. */
function link(links: Uint32Array, length: number): void {
  const next = new Uint32Array(257);
  for (let i = 0; i < length; i++) next[(links[i] & 255) + 1]++;
  for (let b = 0; b < 256; b++) next[b + 1] += next[b];
  for (let i = 0; i < length; i++) links[next[links[i] & 255]++] |= i << 8;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n << 24;
  for (let k = 0; k < 8; k++) c = c & 0x80000000 ? (c << 1) ^ 0x04c11db7 : c << 1;
  return c;
});

/** The bytes of a block in pieces, checked at its end. */
function* bytesOf({ links, length, first }: Block, checksum: number, bits: Bits): Generator<Uint8Array> {
  let piece = new Uint8Array(pieceSize + 256);
  let n = 0;
  let crc = 0xffffffff;
  let before = -1;
  let same = 0;
  for (let i = 0, at = first; i < length; i++) {
    const byte = links[at] & 255;
    at = links[at] >>> 8;
    // Behind four equal bytes stands how many more of them there are.
    const counted = same === 4;
    const repeated = counted ? byte : 1;
    const value = counted ? before : byte;
    for (let k = 0; k < repeated; k++) {
      piece[n++] = value;
      crc = (crc << 8) ^ crcTable[(crc >>> 24) ^ value];
    }
    same = counted ? 0 : byte === before ? same + 1 : 1;
    before = counted ? -1 : byte;
    if (n >= pieceSize) {
      yield piece.subarray(0, n);
      piece = new Uint8Array(pieceSize + 256);
      n = 0;
    }
  }
  if (~crc >>> 0 !== checksum) throw bits.damaged("do not have the checksum that they say");
  if (n > 0) yield piece.subarray(0, n);
}

/**
 * The unpacked bytes of bzip2 data in pieces of some 64 KiB; streams one behind the other are read as one.
 * @throws FormatError (by `fail`) for damaged data
 */
export function* bunzip2(bytes: Uint8Array, fail: Fail): Generator<Uint8Array> {
  const bits = new Bits(bytes, fail);
  do {
    const level = bits.read(24) === 0x425a68 ? bits.read(8) - 48 : 0;
    if (level < 1 || level > 9) throw bits.damaged("do not begin as bzip2 does");
    let combined = 0;
    while (true) {
      const magic = [bits.read(24), bits.read(24)];
      const checksum = bits.word();
      if (magic[0] === 0x314159 && magic[1] === 0x265359) {
        combined = ((combined << 1) | (combined >>> 31)) ^ checksum;
        yield* bytesOf(readBlock(bits, level * 100_000), checksum, bits);
      } else if (magic[0] === 0x177245 && magic[1] === 0x385090) {
        if (combined >>> 0 !== checksum) throw bits.damaged("do not have the checksum that they say");
        break;
      } else throw bits.damaged("have neither a block nor an end where one must be");
    }
    bits.toWholeByte();
  } while (bits.left > 0);
}
