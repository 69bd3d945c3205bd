/** @file `Compose` with `reuseMemory`: what lies between two transforms is given back, and nothing that anybody else has. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { CacheDataset } from "../../../src/data/datasets/cache_dataset.ts";
import { applyTransforms, itemRandom, type Link, linksOf, type TransformList } from "../../../src/data/datasets/dataset.ts";
import * as T from "../../../src/data/transforms/index.ts";
import { makeVolume, type Volume } from "../../../src/data/volume.ts";
import { ConfigError } from "../../../src/host/errors.ts";
import type { HostArray } from "../../../src/host/array.ts";

const size = 40;
const volume = (): Volume =>
  makeVolume({ data: Float32Array.from({ length: size ** 3 }, (_, i) => (i * 7919) % 1000), shape: [1, size, size, size] });
const label = (): Volume =>
  makeVolume({ data: Uint8Array.from({ length: size ** 3 }, (_, i) => (i >> 5) % 3), shape: [1, size, size, size] });
const item = () => ({ image: volume(), label: label(), name: "a" });

/** Keeps the arrays that pass. */
class Spy implements T.Transform<T.Item> {
  readonly seen: HostArray[] = [];
  apply(x: T.Item): T.Item {
    this.seen.push(x.image as HostArray);
    return x;
  }
}

const chain = (): T.Transform<T.Item>[] => [
  T.onKeys(["image", "label"], new T.Orientation({ axcodes: "PIR" })),
  T.onKeys("image", new T.NormalizeIntensity()),
  T.onKeys("image", new T.RandFlip({ prob: 0 })), // gives what it was given
  T.onKeys(["image", "label"], new T.SpatialPad({ spatialSize: 48 })),
  T.onKeys(["image", "label"], new T.RandSpatialCropSamples({ roiSize: 40, numSamples: 3, randomSize: false })),
  T.onKeys("image", new T.ShiftIntensity({ offset: 1 })),
];
/** Arrays of bytes compared one by one would take seconds. */
const digest = (x: unknown): string =>
  createHash("sha256")
    .update((x as HostArray).data)
    .digest("hex");
const digests = (value: unknown): string[] => (value as T.Item[]).flatMap(({ image, label: l }) => [digest(image), digest(l)]);
const composed = (reuseMemory: boolean) => new T.Compose(chain(), { reuseMemory }).setRandomState(3);

