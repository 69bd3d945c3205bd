/**
 * @file What of a step depends only on memory that no step changes: packed weights and the scale and shift of a batch norm in evaluation, where weights are
 * given. It is computed when that memory was written, not in each step.
 */

import { alignUp, type Storage } from "./buffers.ts";
import { type Command, uses, writtenBy } from "./trace.ts";

/** A step in two parts. */
export interface Parted {
  /** To be run when `sources` were written since. */
  readonly first: readonly Command[];
  readonly each: readonly Command[];
  /** What `first` makes for `each`, to be kept between steps. */
  readonly kept: readonly Storage[];
  /** Memory outside of the plan that `first` reads. */
  readonly sources: readonly Storage[];
}

/**
 * Parts the commands of a step; `changing` is memory that each step is given or gives. What is kept takes at most `maxBytes`: what takes most is computed in
 * each step.
 */
export function partSteady(commands: readonly Command[], changing: ReadonlySet<Storage>, maxBytes: number): Parted {
  const moving = new Set([...changing, ...writtenBy(commands)]);
  const made = new Map(commands.flatMap((c, i) => written(c).map((s) => [s, i] as const))); // and when last
  for (;;) {
    const first = steadyCommands(commands, moving, made);
    const readAt = new Map<Storage, number>();
    commands.forEach((c, i) => {
      if (!first.has(c)) for (const { region } of uses(c)) readAt.set(region.storage, readAt.get(region.storage) ?? i);
    });
    const touched = [...new Set([...first].flatMap((c) => uses(c).map(({ region }) => region.storage)))];
    const kept = touched.filter((s) => s.virtual && readAt.has(s)).sort((a, b) => b.bytes - a.bytes);
    // What is written again behind its first reader would come too early.
    const early = kept.find((s) => made.get(s)! > readAt.get(s)!);
    if (!early && kept.reduce((sum, s) => sum + alignUp(s.bytes), 0) <= maxBytes) {
      const each = commands.filter((c) => !first.has(c));
      return { first: [...first], each, kept, sources: touched.filter((s) => !s.virtual) };
    }
    moving.add(early ?? kept[0]);
  }
}

const written = (command: Command): Storage[] =>
  uses(command).flatMap(({ region, access }) => (access === "read" ? [] : [region.storage]));

/** Those that read something, all of it steady, and are the only ones to write what they write. */
function steadyCommands(commands: readonly Command[], moving: Set<Storage>, made: ReadonlyMap<Storage, number>): Set<Command> {
  for (;;) {
    const before = moving.size;
    const steady = commands.filter((command) => {
      const list = uses(command);
      const reads = list.filter(({ access }) => access !== "write");
      const alone = list.every(({ region: { storage } }) => !moving.has(storage) && (!storage.virtual || made.has(storage)));
      if (reads.length > 0 && alone) return true;
      for (const storage of written(command)) moving.add(storage);
      return false;
    });
    if (moving.size === before) return new Set(steady);
  }
}
