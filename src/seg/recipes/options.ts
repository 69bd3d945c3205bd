/**
 * @file Options as a table: what each is for, what it must be, and how a command line spells it. A recipe states its own, the runner the ones that all
 * runs have; reading a config, `--help` and the messages follow from the table.
 */

import { expectArguments, expectFields } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";

/** One option of a recipe or a run: what it is for, what it must be, and how a command line spells it. */
export interface Option<T> {
  /** What it must be, in words that follow "must be". */
  readonly expects: string;
  /** Whether a `value` is one. */
  readonly fits: (value: unknown) => boolean;
  /** One line for `--help`. */
  readonly help: string;
  /** The text of a command line as a value; what it cannot make sense of it leaves for `fits` to refuse. Absent for switches. */
  readonly read?: (text: string) => unknown;
  /** On the command line the name of a JSON file stands for its content. */
  readonly file?: true;
  /** On the command line a path, or several: relative ones begin where the command runs. */
  readonly path?: true;
  /** Name on the command line without "--"; default the option's in kebab-case. */
  readonly flag?: string;
  /** The value where none is given and none is suggested. */
  readonly standard?: T;
  /** All that it can be, where these are a few words or numbers. */
  readonly choices?: readonly T[];
}

/** Options of a recipe by name. */
export type OptionTable<Config> = { readonly [K in keyof Config]-?: Option<Config[K]> };

/** The config that a table of options describes. */
export type ConfigOf<Table> = { readonly [K in keyof Table]: Table[K] extends Option<infer T> ? T : never };

/** What may be set of any option beside what it must be. */
export type OptionExtras<T> = Pick<Option<T>, "flag" | "standard">;

const numberIn = (text: string): unknown => (text.trim() === "" ? text : Number.isNaN(Number(text)) ? text : Number(text));
const listIn = (text: string): unknown => text.split(",").map(numberIn);
const isInteger = (v: unknown, least: number): v is number => Number.isSafeInteger(v) && (v as number) >= least;

function expectExtras(op: string, help: unknown, more: unknown, numbers: Readonly<Record<string, unknown>> = {}): void {
  expectArguments(op, "number", numbers);
  expectArguments(op, "text", { help });
  expectArguments(op, "object", { more });
}

/** An integer of at least `least`. `help` is its line for `--help`. */
export function integer(least: number, help: string, more: OptionExtras<number> = {}): Option<number> {
  expectExtras("integer", help, more, { least });
  return {
    expects: least === 1 ? "a positive integer" : `an integer from ${least}`,
    fits: (v) => isInteger(v, least),
    help,
    read: numberIn,
    ...more,
  };
}

/** A finite number above 0. `help` is its line for `--help`. */
export function positive(help: string, more: OptionExtras<number> = {}): Option<number> {
  expectExtras("positive", help, more);
  return {
    expects: "a positive number",
    fits: (v) => typeof v === "number" && v > 0 && Number.isFinite(v),
    help,
    read: numberIn,
    ...more,
  };
}

/** A number in [low, high]. `help` is its line for `--help`. */
export function between(low: number, high: number, help: string, more: OptionExtras<number> = {}): Option<number> {
  expectExtras("between", help, more, { low, high });
  return {
    expects: `a number from ${low} to ${high}`,
    fits: (v) => typeof v === "number" && v >= low && v <= high,
    help,
    read: numberIn,
    ...more,
  };
}

/**
 * `count` positive integers, or at least so many if `more` follow. `help` is its line for `--help`; with `open` more may follow. The result is an `Option`:
 * `flag`, `standard`, `expects`, whether `v` fits (`fits`), `help`, and `read` of a `text`.
 */
export const integers = (
  count: number,
  help: string,
  extras: OptionExtras<readonly number[]> & { readonly open?: boolean } = {},
) => {
  expectExtras("integers", help, extras, { count });
  const { open = false, ...more } = extras;
  const words = ["no", "one", "two", "three"][count] ?? String(count);
  return {
    expects: open ? `at least ${words} positive integers` : `${words} positive integers`,
    fits: (v) => Array.isArray(v) && (open ? v.length >= count : v.length === count) && v.every((n) => isInteger(n, 1)),
    help,
    read: listIn,
    ...more,
  } satisfies Option<readonly number[]>;
};

