/**
 * @file Copies that a plan does without: the source is produced where the copy would put it, and whoever reads it reads it there. So a gradient lands in the
 * optimizer's flat buffer, and what is concatenated is made side by side, in each sample if there are several and all kernels can be told how far apart they lie.
 */

import { alignment, type Storage } from "./buffers.ts";
import { type Command, elementBytes, type Region, type Runs, spread, uses } from "./trace.ts";

/** What a command does with the bytes of a storage. */
interface Visit {
  /** Place of the command. */
  readonly at: number;
  readonly offset: number;
  readonly bytes: number;
  readonly write: boolean;
  readonly runs: Runs | undefined;
  /** By a kernel. */
  readonly bound: boolean;
}

function visitsOf(commands: readonly Command[]): Map<Storage, Visit[]> {
  const map = new Map<Storage, Visit[]>();
  commands.forEach((command, at) => {
    for (const { region, access } of uses(command)) {
      const list = map.get(region.storage) ?? [];
      map.set(region.storage, list);
      const { offset, bytes, runs } = region;
      list.push({ at, offset, bytes, runs, write: access !== "read", bound: command.kind === "run" });
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

type Span = Omit<Region, "storage">;

/** Whether two share bytes: parts of each sample share none if those of the first sample do not. */
function touch(v: Span, to: Span): boolean {
  const pitch = to.runs?.pitch ?? 0;
  // What is no run is of one sample.
  const run = ({ bytes, runs }: Span) => runs?.bytes ?? bytes;
  const ofSamples = [v, to].every((s) => (s.runs?.pitch ?? pitch) === pitch && s.offset + run(s) <= pitch);
  const [a, b] = [v, to].map((s) => (ofSamples ? run(s) : s.bytes));
  return v.offset < to.offset + b && to.offset < v.offset + a;
}

/** Whether a kernel binds all of a storage, and so could bind any part of it. */
const isBound = (visits: readonly Visit[], { bytes }: Storage): boolean =>
  visits.some((v) => v.bound && v.offset === 0 && v.bytes >= bytes);

/** Whether samples that lie one behind the other may lie farther apart: all commands have to know. Kernels read four elements at once. */
function spreads(part: readonly Visit[], { runs, offset }: Region, whole: readonly Visit[], storage: Storage): boolean {
  if (!runs || runs.pitch === runs.bytes) return true;
  const known = part.every((v) => {
    const samples = v.runs === undefined || (v.runs.count === runs.count && v.runs.pitch === runs.bytes);
    return samples && v.offset + (v.runs?.bytes ?? v.bytes) <= runs.bytes;
  });
  return (
    known && [runs.pitch, runs.bytes].every((b) => b % 16 === 0) && offset + runs.bytes <= runs.pitch && isBound(whole, storage)
  );
}

/** A region of a part as one of the whole that the part lives in. */
function within({ storage, offset, runs: samples }: Region, { offset: at, bytes, runs }: Span): Region {
  const pitch = samples && samples.pitch > samples.bytes ? samples.pitch : runs?.pitch;
  return { storage, offset: offset + at, ...(runs ? spread({ ...runs, pitch: pitch! }) : { bytes, runs }) };
}

/** Whether all of `part` may live in the bytes `to` of a whole, between which command `at` copies. What is copied to them first is there from its first use on. */
function fits(part: readonly Visit[], whole: readonly Visit[], to: Region, at: number): boolean {
  const ends = part.map((v) => v.at);
  const [first, last] = [Math.min(at, ...ends), Math.max(at, ...ends)];
  for (const v of whole) {
    const meets = touch(v, to);
    if (!meets || v.at < first || v.at > last) continue;
    if (v.at < at || v.write) return false; // another value is, or comes, there
  }
  return !bindsBothWays(part, whole);
}

/** The call told how far apart the samples of its tensors are. */
function told(command: Extract<Command, { kind: "run" }>): Command {
  const { call, regions } = command;
  const apart = regions.flatMap(({ runs }, i) => (runs && runs.pitch > runs.bytes ? [[i, runs.pitch] as const] : []));
  if (apart.length === 0) return command;
  const params = call.params!.slice();
  for (const [i, pitch] of apart) params[call.pitches![i]!] = pitch / elementBytes(call.bindings[i]);
  return { ...command, call: { ...call, params } };
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
    return to ? moved(within(to, r)) : r;
  };

  /** Lets `storage` live in `to`, whose bytes command `at` copies from it, or to it. */
  const join = (storage: Storage, to: Region, at: number, written: boolean): boolean => {
    if (!storage.virtual || pinned.has(storage) || alias.has(storage) || to.storage === storage) return false;
    if (to.offset % alignment !== 0 || (to.storage.virtual && !joins)) return false;
    const others = (s: Storage): Visit[] => visits.get(s)!.filter((v) => v.at !== at);
    const [part, whole] = [others(storage), others(to.storage)];
    // What is written before the copy is its source, or is thrown away; what is written behind it would be a second value.
    if (part.some((v) => v.write && v.at < at) && !written) return false;
    if (part.some((v) => v.write && v.at > at) && (written || !isLastOf(whole, to, at))) return false;
    if (!spreads(part, to, whole, to.storage) || !fits(part, whole, to, at)) return false;
    alias.set(storage, to);
    dropped.add(at);
    visits.set(to.storage, [...whole, ...part.map((v) => ({ ...v, ...within(to, v) }))]);
    return true;
  };

  // Whether nobody wants these bytes behind the copy, so that what has the copy may change them.
  const isLastOf = (whole: readonly Visit[], to: Region, at: number): boolean =>
    to.storage.virtual && !pinned.has(to.storage) && !whole.some((v) => v.at > at && touch(v, to));

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
        ? told({ ...command, regions: command.regions.map(moved) })
        : { ...command, source: moved(command.source), target: moved(command.target) },
    );
}
