/** @file A network without it computes the same. */

import type { Emitters } from "../emission.ts";

export const emitters: Emitters = { tieUnused: ({ inputs }) => inputs[0] };
