/** @file Options by name: one that is not known is a mistake, above all a misspelling, and never silently left out. */

import { ConfigError } from "./errors.ts";
import { expectArguments, type Kind } from "./kinds.ts";

type Name<S extends string> = S extends `${infer N}:${string}` ? N : S;
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
 * `expectOptions("Adam", options, "lr betas eps")`. Throws `ConfigError` for an option with another name, suggesting the nearest, if the options are
 * no object, and for one of another kind where the names say kinds: `"lr:number betas:numbers weightMap:array?"`, the last of which may be null.
 */
export function expectOptions<T extends object, const S extends string>(op: string, options: T, names: OptionNames<T, S>): void {
  const text = names as string;
  if (!text.includes(":")) return expectNames(op, options, text);
  const rows = text.split(" ").map((row) => row.split(":"));
  expectNames(
    op,
    options,
    rows.map(([name]) => name),
  );
  for (const [name, kind] of rows) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (kind === undefined || value === undefined || (value === null && kind.endsWith("?"))) continue;
    expectArguments(op, kind.replace("?", "") as Kind, { [name]: value });
  }
}

/** Options whose names are known, to take apart. @throws ConfigError as `expectOptions` does */
export function knownOptions<T extends object>(
  op: string,
  options: T,
  names: readonly string[],
  ...needed: readonly string[]
): T {
  expectNames(op, options, names, ...needed);
  return options;
}

/** As `expectOptions`, where no type has the names: of the options of a layer that is chosen by its name, say. `needed` are those that must be given. */
export function expectNames(op: string, options: object, names: string | readonly string[], ...needed: readonly string[]): void {
  const known = typeof names === "string" ? names.split(" ").filter(Boolean) : names;
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
      `${op}: the options must be an object${known.length === 0 ? "" : ` such as { ${known[0]}: … }`}, got ${got}`,
    );
  }
  for (const name of Object.keys(options)) if (!known.includes(name)) unknown(op, name, known);
  for (const name of needed) {
    if ((options as Readonly<Record<string, unknown>>)[name] === undefined) missing(op, name);
  }
}

/** The error of an option that has no default. */
export function missing(op: string, name: string): never {
  throw new ConfigError(`${op}: the option "${name}" is missing`);
}

function unknown(op: string, name: string, known: readonly string[]): never {
  const near = nearest(name, known);
  throw new ConfigError(
    `${op}: there is no option ${JSON.stringify(name)}; ${near === undefined ? "" : `did you mean ${near}? `}` +
      (known.length === 0 ? "it takes none" : `known are ${known.join(", ")}`),
  );
}
