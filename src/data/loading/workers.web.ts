/** @file Data workers where there are no Node threads: none. A browser waits for the GPU without spinning, so the page's thread computes. */

import { ConfigError } from "../../host/errors.ts";
import type { DatasetModule, UnitSource } from "./unit_source.ts";

/** There are none. @throws ConfigError */
export function openWorkers(_source: DatasetModule, count: number, _seed: number): UnitSource {
  throw new ConfigError(`DataLoader: numWorkers is ${count}; data workers need Node; use numWorkers: 0 here`);
}
