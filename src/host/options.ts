/** @file Options by name: one that is not known is a mistake, above all a misspelling, and never silently left out. */

import { ConfigError } from "./errors.ts";
import { expectArguments, type Kind } from "./kinds.ts";

type Mark = "" | "!" | "?";
type Name<S extends string> = S extends `${infer N}:${Kind}${Mark}` ? N : S;
type Words<S extends string> = S extends `${infer First} ${infer Rest}` ? Name<First> | Words<Rest> : Name<S>;

/** `S` if it has the names of all options of `T`, separated by spaces, and no others: a forgotten or invented one does not compile. */
export type OptionNames<T extends object, S extends string> = [keyof T, Words<S>] extends [Words<S>, keyof T]
  ? S
  : { readonly forgotten: Exclude<keyof T, Words<S>>; readonly invented: Exclude<Words<S>, keyof T> };

/** Letters to change, add, leave out or swap from `a` to `b`. */
function distance(a: string, b: string): number {
  let [before, row] = [[] as number[], Array.from({ length: b.length + 1 }, (_, k) => k)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let k = 1; k <= b.length; k++) {
      const same = a[i - 1] === b[k - 1];
      next[k] = Math.min(row[k] + 1, next[k - 1] + 1, row[k - 1] + (same ? 0 : 1));
      if (a[i - 1] === b[k - 2] && a[i - 2] === b[k - 1]) next[k] = Math.min(next[k], before[k - 2] + 1);
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}

/** The name that was likely meant, if one is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replaceAll("_", "");
  const ranked = known.map((k) => ({ k, far: distance(plain(name), plain(k)) })).sort((a, b) => a.far - b.far);
  return ranked[0]?.far <= Math.max(1, name.length / 3) ? ranked[0].k : undefined;
}

/**
 * `expectOptions("Adam", options, "lr:number betas:numbers weights:numbers? params:list! decoder")`: names, and kinds of those that say one. With `!` an
 * option must be given, with `?` it may be null.
 * @throws ConfigError for an option with another name, with the nearest that there is, for one of another kind, and if the options are no object
 */
export function expectOptions<T extends object, const S extends string>(op: string, options: T, names: OptionNames<T, S>): void {
  expectNames(op, options, names as string);
}

interface Row {
  readonly name: string;
  readonly kind: Kind | undefined;
  /** `!`: it must be given; `?`: it may be null. */
  readonly mark: string;
}

// The texts are constants, so there is an end to them.
const read = new Map<string, readonly Row[]>();

/** What a text of names says of each. */
export function optionRows(names: string): readonly Row[] {
  let rows = read.get(names);
  if (!rows) {
    rows = names
      .split(" ")
      .filter(Boolean)
      .map((word) => {
        const [, name, kind, mark] = /^([^:!?]*):?(\w*)([!?]?)$/.exec(word)!;
        return { name, kind: (kind || undefined) as Kind | undefined, mark };
      });
    read.set(names, rows);
  }
  return rows;
}

/** As `expectOptions`, where no type has the names: of the options of a layer that is chosen by its name, say. */
export function expectNames(op: string, options: object, names: string | readonly string[]): void {
  const rows = optionRows(typeof names === "string" ? names : names.join(" "));
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const got =
      options === undefined
        ? "undefined; is an argument before them missing, such as the device?"
        : options === null
          ? "null"
          : Array.isArray(options)
            ? "a list"
            : typeof options;
    throw new ConfigError(
      `${op}: the options must be an object${rows.length === 0 ? "" : ` such as { ${rows[0].name}: … }`}, got ${got}`,
    );
  }
  for (const name of Object.keys(options)) if (!rows.some((row) => row.name === name)) unknown(op, name, rows);
  for (const { name, kind, mark } of rows) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (value === undefined && mark !== "!") continue;
    if (value === null && mark === "?") continue;
    if (kind !== undefined) expectArguments(op, kind, { [`options.${name}`]: value });
    else if (value === undefined) missing(op, name);
  }
}

/** The error of an option that has no default. */
export function missing(op: string, name: string): never {
  throw new ConfigError(`${op}: the option "${name}" is missing`);
}

function unknown(op: string, name: string, rows: readonly Row[]): never {
  const known = rows.map((row) => row.name);
  const near = nearest(name, known);
  throw new ConfigError(
    `${op}: there is no option ${JSON.stringify(name)}; ${near === undefined ? "" : `did you mean ${near}? `}` +
      (known.length === 0 ? "it takes none" : `known are ${known.join(", ")}`),
  );
}
