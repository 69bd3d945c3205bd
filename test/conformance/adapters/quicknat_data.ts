/** @file QuickNAT's preparation of volumes: views, slices that are kept, classes of atlas labels, weights. */
import {
  labeledSlices,
  medianFrequencyWeights,
  type SliceOrientation,
  rotateOrientation,
  structureClasses,
  type StructureNumbers,
  takeSlices,
  thinnedSlices,
} from "../../../src/data/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { type Adapter, type Adapters, type Case, expectKnown, type Families } from "../format.ts";

/** Arrays and options of a case, each among `args` or `inputs`. */
function parts({ op, args, inputs }: Case, known: string): { arrays: HostArray[]; options: Record<string, any> } {
  const all = Object.entries({ ...inputs, ...args });
  const isArray = ([, v]: [string, any]) => ArrayBuffer.isView(v?.data);
  const options = Object.fromEntries(all.filter((entry) => !isArray(entry)));
  expectKnown(op, options, known.split(" "));
  return { arrays: all.filter(isArray).map(([, v]) => v), options };
}

/** Upstream's tuple in the case's form: bare, as a list, or by the case's own names in order. */
function answer(expected: any, values: readonly HostArray[]): unknown {
  if (ArrayBuffer.isView(expected?.data)) return values[0];
  if (Array.isArray(expected) || expected?.error) return values;
  return Object.fromEntries(Object.keys(expected).map((name, i) => [name, values[i]]));
}

const prepared =
  (known: string, run: (arrays: HostArray[], options: Record<string, any>) => HostArray[]): Adapter =>
  (test) => {
    const { arrays, options } = parts(test, known);
    return answer(test.expected, run(arrays, options));
  };

/** Labels come behind the images. */
const functions: Record<string, Adapter> = {
  rotate_orientation: prepared("orientation", (volumes, { orientation = "COR" }) =>
    volumes.map((v) => rotateOrientation(v, orientation as SliceOrientation)),
  ),
  reduce_slices: prepared("skip_Frame skip_frame", (stacks, o) => {
    const kept = thinnedSlices(stacks[0].shape[0], { skip: o.skip_Frame ?? o.skip_frame ?? 40, compat: "quicknat" });
    return stacks.map((stack) => takeSlices(stack, kept));
  }),
  remove_black: prepared("", (stacks) => {
    const kept = labeledSlices(stacks.at(-1)!);
    const taken = stacks.map((stack) => takeSlices(stack, kept));
    // numpy has no shape for an empty list of slices.
    return kept.length > 0 ? taken : taken.map(({ data }) => ({ data, shape: [0] }));
  }),
  remap_labels: prepared("remap_config", ([labels], o) => [structureClasses(labels, o.remap_config as StructureNumbers)]),
  estimate_weights_mfb: prepared("", ([labels]) => {
    const { weights, classWeights } = medianFrequencyWeights(labels, { compat: "quicknat" });
    return [weights, classWeights];
  }),
};

const last = (op: string): string => op.split(".").at(-1)!;

export const adapters: Adapters = {};
export const families: Families = [
  [
    new RegExp(`^(?:quicknat|preprocessor)\\.(?:\\w+\\.)*(?:${Object.keys(functions).join("|")})$`),
    (test, context) => functions[last(test.op)](test, context),
  ],
];
