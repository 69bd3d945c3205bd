/** @file Conversions. */

import { cast } from "../../../autograd/cast.ts";
import { ne } from "../../../autograd/pointwise.ts";
import { types } from "../../tensor_data.ts";
import { hostOf, type HostValue, typed, typeOf, type Value } from "../../values.ts";
import type { Call, Op } from "../call.ts";
import { first } from "../known.ts";
import { isInteger } from "../integers.ts";
import type { Operators } from "../operator.ts";

function castTo(c: Call, kind: string | undefined, type?: string): Value {
  if (kind === "float") return c.float(0);
  // Of its own: the tensor that is cast may have another type in the file.
  if (kind === "int") return typed(cast(c.tensor(0), "i32"), type);
  if (kind === "bool") return ne(c.float(0), 0);
  throw c.unsupported(`a cast to type ${c.int("to", 1)}`);
}

const castLike: Op = (c) => castTo(c, isInteger(c.input(1)) ? "int" : "float", wholeType(c));

/** The type of the second input. Throws `ConfigError` for one of less than a byte, whose numbers would have to be cut off. */
function wholeType(c: Call): string | undefined {
  const type = typeOf(c.input(1));
  if (/^u?int4$/.test(type ?? "")) throw c.unsupported(`a cast to ${type}`);
  return type;
}

/** The type to cast to; of less than a byte none, whose numbers would have to be cut off. */
const target = (c: Call) => {
  const type = types[c.int("to", 1)];
  return type && type.bits >= 8 ? type : undefined;
};

function hostCast(c: Call): HostValue {
  const x = first(c);
  const to = target(c);
  if (!to) throw c.unsupported(`a cast to type ${c.int("to", 1)}`);
  return hostOf(to.kind, x.shape, (i) => x.data[i], to.name);
}

export const operators: Operators = {
  Cast: { device: (c) => castTo(c, target(c)?.kind, target(c)?.name), host: hostCast },
  CastLike: { device: castLike, host: (c) => hostOf(c.known(1).kind, first(c).shape, (i) => first(c).data[i], wholeType(c)) },
};
