/**
 * @file Random programs on tensors of several samples, whose parts are copied to and from ranges of every sample: with copies left out, what lives outside the plan
 * ends up equal. Kernels find samples where their uniform block says; some know nothing of samples.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Storage } from "../../src/tensor/buffers.ts";
import type { Access } from "../../src/tensor/kernel.ts";
import { elideCopies } from "../../src/tensor/elide.ts";
import { type Command, place, type Region, spread, uses } from "../../src/tensor/trace.ts";

const block = 256;
const samples = 2;
const pool = { take: () => ({}) as GPUBuffer, give: () => {} };
type Memory = Map<unknown, number[]>;

function execute(commands: readonly Command[], bufferOf: (s: Storage) => unknown): Memory {
  const memory: Memory = new Map();
  const blocks = ({ storage, offset, bytes }: Region, pitch: number | undefined, run = bytes) => {
    const key = bufferOf(storage);
    if (!memory.has(key)) memory.set(key, new Array<number>(64).fill(1));
    const starts = pitch === undefined ? [0] : Array.from({ length: samples }, (_, s) => s * pitch);
    const at = starts.flatMap((s) => Array.from({ length: run / block }, (_, i) => (offset + s) / block + i));
    return { data: memory.get(key)!, at };
  };
  for (const c of commands) {
    if (c.kind === "copy") {
      const [from, to] = [c.source, c.target].map((r) => blocks(r, r.runs!.pitch, r.runs!.bytes));
      const values = from.at.map((at) => from.data[at]);
      to.at.forEach((at, i) => (to.data[at] = values[i]));
      continue;
    }
    const { call } = c;
    let hash = call.workgroups[0];
    const mix = (v: number): number => (hash = (Math.imul(hash ^ v, 0x9e3779b1) + 0x7f4a7c15) | 0);
    // Only the size of a sample and what the block says of their distance are known to a kernel.
    const bound = c.regions.map((region, i) => {
      const word = call.pitches![i];
      const whole = call.bindings[i].tensor.bytes;
      return word === undefined ? blocks(region, undefined) : blocks(region, 4 * call.params![word], whole / samples);
    });
    bound.forEach(({ data, at }, i) => {
      if (call.bindings[i].access !== "write") for (const b of at) mix(data[b]);
    });
    bound.forEach(({ data, at }, i) => {
      if (call.bindings[i].access !== "read") at.forEach((b, k) => (data[b] = mix(k)));
    });
  }
  return memory;
}

interface Pick {
  readonly kind: "run" | "copy";
  readonly reads: readonly number[];
  readonly write: number;
  readonly second: number;
  readonly at: number;
  readonly update: boolean;
  readonly knows: boolean;
}

/** `sizes` are blocks of a sample. */
function program(picks: readonly Pick[], sizes: readonly number[]) {
  const virtuals = sizes.map((n) => new Storage(samples * n * block));
  const reals = [1, 4].map((n) => new Storage(samples * n * block, pool as never));
  const all = [...virtuals, ...reals];
  const written = new Set<Storage>(reals);
  const part = (storage: Storage, offset: number, run: number): Region => {
    const runs = { count: samples, bytes: run, pitch: storage.bytes / samples };
    return { storage, offset, ...spread(runs) };
  };
  const commands: Command[] = [];
  picks.forEach(({ kind, reads, write, second, at, update, knows }, i) => {
    if (kind === "copy") {
      const [a, b] = [all[write % all.length], all[second % all.length]];
      const [small, large] = a.bytes < b.bytes ? [a, b] : [b, a];
      const [source, target] = update ? [large, small] : [small, large];
      if (a === b || !written.has(source)) return;
      const run = small.bytes / samples;
      const places = 1 + (large.bytes - small.bytes) / samples / block;
      const [here, there] = [part(small, 0, run), part(large, (at % places) * block, run)];
      commands.push(update ? { kind: "copy", source: there, target: here } : { kind: "copy", source: here, target: there });
      if (update) written.add(target);
      return;
    }
    const sources = [...new Set(reads.map((r) => all[r % all.length]))].filter((s) => written.has(s));
    const targets = [...new Set([all[write % all.length], all[second % all.length]])].filter((s) => !sources.includes(s));
    const list = [
      ...sources.map((s): [Storage, Access] => [s, "read"]),
      ...targets.map((s): [Storage, Access] => [s, update && written.has(s) ? "readwrite" : "write"]),
    ];
    for (const s of targets) written.add(s);
    const call = {
      program: { key: "", code: "" },
      bindings: list.map(([{ bytes }, access]) => ({ access, tensor: { bytes, shape: [bytes / 4] } })),
      params: Uint32Array.from(list, ([s]) => s.bytes / samples / 4),
      pitches: list.map((_, k) => (knows ? k : undefined)),
      workgroups: [i + 1, 1, 1],
    };
    const regions = list.map(([s]) => ({ ...part(s, 0, s.bytes / samples), ...(knows ? {} : { runs: undefined }) }));
    commands.push({ kind: "run", call: call as never, regions });
  });
  return { commands, virtuals, reals };
}

const pick = fc.record<Pick>({
  kind: fc.constantFrom("run", "run", "copy"),
  reads: fc.array(fc.nat(20), { maxLength: 2 }),
  write: fc.nat(20),
  second: fc.nat(20),
  at: fc.nat(20),
  update: fc.boolean(),
  knows: fc.constantFrom(true, true, true, false),
});

test("parts of samples that live in larger ones leave the same values outside, and no buffer is bound two ways", () => {
  let elided = 0;
  let told = 0;
  fc.assert(
    fc.property(
      fc.array(pick, { minLength: 3, maxLength: 14 }),
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 8 }),
      fc.nat(7),
      (picks, sizes, pin) => {
        const { commands, virtuals, reals } = program(picks, sizes);
        const pinned = new Set([virtuals[pin % virtuals.length]]);
        const left = elideCopies(commands, pinned, true);
        const { slot } = place(left, pinned);
        elided += commands.length - left.length;
        told += left.filter((c) => c.kind === "run" && !commands.some((d) => d.kind === "run" && d.call === c.call)).length;
        const bufferOf = (s: Storage): unknown => (s.virtual ? slot.get(s) : s);
        const [expected, actual] = [execute(commands, (s) => s), execute(left, bufferOf)];
        const unused = new Array<number>(64).fill(1);
        const values = (memory: Memory, of: (s: Storage) => unknown) =>
          [...reals, ...pinned].map((s) => (memory.get(of(s)) ?? unused).slice(0, s.bytes / block));
        expect(values(actual, bufferOf)).toEqual(values(expected, (s) => s));
        for (const c of left) {
          if (c.kind === "copy") continue;
          const buffers = (access: (a: Access) => boolean) =>
            new Set(uses(c).flatMap((u) => (access(u.access) ? [bufferOf(u.region.storage)] : [])));
          const reading = buffers((a) => a === "read");
          for (const b of buffers((a) => a !== "read")) expect(reading.has(b)).toBe(false);
        }
      },
    ),
    { numRuns: 10_000, seed: 7 },
  );
  expect(elided).toBeGreaterThan(500);
  expect(told).toBeGreaterThan(200);
});
