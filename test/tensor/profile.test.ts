/** @file `profile` frees what it made, also where the function that it times throws. */
import { expect, test, vi } from "vitest";
import { profile } from "../../src/tensor/profile.ts";
import { device } from "../lib/device.ts";

const dev = await device();

test.runIf(dev.gpu.features.has("timestamp-query"))("a function that throws leaves no query set", async () => {
  const made: { destroyed: number }[] = [];
  const create = dev.gpu.createQuerySet.bind(dev.gpu);
  const spy = vi.spyOn(dev.gpu, "createQuerySet").mockImplementation((descriptor) => {
    const set = create(descriptor);
    const entry = { destroyed: 0 };
    made.push(entry);
    const destroy = set.destroy.bind(set);
    set.destroy = () => {
      entry.destroyed++;
      return destroy();
    };
    return set;
  });
  try {
    const failing = () => {
      throw new RangeError("of the caller");
    };
    await expect(profile(dev, failing)).rejects.toThrow(new RangeError("of the caller"));
    expect(await profile(dev, () => undefined)).toEqual([]);
  } finally {
    spy.mockRestore();
  }
  expect(made).toEqual([{ destroyed: 1 }, { destroyed: 1 }]);
});
