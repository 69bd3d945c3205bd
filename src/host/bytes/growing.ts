/** @file Memory that grows with what arrives, so that a file which promises more than it has gets no more than that. */

/** Bytes that grow as they are written, up to a bound. */
export class GrowingBytes {
  bytes: Uint8Array;
  length = 0;
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
    this.bytes = new Uint8Array(Math.min(most, 1 << 12));
  }

  get full(): boolean {
    return this.length >= this.most;
  }

  /** Makes room for so many bytes behind the others, or as many as fit. @returns how many */
  room(count: number): number {
    const n = Math.min(count, this.most - this.length);
    if (this.length + n > this.bytes.length) {
      const next = new Uint8Array(Math.min(this.most, Math.max(2 * this.bytes.length, this.length + n)));
      next.set(this.bytes.subarray(0, this.length));
      this.bytes = next;
    }
    return n;
  }

  /** Adds of `part` what fits. @returns how many bytes */
  push(part: Uint8Array): number {
    const n = this.room(part.length);
    this.bytes.set(part.subarray(0, n), this.length);
    this.length += n;
    return n;
  }

  get done(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}
