/** @file Conversions. */

import { cast } from "../../../autograd/cast.ts";
import { ne } from "../../../autograd/pointwise.ts";
import { types } from "../../tensor_data.ts";
import { hostOf, type HostValue, type Value } from "../../values.ts";
import type { Call, Op } from "../call.ts";
import { first } from "../known.ts";
import { isInteger } from "../integers.ts";
import type { Operators } from "../operator.ts";

function castTo(c: Call, kind: string | undefined): Value {
  if (kind === "float") return c.float(0);
  if (kind === "int") return cast(c.tensor(0), "i32");
  if (kind === "bool") return ne(c.float(0), 0);
  throw c.unsupported(`a cast to type ${c.int("to", 1)}`);
}

const castLike: Op = (c) => castTo(c, isInteger(c.input(1)) ? "int" : "float");

function hostCast(c: Call): HostValue {
  const x = first(c);
  const to = types[c.int("to", 1)];
  if (!to) throw c.unsupported(`a cast to type ${c.int("to", 1)}`);
  return hostOf(to.kind, x.shape, (i) => x.data[i], to.name);
}

export const operators: Operators = {
  Cast: { device: (c) => castTo(c, types[c.int("to", 1)]?.kind), host: hostCast },
  CastLike: { device: castLike, host: (c) => hostOf(c.known(1).kind, first(c).shape, (i) => first(c).data[i], c.known(1).type) },
};
