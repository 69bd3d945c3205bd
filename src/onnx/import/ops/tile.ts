/** @file Repetition. */

import { repeat } from "../../../autograd/repeat.ts";
import { stridesOf } from "../../../host/shape.ts";
import { type HostValue } from "../../values.ts";
import { expectSmall, strided } from "../broadcast.ts";
import type { Call } from "../call.ts";
import { first } from "../known.ts";
import type { Operators } from "../operator.ts";

function hostTile(c: Call): HostValue {
  const x = first(c);
  const counts = c.list(1)!;
  // [count, size] per axis; the first has stride 0.
  const strides = stridesOf(x.shape).flatMap((s) => [0, s]);
  const shape = x.shape.map((d, i) => d * counts[i]);
  expectSmall(c, shape);
  const all = strided(
    c,
    x,
    x.shape.flatMap((d, i) => [counts[i], d]),
    strides,
  );
  return { ...all, shape };
}

export const operators: Operators = { Tile: { device: (c) => repeat(c.tensor(0), c.list(1)!), host: hostTile, known: [1] } };
