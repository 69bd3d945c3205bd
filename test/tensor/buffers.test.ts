/** @file The pool and reference-counted storages, on a device that only counts. */
import { describe, expect, test } from "vitest";
import { BufferPool, Storage } from "../../src/tensor/buffers.ts";
import { ConfigError, OutOfMemoryError, TensorTooLargeError } from "../../src/host/errors.ts";

function fakePool({ maxBufferSize = 1 << 20, refuse = false } = {}) {
  const made: { size: number; destroyed: boolean }[] = [];
  const gpu = {
    limits: { maxBufferSize },
    pushErrorScope: () => {},
    popErrorScope: async () => (refuse ? { message: "no" } : null),
    createBuffer({ size }: { size: number }) {
      const buffer = { size, destroyed: false, destroy: () => (buffer.destroyed = true) };
      made.push(buffer);
      return buffer;
    },
  };
  const errors: Error[] = [];
  const submits = { count: 0 };
  const pool = new BufferPool(
    gpu as unknown as GPUDevice,
    (e) => errors.push(e),
    () => submits.count++,
  );
  return { pool, made, errors, submits };
}

describe("BufferPool", () => {
  test("hands the same buffer out again for the same size class, and only for that", () => {
    const { pool, made } = fakePool();
    const a = pool.take(1000);
    pool.give(a);
    expect(pool.take(1024)).toBe(a); // both round to 1024
    expect(pool.take(1000)).not.toBe(a);
    pool.give(a);
    expect(pool.take(512)).not.toBe(a);
    expect(made.map((b) => b.size)).toEqual([1024, 1024, 512]);
  });

  test("accounts for every byte and comes back to zero", () => {
    const { pool, made, submits } = fakePool();
    const buffers = [1, 256, 257, 0].map((n) => pool.take(n));
    expect(pool.use).toEqual({ live: 256 + 256 + 512 + 256, pooled: 0, peak: 1280, buffers: 4 });
    for (const b of buffers) pool.give(b);
    expect(pool.use).toEqual({ live: 0, pooled: 1280, peak: 1280, buffers: 0 });
    pool.trim();
    expect(pool.use).toEqual({ live: 0, pooled: 0, peak: 1280, buffers: 0 });
    expect(made.every((b) => b.destroyed)).toBe(true);
    expect(submits.count).toBe(1); // before: recorded commands may name them
    expect(pool.take(1)).not.toBe(buffers[0]);
  });

  test("gives buffers of shapes that do not come back to the system: at most 1 GiB, or as much as is in use, is kept", () => {
    const { pool, made } = fakePool({ maxBufferSize: 2 ** 32 });
    const MiB = 2 ** 20;
    for (let i = 0; i < 40; i++) pool.give(pool.take((100 + i) * MiB)); // a volume each of its own size
    expect(pool.use.pooled).toBeLessThan(1300 * MiB);
    expect(made.filter((b) => !b.destroyed).reduce((sum, b) => sum + b.size, 0)).toBe(pool.use.pooled);
    pool.trim();
    const held = Array.from({ length: 30 }, () => pool.take(200 * MiB));
    const destroyed = made.filter((b) => b.destroyed).length;
    for (const b of held.splice(0, 14)) pool.give(b);
    pool.give(pool.take(7 * MiB)); // 2.8 GiB free, 3.2 GiB used: a step of this size comes again
    expect(made.filter((b) => b.destroyed).length).toBe(destroyed);
  });

  test("too large a tensor names the limit that binds, and allocates nothing", () => {
    const { pool, made } = fakePool({ maxBufferSize: 1 << 16 });
    expect(() => pool.take(70_000)).toThrow(TensorTooLargeError);
    expect(() => pool.take(70_000)).toThrow(/70000 bytes.*maxBufferSize of 65536 bytes.*smaller/);
    expect(made.length).toBe(0);
    expect(pool.use.live).toBe(0);
    expect(pool.take(65_536).size).toBe(65_536);
  });

  test("a refused allocation is reported as OutOfMemoryError with the numbers", async () => {
    const { pool, errors } = fakePool({ refuse: true });
    pool.take(300);
    await pool.unanswered;
    expect(errors[0]).toBeInstanceOf(OutOfMemoryError);
    expect(errors[0].message).toMatch(/512 bytes with 512 bytes in use.*smaller batch/);
    expect(pool.unanswered).toBeUndefined();
  });
});

describe("Storage", () => {
  test("gives its buffer back with the last reference; more releases do nothing", () => {
    const { pool } = fakePool();
    const s = new Storage(256, pool);
    s.retain();
    s.release();
    expect(s.released).toBe(false);
    expect(pool.use.buffers).toBe(1);
    s.release();
    s.release();
    expect(s.released).toBe(true);
    expect(pool.use).toMatchObject({ live: 0, pooled: 256, buffers: 0 });
  });

  test("a pin keeps the buffer after the last tensor is gone", () => {
    const { pool } = fakePool();
    const s = new Storage(256, pool).pin().pin();
    s.release();
    expect(s.released).toBe(true);
    s.unpin();
    expect(s.memory()).toBeDefined();
    s.unpin();
    expect(pool.use).toMatchObject({ live: 0, buffers: 0 });
  });

  test("a deferred one takes memory once, when told to, and never after its release", () => {
    const { pool } = fakePool();
    const s = new Storage(256, pool, true);
    expect(() => s.memory()).toThrow(ConfigError);
    expect(pool.use.live).toBe(0);
    s.allocate();
    const buffer = s.memory();
    s.allocate();
    expect(s.memory()).toBe(buffer);
    s.release();
    s.allocate();
    expect(pool.use.live).toBe(0);
  });

  test("a virtual one never has memory", () => {
    const s = new Storage(256);
    s.allocate();
    expect(s.virtual).toBe(true);
    expect(() => s.memory()).toThrow(/inside capture/);
  });
});
