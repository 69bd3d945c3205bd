/** @file Folders of any layout: one in CHAOS's opens as a dataset of the sequences, phases and organs that are wanted, and its cases are read. */

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDataset, readCase, readCaseLabel } from "../../../src/data/folders/layouts.node.ts";
import { selectFold } from "../../../src/data/folders/splits.ts";
import { ConfigError, DataError, FormatError } from "../../../src/host/errors.ts";
import { writeChaosFolder } from "../../lib/chaos_folder.ts";

const root = mkdtempSync(join(tmpdir(), "voxgrad-layouts-"));
const dir = join(root, "Train_Sets");
beforeAll(async () => {
  await writeChaosFolder(dir, { patients: [1, 2, 10], size: [16, 12, 4], unlabeled: [10] });
  await writeChaosFolder(dir, { patients: [3], size: [16, 12, 4], sequences: ["CT"] });
});
afterAll(() => rmSync(root, { recursive: true }));

const chaos = (options: object) => openDataset(root, { chaos: options });
const idsOf = (cases: readonly { readonly id: string }[]) => cases.map((c) => c.id);

test("sequences, phases and organs decide cases, channels and classes", async () => {
  const plain = await openDataset(root);
  expect([idsOf(plain.training), idsOf(plain.test), plain.modality]).toEqual([
    ["MR_1_T1DUAL", "MR_2_T1DUAL"],
    ["MR_10_T1DUAL"],
    ["T1 in-phase"],
  ]);
  expect(plain.labels.map((l) => l.name)).toEqual(["background", "liver", "right kidney", "left kidney", "spleen"]);
  expect(plain.notes).toEqual(["of the folder's sequences CT and T2SPIR take no part; T1DUAL was chosen"]);

  const each = await chaos({ sequence: "MR", phases: "each", organs: ["spleen", "Right-Kidney"] });
  expect(idsOf(each.training).slice(0, 3)).toEqual(["MR_1_T1DUAL_in", "MR_1_T1DUAL_out", "MR_1_T2SPIR"]);
  expect(each.training.map((c) => c.patient)).toEqual(["MR_1", "MR_1", "MR_1", "MR_2", "MR_2", "MR_2"]);
  expect(each.labels.map((l) => [l.name, l.values[0]])).toEqual([
    ["background", 0],
    ["spleen", 1],
    ["right kidney", 2],
  ]);
  const ct = await chaos({ sequence: "CT" });
  expect([idsOf(ct.training), ct.modality, ct.labels.map((l) => l.name)]).toEqual([["CT_3"], ["CT"], ["background", "liver"]]);
  expect(idsOf((await chaos({ sequence: "all", organs: ["liver"] })).training)).toContain("CT_3");
});

test("cases are read, with organs that are not wanted as background", async () => {
  const both = await chaos({ phases: "both", organs: ["liver", "kidneys=110-200"] });
  const { image, label } = await readCase(both.training[0], both.labels);
  expect([image.shape, label?.shape]).toEqual([
    [2, 16, 12, 4],
    [1, 16, 12, 4],
  ]);
  expect(image.spacing).toEqual([1.6, 1.6, 6]);
  expect([...new Set(label!.data)].sort()).toEqual([0, 1, 2]);
  const liver = await chaos({ organs: ["liver"] });
  const alone = await readCaseLabel(liver.training[0], liver.labels);
  expect(alone.data).toEqual(label!.data.map((v) => (v === 1 ? 1 : 0)));
  const ct = await chaos({ sequence: "CT" });
  const scan = await readCase(ct.training[0], ct.labels);
  expect(scan.label!.data).toContain(1);
  expect(Math.min(...scan.image.data)).toBeLessThan(-900);
  await expect(readCaseLabel(both.test[0], both.labels)).rejects.toThrow(/has no label/);
});

test("what is not there is refused", async () => {
  await expect(chaos({ organs: ["heart"] })).rejects.toThrow(/T1DUAL has no organ "heart"; known are liver, right kidney/);
  await expect(chaos({ organs: ["liver", "liver=1-9"] })).rejects.toThrow(/is named twice/);
  await expect(chaos({ organs: ["a=9-1"] })).rejects.toThrow(ConfigError);
  await expect(chaos({ organs: [] })).rejects.toThrow(/organs is empty/);
  await expect(chaos({ sequence: "T3" })).rejects.toThrow(/sequence must be one of/);
  await expect(chaos({ sequence: "CT", phases: "both" })).rejects.toThrow(/only T1DUAL has/);
  await expect(chaos({ sequence: "all" })).rejects.toThrow(/organs must be \["liver"\]/);
  await expect(chaos({ sequences: "CT" })).rejects.toThrow(/no option "sequences"; did you mean sequence\?/);
  await expect(openDataset(root, { chaso: {} })).rejects.toThrow(/there is no option "chaso"/);
  await expect(openDataset(join(dir, "MR", "1"))).rejects.toThrow(/expected a dataset.json .*, or MR\/<patient>/);
  await expect(openDataset(join(root, "none"))).rejects.toThrow(FormatError);
  const index = await openDataset(root);
  await expect(readCase({ ...index.training[0], layout: { name: "x" } }, [])).rejects.toThrow(/layout "x", which is not known/);
});

test("a patient on both sides of a fold, or in two folders, is refused", async () => {
  const index = await chaos({ sequence: "MR" });
  const split = { train: ["MR_1_T1DUAL", "MR_2_T1DUAL"], val: ["MR_2_T2SPIR"] };
  expect(() => selectFold(index, [split], 0)).toThrow(DataError);
  expect(() => selectFold(index, [split], 0)).toThrow(/trains on "MR_2_T1DUAL" and validates on "MR_2_T2SPIR"/);
  cpSync(join(dir, "MR", "1"), join(root, "Test_Sets", "MR", "1"), { recursive: true });
  await expect(openDataset(root)).rejects.toThrow(/patient 1 of MR is in ".*Test_Sets" and in ".*Train_Sets"/);
});
