/**
 * @file Random programs, run as traced and as planned on a toy memory: what lives outside the plan must end up equal, and no dispatch may
 * bind one buffer two ways.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Storage } from "../../src/tensor/buffers.ts";
import type { Access } from "../../src/tensor/kernel.ts";
import { elideCopies } from "../../src/tensor/elide.ts";
import { partSteady } from "../../src/tensor/steady.ts";
import { type Command, place, type Region } from "../../src/tensor/trace.ts";

const block = 256;
const untouched = new Array<number>(64).fill(1);
const pool = { take: () => ({}) as GPUBuffer, give: () => {} };
const sides = (c: Command): { region: Region; access: Access }[] =>
  c.kind === "run"
    ? c.regions.map((region, i) => ({ region, access: c.call.bindings[i].access }))
    : [
        { region: c.source, access: "read" },
        { region: c.target, access: "write" },
      ];

/** Blocks of symbolic values: a dispatch writes a hash of its own number and of what it reads. */
function execute(
  commands: readonly Command[],
  bufferOf: (s: Storage) => unknown,
  memory = new Map<unknown, number[]>(),
): Map<unknown, number[]> {
  const blocks = ({ storage, offset, bytes }: Region): { data: number[]; at: number[] } => {
    const key = bufferOf(storage);
    if (!memory.has(key)) memory.set(key, [...untouched]);
    return { data: memory.get(key)!, at: Array.from({ length: bytes / block }, (_, i) => offset / block + i) };
  };
  for (const c of commands) {
    if (c.kind === "copy") {
      const from = blocks(c.source);
      const to = blocks(c.target);
      from.at.forEach((at, i) => (to.data[to.at[i]] = from.data[at]));
      continue;
    }
    // Not the place in the list, which elision changes.
    let hash = c.call.workgroups[0];
    const mix = (v: number): number => (hash = (Math.imul(hash ^ v, 0x9e3779b1) + 0x7f4a7c15) | 0);
    for (const { region, access } of sides(c))
      if (access !== "write") for (const i of blocks(region).at) mix(blocks(region).data[i]);
    for (const { region, access } of sides(c))
      if (access !== "read") for (const i of blocks(region).at) blocks(region).data[i] = mix(i - region.offset / block);
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
}

function program(
  picks: readonly Pick[],
  sizes: readonly number[],
): { commands: Command[]; virtuals: Storage[]; reals: Storage[] } {
  const virtuals = sizes.map((n) => new Storage(n * block));
  const reals = [0, 1].map(() => new Storage(8 * block, pool as never));
  const all = [...virtuals, ...reals];
  const written = new Set<Storage>(reals);
  const whole = (storage: Storage): Region => ({ storage, offset: 0, bytes: storage.bytes });
  const commands: Command[] = [];
  picks.forEach(({ kind, reads, write, second, at, update }, i) => {
    const sources = [...new Set(reads.map((r) => all[r % all.length]))].filter((s) => written.has(s));
    if (kind === "copy") {
      // A whole to a part, or a part to a whole.
      const [a, b] = [all[write % all.length], all[second % all.length]];
      const [small, large] = a.bytes < b.bytes ? [a, b] : [b, a];
      const [source, target] = update ? [large, small] : [small, large];
      if (a === b || !written.has(source)) return;
      const part = { storage: large, offset: (at % (1 + (large.bytes - small.bytes) / block)) * block, bytes: small.bytes };
      commands.push(
        update ? { kind: "copy", source: part, target: whole(small) } : { kind: "copy", source: whole(small), target: part },
      );
      if (update) written.add(target);
      return;
    }
    const targets = [...new Set([all[write % all.length], all[second % all.length]])].filter((s) => !sources.includes(s));
    const uses = [
      ...sources.map((s): [Storage, Access] => [s, "read"]),
      ...targets.map((s): [Storage, Access] => [s, update && written.has(s) ? "readwrite" : "write"]),
    ];
    for (const s of targets) written.add(s);
    const call = { program: { key: "", code: "" }, bindings: uses.map(([, access]) => ({ access })), workgroups: [i + 1, 1, 1] };
    commands.push({ kind: "run", call: call as never, regions: uses.map(([s]) => whole(s)) });
  });
  return { commands, virtuals, reals };
}

const pick = fc.record<Pick>({
  kind: fc.constantFrom("run", "run", "copy"),
  reads: fc.array(fc.nat(20), { maxLength: 3 }),
  write: fc.nat(20),
  second: fc.nat(20),
  at: fc.nat(20),
  update: fc.boolean(),
});

/** What is done, how long each storage is, which of them is a result, and whether values of the plan may be joined. */
const programs = [
  fc.array(pick, { minLength: 3, maxLength: 14 }),
  fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 8 }),
  fc.nat(7),
  fc.boolean(),
] as const;