/** One of some words or numbers. These are `choices`; `help` is its line for `--help`. */
export const oneOf = <const T extends string | number>(
  choices: readonly T[],
  help: string,
  more: OptionExtras<T> = {},
): Option<T> => {
  expectArguments("oneOf", "list", { choices });
  expectExtras("oneOf", help, more);
  const names = choices.map((c) => JSON.stringify(c));
  return {
    expects: [...(names.length > 1 ? [names.slice(0, -1).join(", ")] : []), names.at(-1)].join(" or "),
    fits: (v) => choices.includes(v as T),
    choices,
    help,
    read: typeof choices[0] === "number" ? numberIn : (text) => text,
    ...more,
  };
};

/** A switch, off unless given. `help` is its line for `--help`. */
export function toggle(help: string, more: Pick<Option<boolean>, "flag"> = {}): Option<boolean> {
  expectExtras("toggle", help, more);
  return { expects: "true or false", fits: (v) => typeof v === "boolean", help, standard: false, ...more };
}

/** Folders, with commas between them on a command line; none unless given. `help` is its line for `--help`. */
export function folders(help: string): Option<readonly string[]> {
  expectExtras("folders", help, {});
  return {
    expects: "a list of folders",
    fits: (v) => Array.isArray(v) && v.every((f) => typeof f === "string" && f !== ""),
    help,
    read: (text) => text.split(","),
    path: true,
    standard: [],
  };
}

/**
 * A value that is told by the name of a JSON file. @param help "" for one that only a run's own files have
 * @param fits whether `v`, what the file holds, is such a value
 */
export function jsonFile<T>(help: string, fits: (v: unknown) => boolean, more: OptionExtras<T> = {}): Option<T> {
  expectExtras("jsonFile", help, more);
  expectArguments("jsonFile", "function", { fits });
  return { expects: "the content of a JSON file", fits, help, read: (text) => text, file: true, ...more };
}

type AnyTable = Readonly<Record<string, Option<unknown>>>;

/** Name of an option on the command line. */
export function flagOf(name: string, option: Option<unknown>): string {
  expectArguments("flagOf", "text", { name });
  expectArguments("flagOf", "object", { option });
  return option.flag ?? name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
}

function expectTable(op: string, table: unknown): void {
  expectArguments(op, "object", { table });
  for (const [name, option] of Object.entries(table as object)) expectFields(op, `table.${name}`, option, { fits: "function" });
}

/**
 * Checks a record from a file, a command line or code.
 * @param source what the record came from, for the message
 * @param say how the message calls an option, such as by its flag
 * @throws ConfigError naming the first option that is unknown, missing or out of range
 * @param value the record
 * @param say how the message calls an option from its `name`, such as by its flag
 */
export function checkOptions<Config>(
  table: OptionTable<Config>,
  value: unknown,
  source: string,
  say: (name: string) => string = (name) => name,
): Config {
  expectTable("checkOptions", table);
  const known = table as AnyTable;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ConfigError(`${source}: expected a record of options`);
  const record = value as Record<string, unknown>;
  for (const name of Object.keys(record)) {
    if (!Object.hasOwn(known, name))
      throw new ConfigError(`${source}: unknown option "${name}"; known are ${Object.keys(known).join(", ")}`);
  }
  const checked = Object.entries(known).map(([name, option]) => {
    const given = record[name] ?? option.standard;
    if (option.fits(given)) return [name, given] as const;
    throw new ConfigError(`${source}: ${say(name)} must be ${option.expects}, got ${JSON.stringify(given)}`);
  });
  return Object.fromEntries(checked) as Config;
}

/** The standard values of those options that have one. */
export function standardOptions<Config>(table: OptionTable<Config>): Partial<Config> {
  expectTable("standardOptions", table);
  return Object.fromEntries(
    Object.entries(table as AnyTable).flatMap(([name, { standard }]) => (standard === undefined ? [] : [[name, standard]])),
  ) as Partial<Config>;
}