describe("reuseMemory", () => {
  test("results are those of the chain without, applied at once, awaited and by datasets; what was given stays", async () => {
    const expected = digests(composed(false).apply(item()));
    const given = item();
    expect(digests(composed(true).apply(given))).toEqual(expected);
    expect(digests(await composed(true).applyAsync(given))).toEqual(expected);
    expect(digests([given])).toEqual(digests([item()]));

    const [plain, reusing] = [false, true].map(
      (reuseMemory) => new CacheDataset([given], new T.Compose(chain(), { reuseMemory })),
    );
    for (const epoch of [0, 1]) {
      const drawn = () => itemRandom(0, epoch, 0);
      expect(digests(await reusing.get(0, drawn()))).toEqual(digests(await plain.get(0, drawn())));
    }
    expect(digests([given])).toEqual(digests([item()]));
  });

  test("an array between two transforms is given back once the next has read it", () => {
    const spies = [new Spy(), new Spy(), new Spy()];
    const steps: T.Transform<T.Item>[] = [
      spies[0],
      T.onKeys("image", new T.ShiftIntensity({ offset: 1 })),
      spies[1],
      T.onKeys("image", new T.Flip()),
      spies[2],
    ];
    const result = new T.Compose(steps, { reuseMemory: true }).apply(item()) as T.Item;
    expect(spies.map((s) => s.seen[0].data.length)).toEqual([size ** 3, 0, size ** 3]);
    expect(result.image).toBe(spies[2].seen[0]);
  });

  test("a dataset gives nothing back that a step outside of such a chain has seen", async () => {
    const spy = new Spy();
    const added = T.onKeys("image", new T.ShiftIntensity({ offset: 1 }));
    const flipped = new T.Compose<T.Item>([T.onKeys("label", new T.Flip()), T.onKeys("image", new T.Flip())], {
      reuseMemory: true,
    });
    const run = (steps: readonly Link<T.Item>[]) => applyTransforms(steps, item() as T.Item, itemRandom(0, 0, 0));
    await run([...linksOf<T.Item, T.Item>("test", [added, spy]), ...linksOf<T.Item, T.Item>("test", flipped)]);
    expect(spy.seen[0].data).toHaveLength(size ** 3);
    const within = new T.Compose<T.Item>([added, spy, flipped], { reuseMemory: true });
    await run(linksOf<T.Item, T.Item>("test", within));
    expect(spy.seen[1].data).toHaveLength(0);
  });

  test("views of one buffer stay as long as one of them is in the result, also in the depth of it", () => {
    const halves: T.Transform<T.Item> = {
      apply: ({ image }) => {
        const data = Float32Array.from((image as Volume).data);
        return { image: { data, shape: [1, data.length] }, notes: { list: [new Map([["half", data.subarray(0, 4)]])] } };
      },
    };
    const spy = new Spy();
    const shifted = T.onKeys("image", new T.ShiftIntensity({ offset: 1 }));
    const result = new T.Compose([halves, spy, shifted], { reuseMemory: true }).apply(item()) as T.Item;
    expect(result.notes).toHaveProperty("list");
    expect(spy.seen[0].data).toHaveLength(size ** 3);
  });

  test("a buffer without a view, and an array that is a part of one, stay", () => {
    const raw = new ArrayBuffer(2 ** 18);
    const viewed: T.Transform<T.Item> = {
      apply: (x) => ({ ...x, image: { data: new Float32Array(x.raw as ArrayBuffer), shape: [1, 2 ** 16] } }),
    };
    const parted: T.Transform<T.Item> = {
      apply: (x) => ({ ...x, image: { data: new Float32Array(2 ** 17).subarray(2 ** 16), shape: [1, 2 ** 16] } }),
    };
    const spies = [new Spy(), new Spy()];
    const shifted = T.onKeys("image", new T.ShiftIntensity({ offset: 1 }));
    new T.Compose([viewed, spies[0], shifted, parted, spies[1], shifted], { reuseMemory: true }).apply({ raw });
    expect(raw.byteLength).toBe(2 ** 18);
    expect(spies.map(({ seen }) => seen[0].data.length)).toEqual([2 ** 16, 2 ** 16]);
  });

  test("transforms of such a chain keep their arrays elsewhere, and a chain inside of it its own", async () => {
    const spy = new Spy();
    const added = T.onKeys("image", new T.ShiftIntensity({ offset: 1 }));
    const reusing = new T.Compose<T.Item>([added, spy, added], { reuseMemory: true });
    const run = (steps: TransformList<T.Item>) =>
      applyTransforms(linksOf<T.Item, T.Item>("test", steps), item() as T.Item, itemRandom(0, 0, 0));
    await run(reusing);
    await run([added, spy, added]);
    await run(new T.Compose<T.Item>([new T.Compose<T.Item>([added, spy, added]), added], { reuseMemory: true }));
    expect(spy.seen.map(({ data }) => data.length)).toEqual([0, size ** 3, size ** 3]);
  });

  test("memory of a WebAssembly module stays", () => {
    const memory = new WebAssembly.Memory({ initial: 8 });
    const inModule: T.Transform<T.Item> = {
      apply: () => ({ image: { data: new Float32Array(memory.buffer), shape: [1, 2 ** 17] } }),
    };
    const shifted = T.onKeys("image", new T.ShiftIntensity({ offset: 1 }));
    const result = new T.Compose([inModule, shifted], { reuseMemory: true }).apply(item()) as T.Item;
    expect((result.image as HostArray).data[5]).toBe(1);
    expect(memory.buffer.byteLength).toBe(2 ** 19);
  });

  test("other options are refused", () => {
    expect(() => new T.Compose([], { lazy: true } as never)).toThrow(ConfigError);
    expect(() => new T.Compose([], { reuseMemory: 1 } as never)).toThrow(/reuseMemory/);
  });
});
