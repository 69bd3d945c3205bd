/** @file Placing and copy elision on hand-made commands: no GPU. Letters are virtual storages, capitals real ones. */
import { describe, expect, test } from "vitest";
import { Storage } from "../../src/tensor/buffers.ts";
import type { Access } from "../../src/tensor/kernel.ts";
import { elideCopies } from "../../src/tensor/elide.ts";
import { type Command, place, type Region } from "../../src/tensor/trace.ts";

const pool = { take: () => ({ size: 1024 }) as GPUBuffer, give: () => {} };
const virtual = (bytes = 256): Storage => new Storage(bytes);
const real = (bytes = 1024): Storage => new Storage(bytes, pool as never);
const region = (storage: Storage, offset = 0, bytes = Math.min(256, storage.bytes)): Region => ({ storage, offset, bytes });

/** A dispatch that reads and writes what it is given; "readwrite" for both. */
function run(uses: { reads?: Storage[]; writes?: Storage[]; updates?: Storage[] }): Command {
  const list: [Storage, Access][] = [
    ...(uses.reads ?? []).map((s): [Storage, Access] => [s, "read"]),
    ...(uses.writes ?? []).map((s): [Storage, Access] => [s, "write"]),
    ...(uses.updates ?? []).map((s): [Storage, Access] => [s, "readwrite"]),
  ];
  const call = { program: { key: "k", code: "" }, bindings: list.map(([, access]) => ({ access })), workgroups: [1, 1, 1] };
  return { kind: "run", call: call as never, regions: list.map(([s]) => region(s, 0, s.bytes)) };
}
const copy = (source: Storage, target: Storage, offset = 0, bytes = source.bytes): Command => ({
  kind: "copy",
  source: region(source, 0, bytes),
  target: region(target, offset, bytes),
});
const none = new Set<Storage>();

describe("place", () => {
  test("lives that do not overlap share a buffer, the largest first; those that meet in one command do not", () => {
    const [a, b, c] = [virtual(256), virtual(1024), virtual(512)];
    const { sizes, slot } = place(
      [run({ writes: [a] }), run({ reads: [a], writes: [b] }), run({ reads: [b], writes: [c] })],
      none,
    );
    expect(sizes).toEqual([1024, 512]);
    expect([a, b, c].map((s) => slot.get(s))).toEqual([1, 0, 1]);
  });

  test("a chain of equal tensors needs two buffers", () => {
    const chain = Array.from({ length: 10 }, () => virtual(1024));
    const commands = chain.map((s, i) => run({ reads: i > 0 ? [chain[i - 1]] : [], writes: [s] }));
    expect(place(commands, none).sizes).toEqual([1024, 1024]);
  });

  test("a pinned storage shares with nobody, before its life or after", () => {
    const [a, out, c] = [virtual(), virtual(), virtual()];
    const commands = [run({ writes: [a] }), run({ reads: [a], writes: [out] }), run({ reads: [out], writes: [c] })];
    const { slot } = place(commands, new Set([out]));
    expect(slot.get(a)).toBe(slot.get(c));
    expect(slot.get(out)).not.toBe(slot.get(a));
  });

  test("real storages are not placed; sizes are rounded up; a storage that nobody uses costs nothing", () => {
    const [a, R] = [virtual(300), real()];
    const { sizes, slot } = place([run({ reads: [R], writes: [a] })], new Set([virtual()]));
    expect(sizes).toEqual([512]);
    expect(slot.has(R)).toBe(false);
  });

  test("copies keep their two sides apart", () => {
    const [a, b] = [virtual(), virtual()];
    const { slot } = place([run({ writes: [a] }), copy(a, b), run({ reads: [b] })], none);
    expect(slot.get(a)).not.toBe(slot.get(b));
  });
});

