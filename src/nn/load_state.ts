/** @file Writing weights into a module: what must fit, what may be left out, and a report of both. */

import { expectArguments, expectFields } from "../host/kinds.ts";
import { CheckpointError } from "../host/errors.ts";
import type { HostArray } from "../host/array.ts";
import { sameShape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type NameFilter, nameMatcher } from "./names.ts";

/** Options of `Module.loadStateDict`. */
export interface LoadOptions {
  /** Every name of the model must be in the state, and the reverse; default true. */
  readonly strict?: boolean;
  /** Leave parameters alone whose shape differs, instead of throwing: a head for other classes. PyTorch throws; default false. */
  readonly skipMisshaped?: boolean;
  /** Only names of the model that match take part; the others are left alone and neither missing nor unexpected. */
  readonly select?: NameFilter;
  /** The model's name for a name of the state; undefined leaves the entry out. */
  readonly rename?: (name: string) => string | undefined;
}

/** What loading did and did not do, by the names of the model. */
export interface LoadReport {
  /** Names that were written. */
  readonly loaded: readonly string[];
  /** Names the model has and the state lacks. */
  readonly missing: readonly string[];
  /** Names the state has and the model lacks. */
  readonly unexpected: readonly string[];
  /** Names whose shapes differ, with both. */
  readonly misshaped: readonly string[];
}

/** See `Module.loadStateDict`. */
export function loadTensors(
  named: Iterable<readonly [string, Tensor]>,
  state: ReadonlyMap<string, HostArray>,
  { strict = true, skipMisshaped = false, select = () => true, rename = (name) => name }: LoadOptions = {},
): LoadReport {
  if (typeof (state as Partial<typeof state> | undefined)?.[Symbol.iterator] !== "function") {
    throw new CheckpointError(
      "the weights to load are no map of names to arrays: of a file that readWeights read, give its `tensors`",
    );
  }
  const selected = nameMatcher(select);
  const own = new Map([...named].filter(([name]) => selected(name)));
  const given = renamed(state, rename, selected);
  const fits = (name: string, t: Tensor) => sameShape(given.get(name)!.shape, t.shape);
  const present = [...own].filter(([name]) => given.has(name));
  // A tensor with several names (tied weights, nnU-Net's encoder inside of its decoder) is there if one of them is.
  const tensors = new Set(present.map(([, t]) => t));
  const report: LoadReport = {
    loaded: present.filter(([name, t]) => fits(name, t)).map(([name]) => name),
    missing: [...own].filter(([, t]) => !tensors.has(t)).map(([name]) => name),
    unexpected: [...given.keys()].filter((name) => !own.has(name)),
    misshaped: present
      .filter(([name, t]) => !fits(name, t))
      .map(([name, t]) => `${name}: model ${showShape(t.shape)}, file ${showShape(given.get(name)!.shape)}`),
  };
  const problems = [
    ...(strict && report.missing.length > 0 ? [`missing: ${report.missing.join(", ")}`] : []),
    ...(strict && report.unexpected.length > 0 ? [`unexpected: ${report.unexpected.join(", ")}`] : []),
    ...(!skipMisshaped && report.misshaped.length > 0 ? [`other shapes: ${report.misshaped.join("; ")}`] : []),
  ];
  if (problems.length > 0) throw new CheckpointError(`the weights do not fit this model: ${problems.join(". ")}`);
  for (const name of report.loaded) {
    const t = own.get(name)!;
    t.device.write(t, given.get(name)!);
  }
  return report;
}

function renamed(
  state: ReadonlyMap<string, HostArray>,
  rename: (name: string) => string | undefined,
  selected: (name: string) => boolean,
): Map<string, HostArray> {
  const result = new Map<string, HostArray>();
  const from = new Map<string, string>();
  for (const [name, array] of state) {
    const to = rename(name);
    if (to === undefined || !selected(to)) continue;
    if (result.has(to)) throw new CheckpointError(`rename gives "${to}" for both "${from.get(to)}" and "${name}"`);
    from.set(to, name);
    result.set(to, array);
  }
  return result;
}

/** The report in lines for people; a list longer than `limit` is cut short. */
export function describeLoad(report: LoadReport, limit = 8): string {
  expectFields("describeLoad", "report", report, { loaded: "texts", missing: "texts", unexpected: "texts", misshaped: "texts" });
  expectArguments("describeLoad", "number", { limit });
  const list = (what: string, names: readonly string[]) => {
    const more = names.length > limit ? `\n    … and ${names.length - limit} more` : "";
    return names.length === 0 ? [] : [`  ${names.length} ${what}:\n    ${names.slice(0, limit).join("\n    ")}${more}`];
  };
  return [
    `${report.loaded.length} tensors loaded`,
    ...list("missing from the file, left as they were", report.missing),
    ...list("not of this model, ignored", report.unexpected),
    ...list("of other shapes, left as they were", report.misshaped),
  ].join("\n");
}
