/** @file `setRandomState` refuses what is neither a seed nor a source of random numbers: plain JavaScript hands over options, or nothing. */
import { expect, test } from "vitest";
import * as T from "../../../src/data/transforms/index.ts";
import { ConfigError } from "../../../src/host/errors.ts";

const flip = () => new T.RandFlip({ prob: 1 });
const randomized = {
  RandFlip: flip(),
  Compose: new T.Compose([flip()]),
  OneOf: new T.OneOf([flip()]),
  onKeys: T.onKeys(["image"], flip()) as unknown as T.Randomizable,
  RandAffine: new T.RandAffine({ prob: 1 }),
  RandAffineGrid: new T.RandAffineGrid(),
  RandDeformGrid: new T.RandDeformGrid({ spacing: 2, magnitudeRange: [0, 1] }),
};

test.each(Object.entries(randomized))("%s", (_, transform) => {
  for (const wrong of [{ seed: 1 }, undefined, null, "1", Math.random]) {
    expect(() => transform.setRandomState(wrong as never)).toThrow(ConfigError);
    expect(() => transform.setRandomState(wrong as never)).toThrow(/^setRandomState: seed must be a number, or a source/);
  }
});
