/** @file Waiting sleeps through most of a wait it can expect, and changes nothing else. On a clock of its own, which jumps from timer to timer. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Patience } from "../../src/tensor/wait.ts";

const later = (ms: number) => new Promise<number>((resolve) => setTimeout(() => resolve(ms), ms));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  vi.setTimerTickMode("nextTimerAsync");
});
afterEach(() => {
  vi.useRealTimers();
});

async function asked(patience: Patience, ms: number): Promise<number> {
  const start = performance.now();
  let at = 0;
  await patience.wait(() => {
    at = performance.now() - start;
    return later(Math.max(0, ms - at));
  });
  return at;
}

test("asks at once until waits can be expected, then after most of the shortest of the last four", async () => {
  const patience = new Patience(true);
  for (let i = 0; i < 4; i++) expect(await asked(patience, 40)).toBeLessThan(20);
  const at = await asked(patience, 40);
  expect(at).toBeGreaterThan(28);
  // One short wait among the last four is enough to ask early again.
  expect(await asked(new Patience(true), 1)).toBeLessThan(20);
  await patience.wait(() => later(0));
  for (let i = 0; i < 4; i++) await patience.wait(() => Promise.resolve(0));
  expect(await asked(patience, 40)).toBeLessThan(20);
});

test("with work behind it the whole wait is slept, and less where that was too long", async () => {
  const patience = new Patience(true);
  const slept = async (ms: number): Promise<number> => {
    const start = performance.now();
    let at = 0;
    await patience.waitAhead(() => {
      at = performance.now() - start;
      return later(Math.max(0, ms - at));
    });
    return at;
  };
  expect(await slept(60)).toBeLessThan(20);
  expect(await slept(60)).toBeGreaterThan(58);
  for (let i = 0; i < 8; i++) await patience.waitAhead(() => Promise.resolve(0));
  expect(await slept(60)).toBeLessThan(50);
  // A machine that slept for an hour must not be waited for another hour.
  await patience.waitAhead(() => later(1500));
  expect(await slept(60)).toBeLessThan(400);
});

test("finished work whose answer comes a little late makes no nap longer", async () => {
  const patience = new Patience(true);
  await patience.waitAhead(() => later(200));
  let at = 0;
  const start = performance.now();
  for (let i = 0; i < 12; i++) {
    const from = performance.now();
    await patience.waitAhead(() => {
      at = performance.now() - from;
      return later(Math.max(1, 0.04 * at));
    });
  }
  expect(at).toBeLessThan(10);
  expect(performance.now() - start).toBeLessThan(900);
});

test("answers and errors pass through, and platforms that do not poll are asked at once", async () => {
  const patience = new Patience(false);
  for (let i = 0; i < 5; i++) await patience.wait(() => later(30));
  expect(await asked(patience, 30)).toBeLessThan(20);
  expect(await patience.wait(async () => 7)).toBe(7);
  await expect(patience.wait(() => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
});

test("a nap is no wait: after slow answers quick ones are quick again", async () => {
  const patience = new Patience(true);
  for (let i = 0; i < 4; i++) await patience.wait(() => later(200));
  // Naps of 160, 128, 51 and 13 ms; one more of each that a machine answers late, as when it has put the process's memory away.
  for (let i = 0; i < 8; i++) await patience.wait(() => Promise.resolve(i));
  const start = performance.now();
  for (let i = 0; i < 40; i++) await patience.wait(() => Promise.resolve(i));
  expect(performance.now() - start).toBeLessThan(60);
});

test("nothing is waited for when the device is idle, nor learned from it", async () => {
  const patience = new Patience(true);
  for (let i = 0; i < 4; i++) await patience.wait(() => later(100));
  const start = performance.now();
  for (let i = 0; i < 40; i++) await patience.wait(() => Promise.resolve(i), true);
  expect(performance.now() - start).toBeLessThan(60);
  expect(await asked(patience, 100)).toBeGreaterThan(70);
});

test("dozes while an answer is open, each time for a small share of what was waited", async () => {
  const dozes: number[] = [];
  const patience = new Patience(true, (ms) => {
    dozes.push(ms);
    return new Promise((resolve) => setTimeout(resolve, 1));
  });
  await Promise.all([patience.wait(() => later(40)), patience.waitAhead(() => later(60))]);
  const during = dozes.length;
  expect(during).toBeGreaterThan(5);
  expect(dozes[0]).toBeLessThan(0.1);
  expect(Math.max(...dozes)).toBeLessThanOrEqual(1);
  expect(Math.max(...dozes)).toBeGreaterThan(0.3);
  await later(10);
  expect(dozes.length).toBeLessThanOrEqual(during + 1);
  await expect(patience.wait(() => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
  await later(5);
  const after = dozes.length;
  await later(10);
  expect(dozes.length).toBe(after);
});
