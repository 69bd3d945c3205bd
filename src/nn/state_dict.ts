/** @file What weights are on the host. */

import type { HostArray } from "../host/array.ts";

/** Host copies of all parameters and buffers by name, in registration order. */
export type StateDict = Map<string, HostArray>;