describe("elideCopies", () => {
  test("a finished gradient is written where the optimizer reads it", () => {
    const [x, g1, g2] = [real(), virtual(), virtual()];
    const F = real();
    const commands = [
      run({ reads: [x], writes: [g1] }),
      run({ reads: [x], writes: [g2] }),
      copy(g1, F, 0),
      copy(g2, F, 256),
      run({ reads: [F], updates: [x] }),
    ];
    const left = elideCopies(commands, none, false);
    expect(left.map((c) => c.kind)).toEqual(["run", "run", "run"]);
    expect((left[0] as { regions: Region[] }).regions[1]).toEqual(region(F, 0));
    expect((left[1] as { regions: Region[] }).regions[1]).toEqual(region(F, 256));
    expect(commands[2].kind).toBe("copy"); // the trace itself is left as it was
  });

  test("offsets inside the source move with it", () => {
    const [s, d] = [virtual(512), virtual()];
    const F = real(2048);
    const write: Command = run({ writes: [s] });
    const readHalf = run({ reads: [s], writes: [d] });
    (readHalf as { regions: Region[] }).regions[0] = region(s, 256);
    const left = elideCopies([write, readHalf, copy(s, F, 512)], none, false);
    expect((left[1] as { regions: Region[] }).regions[0]).toEqual(region(F, 768));
  });

  const F = real();
  const kept: [string, (s: Storage, t: Storage) => Command[]][] = [
    ["the target is read meanwhile", (s, t) => [run({ writes: [s] }), run({ reads: [F], writes: [t] }), copy(s, F)]],
    ["the target is written meanwhile", (s) => [run({ writes: [s] }), run({ writes: [F] }), copy(s, F)]],
    ["the producer reads the target, as running statistics do", (s) => [run({ reads: [F], writes: [s] }), copy(s, F)]],
    ["the source becomes another value", (s) => [run({ writes: [s] }), copy(s, F), run({ writes: [s] })]],
    [
      "the target becomes another value",
      (s, t) => [run({ writes: [s] }), copy(s, F), run({ writes: [F] }), run({ reads: [s], writes: [t] })],
    ],
    ["only part of the source is copied", (s) => [run({ writes: [s] }), copy(s, F, 0, 4)]],
    ["the target offset cannot be bound", (s) => [run({ writes: [s] }), copy(s, F, 128)]],
    ["the target is virtual", (s, t) => [run({ writes: [s] }), copy(s, t), run({ reads: [t] })]],
    ["both are real", (s) => [copy(real(256), F), run({ writes: [s] })]],
  ];
  test.each(kept)("a copy stays if %s", (_name, make) => {
    const commands = make(virtual(512), virtual(512));
    expect(elideCopies(commands, none, false)).toEqual(commands);
  });

  test("parts that are joined are made side by side, and read there", () => {
    const [x, a, b, y, z] = [real(), virtual(), virtual(), virtual(512), virtual()];
    const commands = [
      run({ reads: [x], writes: [a] }),
      run({ reads: [a], writes: [z] }), // a skip: the way down reads it first
      run({ reads: [z], writes: [b] }),
      copy(a, y, 0),
      copy(b, y, 256),
      run({ reads: [y], updates: [x] }),
      run({ reads: [a], updates: [x] }), // and the gradients last
    ];
    expect(elideCopies(commands, none, false)).toEqual(commands);
    const left = elideCopies(commands, none, true);
    expect(left.map((c) => c.kind)).toEqual(["run", "run", "run", "run", "run"]);
    expect((left[0] as { regions: Region[] }).regions[1]).toEqual(region(y, 0));
    expect((left[2] as { regions: Region[] }).regions[1]).toEqual(region(y, 256));
    expect((left[4] as { regions: Region[] }).regions[0]).toEqual(region(y, 0));
  });

  test("a slice is read where it lies", () => {
    const [x, y, a] = [real(), virtual(512), virtual()];
    const cut: Command = { kind: "copy", source: region(y, 256), target: region(a, 0) };
    const left = elideCopies([run({ reads: [x], writes: [y] }), cut, run({ reads: [a], updates: [x] })], none, true);
    expect(left.map((c) => c.kind)).toEqual(["run", "run"]);
    expect((left[1] as { regions: Region[] }).regions[0]).toEqual(region(y, 256));
  });

  test("a slice is changed where it lies, once nobody else wants what it was", () => {
    const [x, y, a] = [real(), virtual(512), virtual()];
    const made = run({ reads: [x], writes: [y] });
    const cut: Command = { kind: "copy", source: region(y, 256), target: region(a, 0) };
    const changed = run({ reads: [x], updates: [a] });
    const used = run({ reads: [a], updates: [x] });
    const left = elideCopies([made, cut, changed, used], none, true);
    expect(left.map((c) => c.kind)).toEqual(["run", "run", "run"]);
    for (const [i, at] of [
      [1, 1],
      [2, 0],
    ])
      expect((left[i] as { regions: Region[] }).regions[at]).toEqual(region(y, 256));
    // Not if it is read later, a result, memory that stays, or was written before.
    for (const commands of [
      [made, cut, changed, run({ reads: [y], updates: [x] })],
      [cut, changed, used].map((c) => (c === cut ? { ...cut, source: region(x, 256) } : c)),
      [made, run({ writes: [a] }), cut, changed],
    ])
      expect(elideCopies(commands, none, true)).toEqual(commands);
    expect(elideCopies([made, cut, changed], new Set([y]), true)).toEqual([made, cut, changed]);
  });

  test("a copy stays if the source is a result of the step", () => {
    const s = virtual();
    const commands = [run({ writes: [s] }), copy(s, F)];
    expect(elideCopies(commands, new Set([s]), true)).toEqual(commands);
  });

  test("never makes a dispatch read and write one buffer", () => {
    const [a, b] = [virtual(), virtual()];
    // b is made from a: with both in F, one dispatch would bind F read-only and writable.
    const left = elideCopies(
      [run({ writes: [a] }), run({ reads: [a], writes: [b] }), copy(a, F, 0), copy(b, F, 256)],
      none,
      false,
    );
    expect(left.filter((c) => c.kind === "copy")).toHaveLength(1);
    for (const c of left) {
      if (c.kind !== "run") continue;
      const bound = c.regions.map((r, i) => ({ s: r.storage, access: c.call.bindings[i].access }));
      for (const r of bound.filter((u) => u.access === "read")) {
        expect(bound.some((u) => u.s === r.s && u.access !== "read")).toBe(false);
      }
    }
  });

  test("two results copied to the same bytes: the first is not overwritten while it is still read", () => {
    const [a, b, c] = [virtual(), virtual(), virtual()];
    const commands = [run({ writes: [a] }), run({ writes: [b] }), run({ reads: [a], writes: [c] }), copy(a, F, 0), copy(b, F, 0)];
    const left = elideCopies(commands, none, false);
    // b may not move to F before command 2 has read a there.
    expect((left[1] as { regions: Region[] }).regions[0].storage).toBe(b);
    expect(left.at(-1)).toEqual(commands[4]);
  });
});
