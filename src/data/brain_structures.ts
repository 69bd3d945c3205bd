/** @file The 32 brain structures of QuickNAT (Roy et al. 2019) and how atlases number them. */

import type { HostArray, TypedArray } from "../host/array.ts";
import { ConfigError } from "../host/errors.ts";
import { emptyLike } from "../host/strided.ts";
import type { LabelClass } from "./labels.ts";

/** FreeSurfer's structures, or those of neonatal brains. */
export type StructureNumbers = "FS" | "Neo";

const left = [
  "white matter",
  "cortex",
  "lateral ventricle",
  "inferior lateral ventricle",
  "cerebellum white matter",
  "cerebellum cortex",
  "thalamus",
  "caudate",
  "putamen",
  "pallidum",
  "3rd ventricle",
  "4th ventricle",
  "brain stem",
  "hippocampus",
  "amygdala",
  "CSF",
  "accumbens",
  "ventral DC",
];
const single = ["3rd ventricle", "4th ventricle", "brain stem", "CSF"];

/** Names of QuickNAT's classes 1, 2, 3, …: all of the left and the middle, then those of the right. */
const structureNames: readonly string[] = [
  ...left.map((name) => (single.includes(name) ? name : `left ${name}`)),
  ...left.filter((name) => !single.includes(name)).map((name) => `right ${name}`),
];

/** Atlas labels in the order of QuickNAT's classes 1, 2, 3, …; 210 and 211 stand for all even and all odd labels from 100 on. */
const structures: Readonly<Record<StructureNumbers, readonly number[]>> = {
  FS: [2, 3, 4, 5, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 24, 26, 28, 41, 42, 43, 44, 46, 47, 49, 50, 51, 52, 53, 54, 58, 60],
  Neo: [
    45, 211, 52, 50, 41, 39, 60, 37, 58, 56, 4, 11, 35, 48, 32, 46, 30, 62, 44, 210, 51, 49, 40, 38, 59, 36, 57, 55, 47, 31, 23,
    61,
  ],
};

function structureList(op: string, numbers: StructureNumbers): readonly number[] {
  if (Object.hasOwn(structures, numbers)) return structures[numbers];
  throw new ConfigError(`${op}: numbers must be "FS" or "Neo", got ${JSON.stringify(numbers)}`);
}

/** The number that an atlas label counts as. */
const merged = (numbers: StructureNumbers, label: number): number =>
  numbers === "Neo" && label >= 100 && Number.isInteger(label) ? 210 + (label % 2) : label;

/** Atlas labels, of any shape, as QuickNAT's classes: 1 … 32, and 0 for all other labels. @throws ConfigError for an unknown numbering */
export function structureClasses<A extends TypedArray>(labels: HostArray<A>, numbers: StructureNumbers): HostArray<A> {
  const list = structureList("structureClasses", numbers);
  const classes = new Map(list.map((label, i) => [label, i + 1]));
  const data = emptyLike(labels.data, labels.data.length);
  for (let i = 0; i < data.length; i++) data[i] = classes.get(merged(numbers, labels.data[i])) ?? 0;
  return { data, shape: [...labels.shape] };
}

/**
 * QuickNAT's structures as the classes of a dataset: those of its values that are none of them become background.
 * @param values the label values that occur in the dataset
 * @throws ConfigError for an unknown numbering
 */
export function structureLabels(values: readonly number[], numbers: StructureNumbers): LabelClass[] {
  const list = structureList("structureLabels", numbers);
  const known = new Set(values);
  const classes = list.map((label, i) => {
    const others = [...known].filter((v) => v !== label && merged(numbers, v) === label);
    return { name: structureNames[i], values: [label, ...others], ...(others.length > 0 && { writes: label }) };
  });
  const taken = new Set(classes.flatMap((c) => c.values));
  return [{ name: "background", values: [0, ...[...known].filter((v) => v !== 0 && !taken.has(v))] }, ...classes];
}
