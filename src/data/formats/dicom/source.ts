/** @file The bytes of a DICOM data set: of a file, or inflated from one. Both give what is asked for and no more. */

import type { Blob } from "../../../host/platform.ts";
import type { Fail } from "../../../host/bytes/budget.ts";
import { GrowingBytes } from "../../../host/bytes/growing.ts";
import { piecesOf } from "../../../host/bytes/gunzip.ts";
import { inflatedLimit } from "../../../host/bytes/inflate.ts";

/** The first bytes of a source. */
export interface Prefix {
  readonly bytes: Uint8Array;
  /** Whether there are no more. */
  readonly whole: boolean;
}

/** Bytes that are read where they are wanted. */
export interface ByteSource {
  /** No more than so many bytes are there. */
  readonly size: number;
  prefix(length: number): Promise<Prefix>;
  /** @throws FormatError if they are not there */
  range(from: number, length: number): Promise<Uint8Array>;
}

/** Those of a file. */
export class BlobSource implements ByteSource {
  readonly size: number;
  private readonly blob: Blob;
  private readonly fail: Fail;

  constructor(blob: Blob, fail: Fail) {
    this.blob = blob;
    this.size = blob.size;
    this.fail = fail;
  }

  async prefix(length: number): Promise<Prefix> {
    return { bytes: await this.read(0, Math.min(length, this.size)), whole: length >= this.size };
  }

  async range(from: number, length: number): Promise<Uint8Array> {
    if (!(from + length <= this.size))
      throw this.fail(`${length} bytes from byte ${from} are wanted, but the file has ${this.size}; it is cut short`);
    return this.read(from, from + length);
  }

  private async read(from: number, to: number): Promise<Uint8Array> {
    try {
      return new Uint8Array(await this.blob.slice(from, to).arrayBuffer());
    } catch (cause) {
      throw Object.assign(this.fail(`cannot be read: ${(cause as Error).message}`), { cause });
    }
  }
}

/** Times that the data are inflated anew for what lies before the last bytes that were read. */
const mostBegun = 4;

/** Those that a file holds deflated behind a byte: inflated as they are wanted, from the start again for what lies before, in memory that grows with what arrives. */
export class DeflatedSource implements ByteSource {
  readonly size: number;
  private readonly blob: Blob;
  private readonly fail: Fail;
  private turn: Promise<unknown> = Promise.resolve();
  /** What is inflated, where that stands, and what of it has arrived and is not read. */
  private pieces?: AsyncGenerator<Uint8Array>;
  private at = Infinity;
  private rest: Uint8Array = new Uint8Array();
  private begun = 0;
  private whole?: Uint8Array;

  constructor(blob: Blob, from: number, fail: Fail) {
    this.blob = blob.slice(from);
    this.size = inflatedLimit(blob.size - from);
    this.fail = fail;
  }

  async prefix(length: number): Promise<Prefix> {
    const out = new GrowingBytes(length);
    try {
      for await (const piece of piecesOf(this.blob.stream().pipeThrough(new DecompressionStream("deflate-raw")))) {
        out.push(piece);
        if (out.full) return { bytes: out.done, whole: false };
      }
    } catch (cause) {
      // The padding byte that makes a file's length even stands behind the deflated data, and some platforms refuse it.
      if (out.length === 0) throw Object.assign(this.fail("the deflated data set is damaged"), { cause });
    }
    return { bytes: out.done, whole: true };
  }

  /** One request after the other, since each goes on where the one before it ended. */
  range(from: number, length: number): Promise<Uint8Array> {
    const taken = this.turn.then(() => this.take(from, length));
    this.turn = taken.catch(() => undefined);
    return taken;
  }

  private async take(from: number, length: number): Promise<Uint8Array> {
    if (!this.whole && !(this.at <= from)) await this.begin();
    const out = this.whole ? this.whole.slice(from, from + length) : await this.copyOn(from, new GrowingBytes(length));
    if (out.length < length)
      throw this.fail(`${length} bytes from byte ${from} of the deflated data set are wanted, but it has ${from + out.length}`);
    return out;
  }

  /** From the start again; all of it into memory for who goes back more than a few times. */
  private async begin(): Promise<void> {
    await this.pieces?.return(undefined);
    this.pieces = undefined;
    if (++this.begun > mostBegun) this.whole = (await this.prefix(this.size)).bytes;
    else {
      this.pieces = piecesOf(this.blob.stream().pipeThrough(new DecompressionStream("deflate-raw")));
      this.rest = new Uint8Array();
      this.at = 0;
    }
  }

  private async copyOn(from: number, out: GrowingBytes): Promise<Uint8Array> {
    for (;;) {
      const skipped = Math.min(this.rest.length, Math.max(0, from - this.at));
      this.pass(skipped);
      if (this.at >= from) this.pass(out.push(this.rest));
      if (out.full) return out.done;
      // Padding behind the data, which some platforms refuse, ends them as well.
      const next = await this.pieces!.next().catch(() => ({ done: true, value: undefined }) as const);
      if (next.done) return out.done;
      this.rest = next.value;
    }
  }

  private pass(count: number): void {
    this.rest = this.rest.subarray(count);
    this.at += count;
  }
}
