/**
 * @file The expressions that configs of bundles have in place of values, `"$[1.5, 1.5, 1.5] if @highres else [3.0, 3.0, 3.0]"`: literals, references, arithmetic,
 * comparisons, conditionals, `len` and the like. Python beyond that is an `Unknown`, which is an error only for who needs it.
 */

import { FormatError } from "../../host/errors.ts";

/** Something that this reader cannot compute: a name, a call, a comprehension. */
export class Unknown {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Values of configs. */
export type Value = null | boolean | number | string | Unknown | readonly Value[] | { readonly [name: string]: Value };

const token =
  /\s*(@\w+(?:(?:#|::)\w+)*|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[A-Za-z_][\w.]*|\*\*|\/\/|[=!<>]=|[-+*/%<>()[\]{},:])/y;

// Longer ones are programs, and nested ones would use up the stack.
const longest = 1000;
const mostItems = 1000;

function tokens(text: string): string[] | undefined {
  const rest = text.trimEnd();
  if (rest.length > longest) return undefined;
  const found: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < rest.length) {
    const match = token.exec(rest);
    if (!match) return undefined;
    found.push(match[1]);
  }
  return found;
}

/** Thrown and caught here: an expression of another kind. */
class NotSimple extends Error {}

const functions: Readonly<Record<string, (x: Value) => Value>> = {
  len: (x) => (Array.isArray(x) || typeof x === "string" ? x.length : fail()),
  list: (x) => (Array.isArray(x) ? (x as readonly Value[]) : fail()),
  tuple: (x) => (Array.isArray(x) ? (x as readonly Value[]) : fail()),
  int: (x) => (typeof x === "number" ? Math.trunc(x) : fail()),
  float: (x) => (typeof x === "number" ? x : fail()),
  str: (x) => (typeof x === "string" || typeof x === "number" ? String(x) : fail()),
  bool: (x) => truthy(x),
};

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "//": (a, b) => Math.floor(a / b),
  "%": (a, b) => a - b * Math.floor(a / b),
  "**": (a, b) => a ** b,
};

const comparisons: Readonly<Record<string, (a: Value, b: Value) => boolean>> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => Number(a) < Number(b),
  ">": (a, b) => Number(a) > Number(b),
  "<=": (a, b) => Number(a) <= Number(b),
  ">=": (a, b) => Number(a) >= Number(b),
};

const fail = (): never => {
  throw new NotSimple();
};

const truthy = (x: Value): boolean => {
  if (x instanceof Unknown) return fail();
  return Array.isArray(x) ? x.length > 0 : Boolean(x);
};

const repeated = (list: readonly Value[], times: number): readonly Value[] =>
  list.length * times <= mostItems ? Array.from({ length: times }, () => list).flat() : fail();

function combined(op: string, a: Value, b: Value): Value {
  if (op === "+" && typeof a === "string" && typeof b === "string") return a + b;
  if (op === "+" && Array.isArray(a) && Array.isArray(b)) return [...(a as Value[]), ...(b as Value[])];
  if (op === "*" && Array.isArray(a) && typeof b === "number") return repeated(a as readonly Value[], b);
  if (typeof a !== "number" || typeof b !== "number") return fail();
  return arithmetic[op](a, b);
}

class Parser {
  private at = 0;
  private readonly list: readonly string[];
  private readonly lookUp: (reference: string) => Value;

  constructor(list: readonly string[], lookUp: (reference: string) => Value) {
    this.list = list;
    this.lookUp = lookUp;
  }

  whole(): Value {
    const value = this.conditional();
    return this.at === this.list.length ? value : fail();
  }

  private take(...wanted: readonly string[]): string | undefined {
    return wanted.includes(this.list[this.at]) ? this.list[this.at++] : undefined;
  }

  private need(wanted: string): void {
    if (!this.take(wanted)) fail();
  }

  private conditional(): Value {
    const value = this.either();
    if (!this.take("if")) return value;
    const condition = this.either();
    this.need("else");
    const other = this.conditional();
    return truthy(condition) ? value : other;
  }

  private either(): Value {
    let value = this.both();
    while (this.take("or")) {
      const other = this.both();
      value = truthy(value) ? value : other;
    }
    return value;
  }

