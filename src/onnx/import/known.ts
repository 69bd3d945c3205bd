/** @file The host interpreter: operators over known values, from the Shape of a tensor to the sizes that Reshape and Resize are given. */

import type { HostValue } from "../values.ts";
import { zip } from "./broadcast.ts";
import type { Call, Op } from "./call.ts";

export const first = (c: Call): HostValue => c.known(0);

export const all = (c: Call): HostValue[] => c.inputs.map((_, i) => c.known(i));

/** A function of numbers; the kind of the result is that of the first input. */
export const same =
  (f: (...v: number[]) => number): Op =>
  (c) =>
    zip(c, first(c).kind, all(c), f);

/** A function of numbers that is true or false. */
export const truth =
  (f: (...v: number[]) => boolean): Op =>
  (c) =>
    zip(c, "bool", all(c), (...v) => Number(f(...v)));