/** The values of storages that outlive a plan. */
const valuesOf = (list: readonly Storage[], memory: Map<unknown, number[]>, of: (s: Storage) => unknown): number[][] =>
  list.map((s) => (memory.get(of(s)) ?? untouched).slice(0, s.bytes / block));

test("a planned program leaves the same values outside, and binds no buffer two ways", () => {
  let elided = 0;
  let shared = 0;
  fc.assert(
    fc.property(...programs, (picks, sizes, pin, joins) => {
      const { commands, virtuals, reals } = program(picks, sizes);
      const pinned = new Set([virtuals[pin % virtuals.length]]);
      const left = elideCopies(commands, pinned, joins);
      const { slot, sizes: buffers } = place(left, pinned);
      elided += commands.length - left.length;
      shared += slot.size - buffers.length;
      const bufferOf = (s: Storage): unknown => (s.virtual ? slot.get(s) : s);
      const expected = execute(commands, (s) => s);
      const actual = execute(left, bufferOf);
      const outside = [...reals, ...pinned];
      expect(valuesOf(outside, actual, bufferOf)).toEqual(valuesOf(outside, expected, (s) => s));
      for (const c of left) {
        const bound = sides(c).map(({ region, access }) => ({
          buffer: bufferOf(region.storage),
          region,
          writes: access !== "read",
        }));
        bound.forEach((a, i) =>
          bound.slice(i + 1).forEach((b) => {
            if (a.buffer !== b.buffer || !(a.writes || b.writes)) return;
            const overlap =
              a.region.offset < b.region.offset + b.region.bytes && b.region.offset < a.region.offset + a.region.bytes;
            expect(a.writes && b.writes && !overlap).toBe(true);
          }),
        );
        for (const { region } of sides(c))
          if (region.storage.virtual)
            expect(buffers[slot.get(region.storage)!]).toBeGreaterThanOrEqual(region.offset + region.bytes);
      }
    }),
    { numRuns: 3000, seed: 7 },
  );
  // The programs do exercise both.
  expect(elided).toBeGreaterThan(100);
  expect(shared).toBeGreaterThan(1000);
});

test("a step whose steady part runs only when its sources changed leaves what the whole step does", () => {
  let steady = 0;
  let reused = 0;
  fc.assert(
    fc.property(...programs, fc.nat(12), (picks, sizes, pin, joins, blocks) => {
      const { commands, virtuals, reals } = program(picks, sizes);
      const pinned = new Set([virtuals[pin % virtuals.length]]);
      const { first, each, kept, sources } = partSteady(elideCopies(commands, pinned, joins), pinned, blocks * block);
      expect(kept.reduce((sum, s) => sum + s.bytes, 0)).toBeLessThanOrEqual(blocks * block);
      const { slot } = place([...first, ...each], new Set([...pinned, ...kept]));
      const bufferOf = (s: Storage): unknown => (s.virtual ? slot.get(s) : s);
      const [expected, actual] = [new Map<unknown, number[]>(), new Map<unknown, number[]>()];
      for (const [turn, changed] of [undefined, reals[0], undefined, reals[1]].entries()) {
        if (changed) for (const memory of [expected, actual]) memory.set(changed, new Array<number>(64).fill(turn + 100));
        const again = turn === 0 || (changed && sources.includes(changed));
        execute(commands, (s) => s, expected);
        execute(again ? [...first, ...each] : each, bufferOf, actual);
        if (!again) reused += first.length;
        const outside = [...reals, ...pinned];
        expect(valuesOf(outside, actual, bufferOf)).toEqual(valuesOf(outside, expected, (s) => s));
      }
      steady += first.length;
    }),
    { numRuns: 6000, seed: 7 },
  );
  expect(steady).toBeGreaterThan(300);
  expect(reused).toBeGreaterThan(500);
});
