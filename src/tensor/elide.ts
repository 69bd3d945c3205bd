/**
 * @file Copies that a plan does without: the source is produced where the copy would put it, and whoever reads it reads it there. So a gradient lands in the
 * optimizer's flat buffer, and what is concatenated along the first axis longer than 1 (channels of one sample) is made side by side.
 */

import { alignment, type Storage } from "./buffers.ts";
import { type Command, type Region, uses } from "./trace.ts";

/** What a command does with the bytes of a storage. */
interface Visit {
  /** Place of the command. */
  readonly at: number;
  readonly offset: number;
  readonly bytes: number;
  readonly write: boolean;
}

function visitsOf(commands: readonly Command[]): Map<Storage, Visit[]> {
  const map = new Map<Storage, Visit[]>();
  commands.forEach((command, at) => {
    for (const { region, access } of uses(command)) {
      const list = map.get(region.storage) ?? [];
      map.set(region.storage, list);
      list.push({ at, offset: region.offset, bytes: region.bytes, write: access !== "read" });
    }
  });
  return map;
}

/** WebGPU forbids one buffer bound readable and writable in one dispatch, even in disjoint ranges. */
function bindsBothWays(source: readonly Visit[], target: readonly Visit[]): boolean {
  const reads = new Set<number>();
  const writes = new Set<number>();
  for (const { at, write } of target) (write ? writes : reads).add(at);
  return source.some(({ at, write }) => (write ? reads : writes).has(at));
}

/** Whether all of `part` may live in the bytes `to` of a whole, between which command `at` copies. What is copied to them first is there from its first use on. */
function fits(part: readonly Visit[], whole: readonly Visit[], to: Region, at: number): boolean {
  const ends = part.map((v) => v.at);
  const [first, last] = [Math.min(at, ...ends), Math.max(at, ...ends)];
  for (const v of whole) {
    const meets = v.offset < to.offset + to.bytes && to.offset < v.offset + v.bytes;
    if (!meets || v.at < first || v.at > last) continue;
    if (v.at < at || v.write) return false; // another value is, or comes, there
  }
  return !bindsBothWays(part, whole);
}

const isWhole = ({ storage, offset, bytes }: Region): boolean => offset === 0 && bytes >= storage.bytes;

/**
 * Drops copies of a whole storage to a part of another, or the other way, where one can be the other; returns the commands that remain. `pinned` are results,
 * which keep their memory. Only with `joins` is it memory of the plan that has the part: then it has to be there for as long as either.
 */
export function elideCopies(commands: readonly Command[], pinned: ReadonlySet<Storage>, joins: boolean): Command[] {
  const visits = visitsOf(commands);
  const alias = new Map<Storage, Region>();
  const dropped = new Set<number>();

  const moved = (r: Region): Region => {
    const to = alias.get(r.storage);
    return to ? moved({ storage: to.storage, offset: to.offset + r.offset, bytes: r.bytes }) : r;
  };

  /** Lets `storage` live in `to`, whose bytes command `at` copies from it, or to it. */
  const join = (storage: Storage, to: Region, at: number, written: boolean): boolean => {
    if (!storage.virtual || pinned.has(storage) || alias.has(storage) || to.storage === storage) return false;
    if (to.offset % alignment !== 0 || (to.storage.virtual && !joins)) return false;
    const others = (s: Storage): Visit[] => visits.get(s)!.filter((v) => v.at !== at);
    const [part, whole] = [others(storage), others(to.storage)];
    // What is written before the copy is its source, or is thrown away; what is written behind it would be a second value.
    if (part.some((v) => v.write && (written ? v.at > at : true))) return false;
    if (!fits(part, whole, to, at)) return false;
    alias.set(storage, to);
    dropped.add(at);
    visits.set(to.storage, [...whole, ...part.map((v) => ({ ...v, offset: v.offset + to.offset }))]);
    return true;
  };

  commands.forEach((command, at) => {
    if (command.kind !== "copy") return;
    const [source, target] = [moved(command.source), moved(command.target)];
    if (isWhole(command.source) && join(command.source.storage, target, at, true)) return;
    if (isWhole(command.target)) join(command.target.storage, source, at, false);
  });

  return commands
    .filter((_, i) => !dropped.has(i))
    .map((command) =>
      command.kind === "run"
        ? { ...command, regions: command.regions.map(moved) }
        : { ...command, source: moved(command.source), target: moved(command.target) },
    );
}
