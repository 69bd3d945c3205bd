/**
 * @file Conformance adapters of the intensity and utility transforms: one rule for all. `monai.transforms.X` and `torchio.X` are the class X with its
 * options in camelCase; an option that the class does not know is a failure.
 */
import * as intensity from "../../../src/data/transforms/intensity/index.ts";
import { isRandomizable, type RandomTransform, type Transform } from "../../../src/data/transforms/transform.ts";
import * as utility from "../../../src/data/transforms/utility/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { NotCovered, withKnownOptions, type Adapter, type Adapters, type Case } from "../format.ts";
import { camel } from "../../lib/names.ts";
import { eachKey, keyOptions } from "../each_key.ts";
import { dtypeName, plain, random } from "./data.ts";

type Args = Record<string, any>;
type Class = new (options?: Args) => Transform;

/** How a case calls, and upstream options about Python objects, devices and logs. */
const notOptions = new Set(
  `call seed draws config image randomize lazy track_meta wrap_sequence device name meta_info inv_func copy p ${keyOptions}`.split(
    " ",
  ),
);
/** Arrays that stay arrays. */
const arrays = new Set(["mask", "mask_data", "filter"]);

function options(test: Case): Args {
  const out: Args = {};
  for (const [key, value] of Object.entries({ ...test.args, ...test.args.config })) {
    if (notOptions.has(key)) continue;
    out[camel(key)] = key === "dtype" ? dtypeName(value as string | null) : arrays.has(key) ? value : known(plain(value));
  }
  return out;
}

type Values = Float64Array | { readonly data: Float64Array };
const valuesOf = (v: Values): Float64Array => ("data" in v ? v.data : v);

/** Functions of whole arrays that cases name. */
const functions: Readonly<Record<string, unknown>> = {
  mean: (v: Values): number => valuesOf(v).reduce((a, b) => a + b, 0) / valuesOf(v).length,
  min: (v: Values): number => Math.min(...valuesOf(v)),
  max: (v: Values): number => Math.max(...valuesOf(v)),
  threshold_mean: "mean",
  threshold_otsu: "otsu",
};

function known(value: any): any {
  if (Array.isArray(value)) return value.map(known);
  if (typeof value === "function") return functions[value.name] ?? value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, known(v)]));
}

/** A named function of whole arrays is not one that a case can carry; one of numbers acts on each element. */
function ofArrays(func: unknown): unknown {
  if (typeof func !== "function") return func;
  return (x: HostArray): HostArray => ({ ...x, data: Float64Array.from(x.data, (v) => Number(func(v))) });
}

function make(type: Class, test: Case): Transform {
  const given = options(test);
  if ("func" in given) given.func = ofArrays(given.func);
  return withKnownOptions(test.op, () => new type(given));
}

/** The array that a case is about, whatever its name, and the others that a call gets; where it lies in space changes no value. */
function inputsOf(test: Case): { main: HostArray; call: Args } {
  const { img, label, x, affine: _, ...rest } = test.inputs;
  const [first] = Object.keys(rest);
  const main = img ?? label ?? x ?? rest[first];
  const others = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== main));
  return { main, call: { ...(img && label ? { label } : {}), ...others, ...test.args.call } };
}

/** What follows the array in a call of some transforms, in order. */
const further: Readonly<Record<string, readonly string[]>> = {
  MaskIntensity: ["mask_data"],
  HistogramNormalize: ["mask"],
  FgBgToIndices: ["image", "output_shape"],
  ClassesToIndices: ["image", "output_shape"],
};

/** Options of a call that others have in the constructor. */
function callAsOptions(test: Case, call: Args, taken: readonly string[]): Case {
  const extra = Object.fromEntries(Object.entries(call).filter(([key, v]) => !taken.includes(key) && v !== null));
  return { ...test, args: { ...test.args, ...extra } };
}

const special: Readonly<Record<string, (type: Class, test: Case) => unknown>> = {
  // Upstream leaves the channel out that its comment says the map has.
  UltrasoundConfidenceMapTransform: (type, test) => {
    const { main, call } = inputsOf(test);
    const map = make(type, test) as intensity.UltrasoundConfidenceMapTransform;
    const { data, shape } = map.apply(main, call.mask);
    return { data, shape: shape.slice(1) };
  },
  IntensityStats: (type, test) => {
    const { main, call } = inputsOf(test);
    const stats = make(type, test) as utility.IntensityStats;
    return [main, { ...call.meta_data, ...stats.measure(main, call.mask) }];
  },
  AddExtremePointsChannel: (type, test) => {
    const { main, call } = inputsOf(test);
    const { label, ...rest } = call;
    return random(test, (source) => {
      const t = make(type, callAsOptions(test, rest, [])) as utility.AddExtremePointsChannel;
      t.setRandomState(source);
      t.randomize(label);
      return t.applyDrawn(main);
    });
  },
  RandShiftIntensity: (type, test) => {
    const { main, call } = inputsOf(test);
    return random(test, (source) => {
      const t = make(type, test) as intensity.RandShiftIntensity;
      t.setRandomState(source);
      t.randomize(main);
      return t.applyDrawn(main, call.factor ?? 1);
    });
  },
};

function adapterOf(name: string, type: Class): Adapter {
  return (test) => {
    if (special[name]) return special[name](type, test);
    const { main, call } = inputsOf(test);
    const names = further[name] ?? [];
    const ready = callAsOptions(test, call, names);
    const t = make(type, ready);
    if (main === undefined) throw new NotCovered("a call without an array");
    if (isRandomizable(t) && (test.args.seed !== undefined || test.args.draws)) {
      return random(test, (source) => {
        const own = make(type, ready) as RandomTransform;
        own.setRandomState(source);
        return own.apply(main);
      });
    }
    return (t.apply as (...args: unknown[]) => unknown).apply(t, [main, ...names.map((key) => plainShape(key, call[key]))]);
  };
}

const plainShape = (key: string, value: unknown): unknown => (key === "output_shape" ? plain(value) : value) ?? undefined;

const classes = Object.entries({ ...intensity, ...utility }).filter(
  ([, value]) => typeof value === "function" && "apply" in ((value as { prototype?: object }).prototype ?? {}),
) as unknown as [string, Class][];

/** Which library a class is named after. */
const libraryOf = (name: string): string =>
  ["RescaleIntensity", "ZNormalization", "HistogramStandardization"].includes(name) || /^Random(?!Brightness)/.test(name)
    ? "torchio"
    : "monai.transforms";

export const adapters: Adapters = Object.fromEntries(
  classes.flatMap(([name, type]) => {
    const [op, adapter] = [`${libraryOf(name)}.${name}`, adapterOf(name, type)];
    return [[op, adapter] as const, ...["d", "D", "Dict"].map((form) => [`${op}${form}`, eachKey(adapter)] as const)];
  }),
);
