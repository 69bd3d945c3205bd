/** @file What the subcommands of `voxgrad` share: reading arguments, options as flags, and printing. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { ConfigError } from "../../host/errors.ts";
import { nearest } from "../../host/options.ts";
import { flagOf, type Option } from "../recipes/options.ts";
import type { Recipe } from "../recipes/recipe.ts";
import type { RunInfo } from "../run/files.ts";
import { loadRecipe, recipeByName, storedRecipe } from "../run/load_recipe.ts";

/** A subcommand; a row of the table in `main.node.ts`. */
export interface Command {
  readonly name: string;
  /** Lines of the overview: arguments, and what they do. */
  readonly usage: readonly (readonly [args: string, does: string])[];
  /** The text of `voxgrad <name> --help`; default the usage. */
  readonly help?: (args: readonly string[]) => Promise<string>;
  /** Takes its arguments and gives an exit code. */
  readonly run: (args: readonly string[]) => Promise<number>;
}

export const text = { type: "string" } as const;
export const flag = { type: "boolean" } as const;

type Flags = NonNullable<ParseArgsConfig["options"]>;

/** Throws `ConfigError` for what is not among `options`, and for an empty value of what is not among `mayBeEmpty`. */
export function parse<T extends Flags>(
  args: readonly string[],
  options: T,
  allowPositionals = false,
  mayBeEmpty: readonly string[] = [],
) {
  const parsed = parsedStrictly(args, options, allowPositionals);
  // A variable of the shell that is not set, which as a path would be the folder one is in.
  for (const [name, value] of Object.entries(parsed.values))
    if ([value].flat().includes("") && !mayBeEmpty.includes(name))
      throw new ConfigError(`--${name} is empty: give it a value, or leave it out`);
  return parsed;
}

function parsedStrictly<T extends Flags>(args: readonly string[], options: T, allowPositionals: boolean) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals, strict: true });
  } catch (error) {
    // Node's message, less its advice on positional arguments.
    const [problem] = (error as Error).message.replaceAll("\n", " ").split(". To specify a positional");
    const known = Object.keys(options).map((name) => `--${name}`);
    if ((error as { code?: string }).code !== "ERR_PARSE_ARGS_UNKNOWN_OPTION") throw new ConfigError(problem, { cause: error });
    const near = nearest(/'(-[^' ]*)/.exec(problem)?.[1] ?? "", known);
    throw new ConfigError(
      `${problem}; ${near === undefined ? "" : `did you mean ${near}? `}known are ${known.join(", ") || "none"}`,
      { cause: error },
    );
  }
}

/** What is said of a case that failed while others go on. */
export function failureOf(id: string, error: Error): string {
  const named = `case "${id}": `;
  return `${named}${error.name}: ${error.message.startsWith(named) ? error.message.slice(named.length) : error.message}`;
}

/** A path as a shell takes it for one word, also with spaces. */
export const shellWord = (path: string): string => (/^[\w@%+=:,./\\~-]+$/.test(path) ? path : `"${path.replaceAll('"', '\\"')}"`);

export const say = (line: string) => process.stdout.write(`${line}\n`);

type Table = Readonly<Record<string, Option<unknown>>>;

/** The flags of a table of options. */
export const flagsOf = (table: Table): Record<string, { type: "string" | "boolean" }> =>
  Object.fromEntries(Object.entries(table).map(([name, option]) => [flagOf(name, option), option.read ? text : flag]));

/** Options by name, of those that were given as flags. */
export function optionsIn(table: Table, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = Object.entries(table).flatMap(([name, option]) => {
    const value = values[flagOf(name, option)];
    if (value === undefined) return [];
    if (typeof value === "string" && option.file) return [[name, jsonFileNamed(value)] as const];
    const read = typeof value === "string" && option.read ? option.read(value) : value;
    return [[name, option.path ? resolvedPaths(read) : read] as const];
  });
  return Object.fromEntries(given);
}

const resolvedPaths = (paths: unknown): unknown =>
  Array.isArray(paths) ? paths.map(resolvedPaths) : typeof paths === "string" && paths !== "" ? resolve(paths) : paths;

/** Throws `ConfigError` naming the file. */
function jsonFileNamed(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ConfigError(`cannot read the JSON file ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** How messages call an option: by its flag. */
export const calledBy =
  (table: Table) =>
  (name: string): string =>
    Object.hasOwn(table, name) ? `--${flagOf(name, table[name])}` : name;

/** Rows of `--help`. */
export const helpLines = (rows: readonly (readonly [flag: string, help: string])[]): string =>
  rows.map(([name, help]) => `  --${name.padEnd(20)} ${help}\n`).join("");

/** The recipe of the library, or of a module of the user's own given by its path. */
export async function recipeOf(name: string): Promise<Recipe> {
  return /[\\/.]/.test(name) ? loadRecipe(pathToFileURL(resolve(name)).href) : recipeByName(name);
}

/** The recipe of a run: the one named, else the run's own, wherever it was. */
export async function recipeOfRun({ recipe }: RunInfo, name?: string): Promise<Recipe> {
  return name === undefined ? storedRecipe(recipe) : recipeOf(name);
}

/** The value of an option that decides how the others are read. */
export function peek(args: readonly string[], name: string): string | undefined {
  const at = args.findIndex((a) => a === `--${name}` || a.startsWith(`--${name}=`));
  if (at < 0) return undefined;
  return args[at].includes("=") ? args[at].slice(name.length + 3) : args[at + 1];
}
