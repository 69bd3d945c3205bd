/**
 * @file From a trace to a plan. A trace is a list of dispatches and copies on storages that have a size but no memory. The plan places
 * them: storages whose lives do not overlap share a buffer, the largest first.
 * A placed storage has a buffer of its own for its whole life, because WebGPU forbids one buffer bound writable and read-only in one
 * dispatch, even in disjoint ranges.
 */

import { alignUp, Storage } from "./buffers.ts";
import { sizeOf } from "../host/array.ts";
import type { Access, Binding, Bound, KernelCall } from "./kernel.ts";
import { type CopiedRuns, expectCopy, type Stream } from "./stream.ts";

/** Part of a storage that a command touches. */
export interface Region {
  storage: Storage;
  offset: number;
  /** From the first to the last that is touched. */
  bytes: number;
  /** Where only runs of them are, or where they are all but the command could do with runs that lie farther apart: one for each sample. */
  runs?: Runs | undefined;
}

/** Runs of `bytes`, which begin `pitch` bytes one behind the other. */
export interface Runs {
  readonly count: number;
  readonly bytes: number;
  readonly pitch: number;
}

export type Command = { kind: "run"; call: KernelCall; regions: Region[] } | { kind: "copy"; source: Region; target: Region };

/** Records instead of running. Tensors made while it is the device's stream are virtual. */
export class TraceStream implements Stream {
  readonly commands: Command[] = [];
  /** Real storages that the commands use, pinned when first seen: a scope inside the function may free constants before the plan exists. */
  readonly outside = new Set<Storage>();
  private readonly made = new Set<Storage>();
  private readonly dates = new Map<Storage, number>();

  allocate(bytes: number): Storage {
    const storage = new Storage(bytes);
    this.made.add(storage);
    return storage;
  }

  run(call: KernelCall): void {
    const regions = call.bindings.map((b, i) => ({ ...this.region(b.tensor), runs: samplesOf(call, i) }));
    this.commands.push({ kind: "run", call, regions });
    for (const { tensor, access } of call.bindings) if (access !== "read") this.touch(tensor.storage);
  }

  copy(source: Bound, target: Bound, targetOffset: number, runs?: CopiedRuns): void {
    if (source.bytes === 0) return;
    expectCopy(source, target);
    this.touch(target.storage);
    const from = this.region(source);
    const to = this.region(target);
    this.commands.push({
      kind: "copy",
      source: { ...from, ...(runs && spread({ ...runs, pitch: runs.from })) },
      target: {
        storage: to.storage,
        offset: to.offset + targetOffset,
        bytes: from.bytes,
        ...(runs && spread({ ...runs, pitch: runs.to })),
      },
    });
  }

  /** Nothing has run yet: what is outside was not written. */
  finish(): void {
    for (const [storage, changed] of this.dates) storage.changed = changed;
  }

  // Within the trace the order of writes counts as everywhere.
  private touch(storage: Storage): void {
    if (!storage.virtual && !this.dates.has(storage)) this.dates.set(storage, storage.changed);
    storage.touch();
  }

  private region({ storage, byteOffset, bytes }: Bound): Region {
    // Memory of another trace would be placed like scratch: its values are not there.
    if (storage.virtual && !this.made.has(storage)) storage.memory();
    if (!storage.virtual && !this.outside.has(storage)) this.outside.add(storage.pin());
    return { storage, offset: byteOffset, bytes: Math.max(4, bytes) };
  }
}

/** What runs are, and the bytes from the first to the last. */
export const spread = ({ count, bytes, pitch }: Runs) => ({ bytes: (count - 1) * pitch + bytes, runs: { count, bytes, pitch } });

/** Bytes of an element of a binding. */
export const elementBytes = ({ tensor }: Binding): number => tensor.bytes / Math.max(1, sizeOf(tensor.shape));

/** The samples of a binding, where the kernel is told how far apart they are and there are several. */
function samplesOf(call: KernelCall, i: number): Runs | undefined {
  const word = call.pitches?.[i];
  if (word === undefined) return undefined;
  const elements = sizeOf(call.bindings[i].tensor.shape);
  const pitch = call.params![word];
  const count = elements / pitch;
  if (!(Number.isInteger(count) && count > 1)) return undefined;
  const bytes = pitch * elementBytes(call.bindings[i]);
  return { count, bytes, pitch: bytes };
}

/** A region and what is done with it. */
export interface Use {
  region: Region;
  access: Access;
}

/** The regions that a command touches, and how. */
export function uses(command: Command): Use[] {
  if (command.kind === "run") return command.regions.map((region, i) => ({ region, access: command.call.bindings[i].access }));
  return [
    { region: command.source, access: "read" },
    { region: command.target, access: "write" },
  ];
}

/** Memory outside of the trace that the commands write. */
export function writtenBy(commands: readonly Command[]): Set<Storage> {
  const writes = commands.flatMap((c) => uses(c).filter(({ region, access }) => access !== "read" && !region.storage.virtual));
  return new Set(writes.map(({ region }) => region.storage));
}

interface Life {
  first: number;
  last: number;
}

function lives(commands: readonly Command[]): Map<Storage, Life> {
  const map = new Map<Storage, Life>();
  commands.forEach((command, i) => {
    for (const { region } of uses(command)) {
      const life = map.get(region.storage);
      if (life) life.last = i;
      else map.set(region.storage, { first: i, last: i });
    }
  });
  return map;
}

export interface Placement {
  /** Size of each buffer to allocate. */
  readonly sizes: number[];
  /** Which of them each virtual storage gets. */
  readonly slot: Map<Storage, number>;
}

/** Gives every virtual storage a buffer, sharing buffers between lives that do not overlap; `pinned` ones keep theirs to the end. */
export function place(commands: readonly Command[], pinned: ReadonlySet<Storage>): Placement {
  const all = [...lives(commands)].filter(([storage]) => storage.virtual);
  for (const [storage, life] of all) {
    if (!pinned.has(storage)) continue;
    life.first = 0;
    life.last = commands.length;
  }
  // Largest first, so that a buffer never has to grow.
  all.sort((a, b) => b[0].bytes - a[0].bytes || a[1].first - b[1].first);
  const sizes: number[] = [];
  const busy: Life[][] = [];
  const slot = new Map<Storage, number>();
  for (const [storage, life] of all) {
    let k = busy.findIndex((list) => list.every((o) => o.last < life.first || o.first > life.last));
    if (k < 0) {
      k = sizes.push(alignUp(storage.bytes)) - 1;
      busy.push([]);
    }
    busy[k].push(life);
    slot.set(storage, k);
  }
  return { sizes, slot };
}
