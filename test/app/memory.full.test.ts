/** @file Many segmentations in a row take no more memory than a few, canceled ones and those that lose their device too; what is dropped meanwhile is not taken. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { en } from "../../app/text/en.ts";
import { openSite, sampleInSlices, type Site, Visit } from "./site.ts";

let site: Site;

beforeAll(async () => {
  site = await openSite();
});

afterAll(() => site?.close());

interface Held {
  readonly buffers: number;
  /** Bytes of the buffers. */
  readonly bytes: number;
  readonly textures: number;
  device?: GPUDevice;
}

/** Runs in a worker: counts from now on what it makes on the GPU and what it gives back. */
function count(): void {
  const held = { buffers: 0, bytes: 0, textures: 0, device: undefined as GPUDevice | undefined };
  Object.assign(globalThis, { held });
  const gone = new WeakSet<object>();
  const once = (thing: object | null, work: () => void): void => {
    if (!thing || gone.has(thing)) return;
    gone.add(thing);
    work();
  };
  const [gpu, buffer, gl] = [GPUDevice.prototype, GPUBuffer.prototype, WebGL2RenderingContext.prototype];
  const { createBuffer } = gpu;
  gpu.createBuffer = function (descriptor) {
    held.device = this;
    held.buffers++;
    held.bytes += descriptor.size;
    return createBuffer.call(this, descriptor);
  };
  const { destroy } = buffer;
  buffer.destroy = function () {
    once(this, () => {
      held.buffers--;
      held.bytes -= this.size;
    });
    return destroy.call(this);
  };
  const { createTexture, deleteTexture } = gl;
  gl.createTexture = function () {
    held.textures++;
    return createTexture.call(this);
  };
  gl.deleteTexture = function (texture) {
    once(texture, () => held.textures--);
    deleteTexture.call(this, texture);
  };
}

const heldBy = async ({ page }: Visit): Promise<Held[]> =>
  Promise.all(
    page.workers().map((worker) =>
      worker.evaluate(() => {
        const { buffers, bytes, textures } = (globalThis as unknown as { held: Held }).held;
        return { buffers, bytes, textures };
      }),
    ),
  );

/** Bytes of JavaScript in the page and its workers, after a collection. */
const heapOf = ({ page }: Visit): Promise<number> =>
  page.evaluate(async () => {
    type Measured = { measureUserAgentSpecificMemory(): Promise<{ readonly bytes: number }> };
    return (await (performance as unknown as Measured).measureUserAgentSpecificMemory()).bytes;
  });

/** Presses the button and waits until it is done, one way or another. */
async function segment({ page }: Visit, meanwhile?: () => Promise<void>): Promise<void> {
  await page.getByRole("button", { name: /^Segment( again)?$/ }).click();
  await page.locator(".progress").getByText(en["phase.segmenting"]).waitFor();
  await meanwhile?.();
  await page.waitForSelector(".progress", { state: "detached" });
}

async function drawn({ page }: Visit): Promise<void> {
  await page.waitForSelector(".viewer[data-drawn='1']");
  await page.waitForFunction(() => !/Drawing/.test(document.querySelector(".place")!.textContent!));
}

test("six segmentations in a row hold as much on the GPU as two, and as many workers; so do ten changes of the opacity", async () => {
  const visit = await Visit.start(site);
  const { page } = visit;
  await visit.drop("#drop-scan", [{ name: "few.nii.gz", bytes: await sampleInSlices(12) }]);
  await page.waitForSelector(".viewer[data-drawn='0']");
  await Promise.all(page.workers().map((worker) => worker.evaluate(count)));
  const twice = async (): Promise<void> => {
    for (let i = 0; i < 2; i++) await segment(visit);
    await drawn(visit);
  };
  await twice();
  const before = { held: await heldBy(visit), heap: await heapOf(visit) };
  expect(before.held.some(({ buffers }) => buffers > 10)).toBe(true);
  for (let i = 0; i < 2; i++) await twice();
  for (let i = 0; i < 10; i++) await page.locator(".slider input").fill(String(i / 10));
  await page.locator(".slider input").fill("0.5");
  await expect.poll(() => heldBy(visit)).toEqual(before.held);
  const heap = await heapOf(visit);
  console.log(`JavaScript: ${(before.heap / 2 ** 20).toFixed(1)} MiB after two, ${(heap / 2 ** 20).toFixed(1)} after six`);
  // Label maps of the last four results are kept, 0.06 MB each; probabilities of one take 0.9.
  expect(heap).toBeLessThan(before.heap + 2 * 2 ** 20);
  await visit.end();
}, 400_000);

test("a run that is canceled, one whose device is lost, and a scan that is dropped meanwhile", async () => {
  const visit = await Visit.start(site);
  const { page } = visit;
  await page.getByRole("button", { name: "Use a sample" }).click();
  await page.waitForSelector(".viewer[data-drawn='0']");
  await Promise.all(page.workers().map((worker) => worker.evaluate(count)));
  const cancel = () => page.getByRole("button", { name: en["phase.cancel"] }).click();
  await segment(visit);
  const bytes = async () => Math.max(...(await heldBy(visit)).map((held) => held.bytes));
  const before = await bytes();
  for (let i = 0; i < 3; i++) await segment(visit, cancel);
  expect(await page.locator(".failure").count()).toBe(0);
  // Buffers of 256 bytes that small values are read back by wait for the next: as many as were in use at once.
  expect(await bytes()).toBeLessThanOrEqual(before + 3 * 256);

  // One to a run, which may be over before a second.
  for (const target of ["#drop-scan", ".stage"]) {
    await segment(visit, async () => {
      await visit.drop(target, [{ name: "other.nii", bytes: new Uint8Array(500) }]);
      await page.getByRole("alert").getByText(en["error.busy"]).waitFor();
      await page.getByRole("button", { name: en["error.close"] }).click();
    });
  }
  expect(await page.locator("input[name=scan]").count()).toBe(1);

  await segment(visit, async () => {
    for (const worker of page.workers())
      await worker.evaluate(() => (globalThis as unknown as { held: Held }).held.device?.destroy());
  });
  await page.locator(".hint").getByText("Segmented by Balls").waitFor();
  await segment(visit);
  expect(await page.locator(".failure").count()).toBe(0);
  await visit.end();
}, 400_000);
