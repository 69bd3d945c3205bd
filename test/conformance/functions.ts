/**
 * @file Small functions of one number as case files write them, as Python of numpy or torch: `x > 0`, `(x > 3) & (x < 7)`, `lambda x: np.where(x > 1, 2, x)`.
 * What is more than that, such as calls with keywords, is left to the adapter that knows it.
 */

type Fn = (x: number) => number | boolean;

/** By the last part of their names. */
const named: Readonly<Record<string, (...args: any[]) => number | boolean>> = {
  tanh: Math.tanh,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  abs: Math.abs,
  absolute: Math.abs,
  floor: Math.floor,
  ceil: Math.ceil,
  square: (x) => x * x,
  relu: (x) => Math.max(x, 0),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  maximum: Math.max,
  minimum: Math.min,
  where: (condition, a, b) => (condition ? a : b),
  logical_and: (a, b) => Boolean(a) && Boolean(b),
  logical_or: (a, b) => Boolean(a) || Boolean(b),
  logical_not: (a) => !a,
  isnan: Number.isNaN,
  float: Number,
  int: Math.trunc,
  bool: Boolean,
};

const constants: Readonly<Record<string, number | boolean>> = { True: true, False: false, pi: Math.PI, inf: Infinity, nan: NaN };

type Operators = Readonly<Record<string, (a: any, b: any) => number | boolean>>;

/** Binary operators of Python, the loosest first; those of a row bind alike. */
const rows: readonly Operators[] = [
  { or: (a, b) => a || b },
  { and: (a, b) => a && b },
  {
    ">": (a, b) => a > b,
    "<": (a, b) => a < b,
    ">=": (a, b) => a >= b,
    "<=": (a, b) => a <= b,
    "==": (a, b) => Number(a) === Number(b),
    "!=": (a, b) => Number(a) !== Number(b),
  },
  { "|": (a, b) => Boolean(a) || Boolean(b) },
  { "&": (a, b) => Boolean(a) && Boolean(b) },
  { "+": (a, b) => a + b, "-": (a, b) => a - b },
  {
    "*": (a, b) => a * b,
    "/": (a, b) => a / b,
    "//": (a, b) => Math.floor(a / b),
    "%": (a, b) => a - b * Math.floor(a / b),
  },
];

const token = /\s*(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|[A-Za-z_][\w.]*|\*\*|\/\/|[<>=!]=|[-+*/%<>&|~(),])/y;

/** The function, or undefined for text that is none of this kind. */
export function parseFunction(source: string): Fn | undefined {
  const text = source.trim().replace(/^lambda x:/, "").replace(/^f\(x\) *=/, "").trim(); // prettier-ignore
  const tokens: string[] = [];
  for (token.lastIndex = 0; token.lastIndex < text.length;) {
    const found = token.exec(text);
    if (!found) return undefined;
    tokens.push(found[1]);
  }
  try {
    const parser = new Parser(tokens);
    const fn = parser.binary(0);
    return parser.done && tokens.length > 0 ? fn : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

class Parser {
  private readonly tokens: readonly string[];
  private at = 0;

  constructor(tokens: readonly string[]) {
    this.tokens = tokens;
  }

  get done(): boolean {
    return this.at === this.tokens.length;
  }

  binary(row: number): Fn {
    if (row === rows.length) return this.unary();
    let left = this.binary(row + 1);
    while (!this.done && Object.hasOwn(rows[row], this.tokens[this.at])) {
      const operator = rows[row][this.tokens[this.at++]];
      const [a, b] = [left, this.binary(row + 1)];
      left = (x) => operator(a(x), b(x));
    }
    return left;
  }

  private unary(): Fn {
    const sign = this.tokens[this.at];
    if (sign !== "-" && sign !== "+" && sign !== "~" && sign !== "not") return this.power();
    this.at++;
    const value = this.unary();
    return sign === "-" ? (x) => -value(x) : sign === "+" ? value : (x) => !value(x);
  }

  private power(): Fn {
    const base = this.atom();
    if (this.tokens[this.at] !== "**") return base;
    this.at++;
    const exponent = this.unary();
    return (x) => Number(base(x)) ** Number(exponent(x));
  }

  private atom(): Fn {
    const next = this.tokens[this.at++] ?? "";
    if (next === "(") return this.closed(() => this.binary(0));
    if (/^[\d.]/.test(next)) return () => Number(next);
    const name = next.slice(next.lastIndexOf(".") + 1);
    if (this.tokens[this.at] === "(" && Object.hasOwn(named, name)) {
      this.at++;
      const fn = named[name];
      const args = this.closed(() => this.list());
      return (x) => fn(...args.map((arg) => arg(x)));
    }
    if (next === "x") return (x) => x;
    if (Object.hasOwn(constants, name)) return () => constants[name];
    throw new SyntaxError(next);
  }

  private list(): Fn[] {
    const args = [this.binary(0)];
    while (this.tokens[this.at] === ",") {
      this.at++;
      args.push(this.binary(0));
    }
    return args;
  }

  private closed<T>(inner: () => T): T {
    const value = inner();
    if (this.tokens[this.at++] !== ")") throw new SyntaxError("expected )");
    return value;
  }
}

/** A function that stands in a case by its name alone: `tanh`, `torch.tanh`. */
export const namedFunction = (source: string): Fn | undefined => {
  const name = source.slice(source.lastIndexOf(".") + 1);
  return /^[\w.]+$/.test(source) && Object.hasOwn(named, name) && named[name].length === 1 ? (named[name] as Fn) : undefined;
};
