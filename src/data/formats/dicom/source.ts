/** @file The bytes of a DICOM data set: of a file, or inflated from one. Both give what is asked for and no more. */

import type { Blob } from "../../../host/platform.ts";
import type { Fail } from "../../../host/bytes/budget.ts";
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

/** Those that a file holds deflated behind a byte: inflated from the start as far as they are wanted, in memory that grows with what arrives. */
export class DeflatedSource implements ByteSource {
  readonly size: number;
  private readonly blob: Blob;
  private readonly fail: Fail;

  constructor(blob: Blob, from: number, fail: Fail) {
    this.blob = blob.slice(from);
    this.size = inflatedLimit(blob.size - from);
    this.fail = fail;
  }

  async prefix(length: number): Promise<Prefix> {
    let bytes = new Uint8Array(Math.min(length, 1 << 16));
    let have = 0;
    try {
      for await (const piece of piecesOf(this.blob.stream().pipeThrough(new DecompressionStream("deflate-raw")))) {
        const taken = piece.subarray(0, length - have);
        if (have + taken.length > bytes.length) {
          const grown = new Uint8Array(Math.max(have + taken.length, Math.min(2 * bytes.length, length)));
          grown.set(bytes.subarray(0, have));
          bytes = grown;
        }
        bytes.set(taken, have);
        have += taken.length;
        if (have === length) return { bytes: bytes.subarray(0, have), whole: false };
      }
    } catch (cause) {
      // The padding byte that makes a file's length even stands behind the deflated data, and some platforms refuse it.
      if (have === 0) throw Object.assign(this.fail("the deflated data set is damaged"), { cause });
    }
    return { bytes: bytes.subarray(0, have), whole: true };
  }

  async range(from: number, length: number): Promise<Uint8Array> {
    const { bytes } = await this.prefix(from + length);
    if (bytes.length < from + length)
      throw this.fail(`${length} bytes from byte ${from} of the deflated data set are wanted, but it has ${bytes.length}`);
    return bytes.subarray(from);
  }
}
