import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";

const glibc = (process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined)?.header
  ?.glibcVersionRuntime;

/** New pages while a thread of its own makes results and lets go of them: each has 4,000. */
function newPages(results: number): Promise<number> {
  const url = new URL("../../src/host/unfilled.ts", import.meta.url);
  const code = `
    const { unfilledFloats } = await import(${JSON.stringify(url.href)});
    const { parentPort } = await import("node:worker_threads");
    const pages = () => process.resourceUsage().minorPageFault;
    const make = async (count) => {
      for (let i = 0; i < count; i++) {
        unfilledFloats(2 ** 22).fill(i);
        await new Promise((done) => setTimeout(done, 1));
      }
    };
    // They have been everywhere in the heap's room.
    await make(16);
    const before = pages();
    await make(${results});
    parentPort.postMessage(pages() - before);`;
  return new Promise((done, failed) => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
    worker.once("message", (count: number) => void worker.terminate().then(() => done(count)));
    worker.once("error", failed);
  });
}

test.runIf(glibc !== undefined)("results in a row come from pages that the process has", async () => {
  // The least of some: pages are counted for the whole process, in which other tests may be at work.
  const counts: number[] = [];
  for (let i = 0; i < 3; i++) counts.push(await newPages(12));
  expect(Math.min(...counts)).toBeLessThan(12 * 1000);
});
