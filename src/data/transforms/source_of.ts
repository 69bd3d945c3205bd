/** @file What `setRandomState` draws from. */
import { refused } from "../../host/kinds.ts";
import { type RandomSource, RandomState } from "../../host/random/numpy.ts";

/** `RandomState(seed)` of a number, or the given source. @throws ConfigError for anything else */
export function sourceOf(seed: number | RandomSource): RandomSource {
  if (typeof seed === "number") return new RandomState(seed);
  if (typeof (seed as Partial<RandomSource> | null | undefined)?.randint !== "function")
    refused("setRandomState", "seed", "a number, or a source of random numbers such as new RandomState(0)", seed);
  return seed;
}
