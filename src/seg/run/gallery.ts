/** @file The pictures of the worst and best cases among many that come one by one; only those that may still count are drawn and kept. */

/** A case with its picture. */
export interface GalleryCase {
  readonly id: string;
  readonly score: number;
  /** PNG file. */
  readonly picture: Uint8Array;
}

export class Gallery {
  private readonly most: number;
  private low: GalleryCase[] = [];
  private high: GalleryCase[] = [];

  /** @param most cases of either kind */
  constructor(most = 3) {
    this.most = most;
  }

  /** Takes a case, unless its score is NaN; `draw` is called if it is among the worst or best so far. */
  async add(id: string, score: number, draw: () => Promise<Uint8Array>): Promise<void> {
    if (Number.isNaN(score)) return;
    const worse = this.low.length < this.most || score < this.low[this.low.length - 1].score;
    const better = this.high.length < this.most || score > this.high[this.high.length - 1].score;
    if (!worse && !better) return;
    const item = { id, score, picture: await draw() };
    if (worse) this.low = [...this.low, item].sort((a, b) => a.score - b.score).slice(0, this.most);
    if (better) this.high = [...this.high, item].sort((a, b) => b.score - a.score).slice(0, this.most);
  }

  /** The worst first. Of few cases each is shown once. */
  get worst(): readonly GalleryCase[] {
    return this.low;
  }

  /** The best first, without those that are among the worst. */
  get best(): readonly GalleryCase[] {
    return this.high.filter((c) => !this.low.includes(c));
  }
}