  private both(): Value {
    let value = this.negated();
    while (this.take("and")) {
      const other = this.negated();
      value = truthy(value) ? other : value;
    }
    return value;
  }

  private negated(): Value {
    return this.take("not") ? !truthy(this.negated()) : this.compared();
  }

  private compared(): Value {
    const value = this.sum();
    const op = this.take(...Object.keys(comparisons));
    if (op) return comparisons[op](value, this.sum());
    const is = this.take("is");
    if (!is) return value;
    const not = this.take("not") !== undefined;
    return (value === this.sum()) !== not;
  }

  private sum(): Value {
    return this.chain(["+", "-"], () => this.product());
  }

  private product(): Value {
    return this.chain(["*", "/", "//", "%"], () => this.power());
  }

  private chain(ops: readonly string[], next: () => Value): Value {
    let value = next();
    for (let op = this.take(...ops); op; op = this.take(...ops)) value = combined(op, value, next());
    return value;
  }

  private power(): Value {
    if (this.take("-")) return combined("*", this.power(), -1);
    const base = this.indexed();
    return this.take("**") ? combined("**", base, this.power()) : base;
  }

  private indexed(): Value {
    let value = this.atom();
    while (this.take("[")) {
      const index = this.conditional();
      this.need("]");
      value = entry(value, index);
    }
    return value;
  }

  private atom(): Value {
    const next = this.list[this.at++];
    if (next === undefined) return fail();
    if (next.startsWith("@")) return this.lookUp(next.slice(1));
    if (/^[.\d]/.test(next)) return Number(next);
    if (/^["']/.test(next)) return next.slice(1, -1).replace(/\\(.)/g, "$1");
    if (next === "[") return this.items("]");
    if (next === "(") return this.parenthesis();
    if (next === "{") return this.record();
    const constant = new Map<string, Value>([["True", true], ["False", false], ["None", null]]).get(next); // prettier-ignore
    if (constant !== undefined) return constant;
    if (Object.hasOwn(functions, next) && this.take("(")) {
      const [argument] = this.items(")");
      return functions[next](argument);
    }
    // Types such as torch.float32 and numpy.uint8 are their names.
    const dtype = /^(?:torch|np|numpy)\.([a-z]+\d*)_?$/.exec(next);
    return dtype && this.list[this.at] !== "(" ? dtype[1] : fail();
  }

  private items(end: string): readonly Value[] {
    const found: Value[] = [];
    while (!this.take(end)) {
      found.push(this.conditional());
      if (!this.take(",")) {
        this.need(end);
        break;
      }
    }
    return found;
  }

  private parenthesis(): Value {
    const before = this.at;
    const found = this.items(")");
    // (1) is a number, (1,) a tuple.
    return found.length === 1 && this.list[this.at - 2] !== "," && before < this.at ? found[0] : found;
  }

  private record(): Value {
    const found: Record<string, Value> = {};
    while (!this.take("}")) {
      const key = this.conditional();
      this.need(":");
      found[String(key)] = this.conditional();
      if (!this.take(",")) {
        this.need("}");
        break;
      }
    }
    return found;
  }
}

/** An entry of a list or a record. */
function entry(value: Value, index: Value): Value {
  if (value instanceof Unknown || value === null || typeof value !== "object") return fail();
  const found = Array.isArray(value)
    ? (value as readonly Value[]).at(Number(index))
    : Object.hasOwn(value, String(index)) ? (value as Readonly<Record<string, Value>>)[String(index)] : undefined; // prettier-ignore
  return found === undefined ? fail() : found;
}

/** The value of an expression without its `$`; `Unknown` where it is more Python than this. @throws FormatError from references */
export function evaluate(text: string, lookUp: (reference: string) => Value): Value {
  const list = tokens(text);
  try {
    return list ? new Parser(list, lookUp).whole() : new Unknown(text);
  } catch (error) {
    if (error instanceof NotSimple) return new Unknown(text);
    throw error;
  }
}

/** Throws `FormatError` unless a value is known all through. */
export function expectKnown(what: string, value: Value): void {
  if (value instanceof Unknown) throw new FormatError(`${what} is the expression "${value.text}", which is not known here`);
  if (value === null || typeof value !== "object") return;
  for (const [name, inner] of Object.entries(value)) expectKnown(Array.isArray(value) ? what : `${what}.${name}`, inner);
}
