/** @file Options of transforms: their names and kinds, which each transform says where it takes them, and values that are per axis. */
import { expectWord } from "../../host/words.ts";
import { type Defaults, withDefaults } from "../../host/defaults.ts";
import { ConfigError } from "../../host/errors.ts";
import { elements, nativeNames } from "../../host/elements.ts";
import { gaussianWays } from "../../host/gaussian.ts";
import { refused } from "../../host/kinds.ts";
import { expectNames, type OptionNames, optionRows } from "../../host/options.ts";

const dtypes = nativeNames.map((name) => elements[name].numpy);

/** Options that mean the same wherever they are. */
const words: Readonly<Record<string, readonly string[] | object>> = {
  approx: gaussianWays,
  reflectType: ["even", "odd"],
};

/**
 * The options of a transform, to take apart. Null stands for "none" in any of them. NaN is a number only for what is written into images or compared with
 * them, the kinds `voxel` and `voxels`.
 * @param names as `expectOptions` has them
 * @throws ConfigError for unknown options, those of another kind, and if one that is needed is missing
 */
export function checkedOptions<T extends object>(op: string, options: T, names: string): T {
  const given = typeof options === "object" && options !== null && !Array.isArray(options) ? withoutNulls(options) : options;
  expectNames(op, given, names);
  for (const { name, kind = "voxel" } of optionRows(names)) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined && value !== null && Object.hasOwn(words, name)) expectWord(op, name, value, words[name]);
    if (Number.isNaN(value) && !kind.startsWith("voxel")) refused(op, `options.${name}`, "a number", value);
  }
  return options;
}

const withoutNulls = (options: object): object =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null));

/** The options of a transform with the defaults of those left out. @throws ConfigError as `checkedOptions` and `withDefaults` */
export function allOptions<O extends object, const S extends string>(
  op: string,
  options: O,
  names: OptionNames<O, S>,
  defaults: Defaults<O>,
): Required<O> {
  const all = withDefaults(op, checkedOptions(op, options, names as string), defaults);
  const { dtype = null } = all as { readonly dtype?: unknown };
  if (dtype !== null) expectWord(op, "dtype", dtype, dtypes);
  return all;
}

/** One value per axis: one number is repeated. @throws ConfigError for another count */
export function perAxis(op: string, name: string, value: number | readonly number[], dims: number): number[] {
  const list = typeof value === "number" ? new Array<number>(dims).fill(value) : value;
  if (list.length === dims) return [...list];
  if (list.length === 1) return new Array<number>(dims).fill(list[0]);
  throw new ConfigError(`${op}: ${name} has ${list.length} values for ${dims} spatial axes; give one or ${dims}`);
}
