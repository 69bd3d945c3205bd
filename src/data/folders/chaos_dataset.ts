/** @file The cases of a CHAOS folder as a dataset: which sequences, phases and organs are wanted of it. */

import { expectKinds } from "../../host/kinds.ts";
import { ConfigError, FormatError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import type { LabelClass } from "../labels.ts";
import { type ChaosCase, type ChaosGray, chaosLiver, chaosOrgans, type ChaosSequence } from "./chaos.ts";
import type { Case, CaseLayout, DatasetIndex } from "./dataset_index.ts";

/** Which acquisitions are cases: those of one sequence, both of MR, or all. */
export type ChaosAcquisitions = ChaosSequence | "MR" | "all";
/** What of T1DUAL is an image: one phase, both as two channels, or each as a case of its own. */
export type ChaosPhases = "in" | "out" | "both" | "each";

/** Options of `chaosDataset`. */
export interface ChaosDatasetOptions {
  /** Default the first of T1DUAL, T2SPIR and CT that is there. */
  readonly sequence?: ChaosAcquisitions;
  /** Default "in". Other sequences have one image. */
  readonly phases?: ChaosPhases;
  /** Names of CHAOS's organs, "all" of them, or ranges of gray values of your own, "name=low-high". In their order they are classes 1, 2, … Default all. */
  readonly organs?: readonly string[];
}

/** How a case of a dataset is read. */
export interface ChaosReading extends CaseLayout {
  readonly name: "chaos";
  /** Which acquisitions the dataset has. */
  readonly sequence: ChaosSequence;
  /** Classes by gray value; 0 for what is background here. */
  readonly classes: readonly ChaosGray[];
}

const members: Readonly<Record<ChaosAcquisitions, readonly ChaosSequence[]>> = {
  T1DUAL: ["T1DUAL"],
  T2SPIR: ["T2SPIR"],
  CT: ["CT"],
  MR: ["T1DUAL", "T2SPIR"],
  all: ["T1DUAL", "T2SPIR", "CT"],
};

/** What may stand for `sequence`. */
export const chaosAcquisitionNames = Object.keys(members) as readonly ChaosAcquisitions[];
/** What may stand for `phases`. */
export const chaosPhaseNames = ["in", "out", "both", "each"] as const satisfies readonly ChaosPhases[];

const grayOf = (sequence: ChaosSequence): readonly ChaosGray[] => (sequence === "CT" ? chaosLiver : chaosOrgans);

/**
 * The cases as a dataset. Those with label pictures train, the others are for tests; a patient's acquisitions are cases of one patient.
 * @param folder what messages call the folder
 * @throws ConfigError for organs, sequences and phases that are not there; FormatError where a patient is in two folders
 */
export function chaosDataset(cases: readonly ChaosCase[], options: ChaosDatasetOptions = {}, folder = "CHAOS"): DatasetIndex {
  expectOptions("chaosDataset", options, "sequence phases organs");
  expectKinds("chaosDataset", { objects: { cases }, text: { folder } });
  const there = [...new Set(cases.map((c) => c.sequence))];
  const { sequence = members.all.find((s) => there.includes(s)) ?? "T1DUAL", phases = "in", organs = ["all"] } = options;
  const wanted = members[sequence] as readonly ChaosSequence[] | undefined;
  if (!wanted)
    throw new ConfigError(`chaosDataset: sequence must be one of ${chaosAcquisitionNames.join(", ")}, got ${sequence}`);
  if (!chaosPhaseNames.includes(phases))
    throw new ConfigError(`chaosDataset: phases must be one of ${chaosPhaseNames.join(", ")}, got ${String(phases)}`);
  const chosen = cases.filter((c) => wanted.includes(c.sequence));
  if (chosen.length === 0)
    throw new ConfigError(`chaosDataset: ${folder} has no ${wanted.join(" or ")}; it has ${there.join(", ") || "nothing"}`);
  if (phases === "both" && (wanted.length > 1 || wanted[0] !== "T1DUAL"))
    throw new ConfigError(`chaosDataset: phases "both" makes two channels, which only T1DUAL has, not ${sequence}`);
  const tables = new Map(wanted.map((s) => [s, tableOf(s, organs, wanted)] as const));
  const made = chosen.flatMap((c) => casesOf(c, phases, tables.get(c.sequence)!.classes));
  const left = there.filter((s) => !wanted.includes(s));
  return {
    name: `CHAOS-${sequence}`,
    modality: channelsOf(sequence, phases),
    labels: tables.get(chosen[0].sequence)!.labels,
    fileEnding: ".dcm",
    training: made.filter((c) => c.label !== undefined),
    test: made.filter((c) => c.label === undefined),
    notes: left.length > 0 ? [`of the folder's sequences ${left.join(" and ")} take no part; ${sequence} was chosen`] : [],
  };
}

function channelsOf(sequence: ChaosAcquisitions, phases: ChaosPhases): string[] {
  if (sequence !== "T1DUAL") return [sequence === "CT" ? "CT" : sequence === "all" ? "MR or CT" : sequence];
  if (phases === "both") return ["T1 in-phase", "T1 out-phase"];
  return [{ in: "T1 in-phase", out: "T1 out-phase", each: "T1" }[phases]];
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, "");

/** The classes that are wanted, and the gray values that mean them; the other organs of CHAOS are background. */
function tableOf(sequence: ChaosSequence, organs: readonly string[], wanted: readonly ChaosSequence[]) {
  const known = grayOf(sequence);
  const names = organs.flatMap((o) => (o === "all" ? [...new Set(known.map((k) => k.name))] : [o]));
  const classes: ChaosGray[] = known.map((k) => ({ ...k, value: 0 }));
  const labels: LabelClass[] = [{ name: "background", values: [0] }];
  for (const organ of names) {
    const value = labels.length;
    const range = /^(.+)=(\d{1,3})-(\d{1,3})$/.exec(organ);
    const same = known.filter((k) => plain(k.name) === plain(organ));
    const gray = range ? [[Number(range[2]), Number(range[3])] as const] : same.map((k) => k.gray);
    const name = range ? range[1] : same[0]?.name;
    if (name === undefined)
      throw new ConfigError(
        `chaosDataset: ${sequence} has no organ "${organ}"; known are ${[...new Set(known.map((k) => k.name))].join(", ")}, and ranges of gray values such as liver=55-70`,
      );
    if (gray.some(([low, high]) => low < 1 || high > 255 || low > high))
      throw new ConfigError(`chaosDataset: "${organ}" is no range of gray values from 1 to 255`);
    if (labels.some((l) => plain(l.name) === plain(name)))
      throw new ConfigError(`chaosDataset: the organ "${name}" is named twice`);
    // Later entries of the table win.
    classes.push(...gray.map((range) => ({ value, name, gray: range })));
    labels.push({ name, values: [value] });
  }
  if (labels.length === 1) throw new ConfigError('chaosDataset: organs is empty; name at least one, or "all"');
  if (wanted.includes("CT") && wanted.length > 1 && labels.length > 2)
    throw new ConfigError('chaosDataset: of the CT only the liver is labeled; with MR and CT together organs must be ["liver"]');
  return { classes, labels };
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));

function casesOf(item: ChaosCase, phases: ChaosPhases, classes: readonly ChaosGray[]): Case[] {
  const { id, patient, sequence, image, outPhase, ground } = item;
  const layout: ChaosReading = { name: "chaos", sequence, classes };
  const make = (name: string, images: readonly (readonly string[] | undefined)[]): Case => {
    if (images.includes(undefined))
      throw new FormatError(`chaosDataset: ${id} has no out-phase slices; take phases "in", or leave the patient out`);
    const folders = images.map((paths) => folderOf(paths![0]));
    return { id: name, patient, image: folders, layout, ...(ground ? { label: folderOf(ground[0]) } : {}) };
  };
  if (sequence !== "T1DUAL" || phases === "in") return [make(id, [image])];
  if (phases === "out") return [make(id, [outPhase])];
  if (phases === "both") return [make(id, [image, outPhase])];
  return [make(`${id}_in`, [image]), make(`${id}_out`, [outPhase])];
}
