/** @file Labels that somebody should look at: classes that a run cannot learn or cannot score, since no case on that side has them, and what was odd when they were read. */

import { foregroundOf, type LabelClass } from "../../data/labels.ts";
import { listed } from "./odd_cases.ts";

/** Looks at labels as they are read. */
export class OddLabels {
  private readonly labels: readonly LabelClass[];
  private readonly trained = new Set<number>();
  private readonly validated = new Set<number>();
  /** Cases whose labels were seen, to train on and to validate on. */
  private readonly seen = { trained: 0, validated: 0 };
  private readonly toldOf = new Map<string, string[]>();

  constructor(labels: readonly LabelClass[]) {
    this.labels = foregroundOf(labels);
  }

  /**
   * @param label its values
   * @param trains whether the case is one to train on
   * @param validates whether it is one to validate on
   */
  add(label: ArrayLike<number>, trains: boolean, validates: boolean): void {
    const values = new Set<number>();
    for (let i = 0, last = NaN; i < label.length; i++) if (label[i] !== last) values.add((last = label[i]));
    for (const [side, on] of [
      ["trained", trains],
      ["validated", validates],
    ] as const) {
      if (!on) continue;
      this.seen[side]++;
      for (const v of values) this[side].add(v);
    }
  }

  /** Takes what was odd when the label of a case was drawn: contours in another frame of reference or beyond the image, structures that are not there. */
  addNotes(id: string, notes: readonly string[]): void {
    for (const note of notes) {
      const ids = this.toldOf.get(note);
      if (ids) ids.push(id);
      else this.toldOf.set(note, [id]);
    }
  }

  /** A sentence for each thing that is odd. */
  get notes(): string[] {
    const without = (found: ReadonlySet<number>): string[] =>
      this.labels.filter(({ values }) => !values.some((v) => found.has(v))).map(({ name }) => name);
    const unlearned = this.seen.trained > 0 ? without(this.trained) : [];
    const unscored = this.seen.validated > 0 ? without(this.validated).filter((name) => !unlearned.includes(name)) : [];
    const note = (names: readonly string[], side: string, end: string): string[] =>
      names.length === 0 ? [] : [`warning: no ${side} case has a voxel of ${listed(names)}: ${end}`];
    const told = [...this.toldOf].map(([text, ids]) => `warning: labels of ${listed(ids)}: ${text}`);
    return [
      ...told,
      ...note(unlearned, "training", "it cannot be learned"),
      ...note(unscored, "validation", "nothing will score it"),
    ];
  }
}
