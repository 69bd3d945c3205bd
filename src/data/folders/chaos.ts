/**
 * @file The folders of CHAOS (Kavur et al., Medical Image Analysis 69, 2021): DICOM slices and label pictures of abdominal MR and CT.
 *
 *     MR/1/T1DUAL/DICOM_anon/InPhase/IMG-0004-00002.dcm    MR/1/T1DUAL/Ground/IMG-0004-00002.png
 *     MR/1/T1DUAL/DICOM_anon/OutPhase/IMG-0004-00001.dcm   CT/2/DICOM_anon/i0000,0000b.dcm
 *     MR/1/T2SPIR/DICOM_anon/IMG-0002-00001.dcm            CT/2/Ground/liver_GT_000.png
 *
 * A picture belongs to the slice of its name, else the sorted names of both kinds go together; with the slices sorted by position it comes to its place.
 * Each anonymized slice may have a SeriesInstanceUID of its own, so a folder is the series.
 */

import { expectWord } from "../../host/words.ts";
import { expectOptions } from "../../host/options.ts";
import { expectArguments, expectFields } from "../../host/kinds.ts";
import { DataError, FormatError } from "../../host/errors.ts";
import type { Fail } from "../../host/bytes/budget.ts";
import { decodePng as decodePngHere } from "../formats/png/decode.ts";
import { whileReading } from "../formats/byte_source.ts";
import type { ImageFile } from "../formats/format.ts";
import { readSlices } from "../formats/dicom/series.ts";
import type { TypedArray } from "../../host/array.ts";
import type { LabelClass } from "../labels.ts";
import { makeVolume, type Volume } from "../volume.ts";
import { joinCase } from "./join_case.ts";

/** What was acquired. */
export type ChaosSequence = "T1DUAL" | "T2SPIR" | "CT";

/** An acquisition of a patient. */
export interface ChaosCase {
  /** "MR_1_T1DUAL", "CT_2". */
  readonly id: string;
  /** "MR_1": a fold keeps all acquisitions of a patient on one side. */
  readonly patient: string;
  /** What was acquired: "T1DUAL", "T2SPIR" or "CT". */
  readonly sequence: ChaosSequence;
  /** Paths of the DICOM slices, in the order of their names; of T1DUAL the in-phase ones. */
  readonly image: readonly string[];
  /** The out-phase slices of T1DUAL. */
  readonly outPhase?: readonly string[];
  /** Paths of the label pictures, in the order of their names; absent in the test sets. */
  readonly ground?: readonly string[];
}

/** Gray values of a class in the label pictures. */
export interface ChaosGray {
  /** Class index in label maps here. */
  readonly value: number;
  /** Of the class. */
  readonly name: string;
  /** Least and greatest gray value. */
  readonly gray: readonly [number, number];
}

/** The organs of the MR pictures, by the ranges that CHAOS gives. */
export const chaosOrgans: readonly ChaosGray[] = [
  { value: 1, name: "liver", gray: [55, 70] },
  { value: 2, name: "right kidney", gray: [110, 135] },
  { value: 3, name: "left kidney", gray: [175, 200] },
  { value: 4, name: "spleen", gray: [240, 255] },
];

/** The liver of the CT pictures: white, or 1 where a decoder gives single bits. */
export const chaosLiver: readonly ChaosGray[] = [
  { value: 1, name: "liver", gray: [240, 255] },
  { value: 1, name: "liver", gray: [1, 1] },
];

/**
 * The cases among the paths of files.
 * @param paths with "/", from any folder above MR and CT
 * @returns sorted by modality, patient number and sequence
 * @throws FormatError if there are none, or a patient is in two folders
 */
export function listChaos(paths: readonly string[]): ChaosCase[] {
  expectArguments("listChaos", "texts", { paths });
  const place =
    /(?:^|\/)(MR|CT)\/(\d+)\/(?:(T1DUAL|T2SPIR)\/)?(?:DICOM_anon\/(?:(In|Out)Phase\/)?([^/]+)\.dcm|Ground\/([^/]+)\.png)$/i;
  const found = new Map<
    string,
    {
      modality: string;
      number: number;
      sequence: ChaosSequence;
      above: string;
      lists: Record<"image" | "outPhase" | "ground", string[]>;
    }
  >();
  for (const path of paths.toSorted()) {
    const match = place.exec(path);
    if (!match || path.slice(path.lastIndexOf("/") + 1).startsWith(".")) continue;
    const [, modality, number, series, phase, slice] = match;
    const sequence = (modality.toUpperCase() === "CT" ? "CT" : series?.toUpperCase()) as ChaosSequence | undefined;
    if (!sequence) continue;
    const key = `${modality.toUpperCase()}_${Number(number)}${sequence === "CT" ? "" : `_${sequence}`}`;
    const above = path.slice(0, match.index);
    const entry = found.get(key) ?? {
      modality: modality.toUpperCase(),
      number: Number(number),
      sequence,
      above,
      lists: { image: [], outPhase: [], ground: [] },
    };
    // Such as training patients copied into the test set.
    if (entry.above !== above)
      throw new FormatError(
        `listChaos: patient ${number} of ${entry.modality} is in "${entry.above || "."}" and in "${above || "."}"; give one of these folders, or remove the copy`,
      );
    found.set(key, entry);
    entry.lists[slice === undefined ? "ground" : phase?.toLowerCase() === "out" ? "outPhase" : "image"].push(path);
  }
  const cases = [...found]
    .filter(([, { lists }]) => lists.image.length > 0)
    .sort(([a, x], [b, y]) => x.modality.localeCompare(y.modality) || x.number - y.number || a.localeCompare(b))
    .map(([id, { modality, number, sequence, lists }]): ChaosCase => {
      const { image, outPhase, ground } = lists;
      for (const list of [image, outPhase, ground]) list.sort();
      const optional = { ...(outPhase.length > 0 ? { outPhase } : {}), ...(ground.length > 0 ? { ground } : {}) };
      return { id, patient: `${modality}_${number}`, sequence, image, ...optional };
    });
  if (cases.length > 0) return cases;
  throw new FormatError(
    "listChaos: there is no case; expected paths such as MR/1/T1DUAL/DICOM_anon/InPhase/….dcm, MR/1/T2SPIR/DICOM_anon/….dcm or CT/2/DICOM_anon/….dcm",
  );
}

/** A decoded gray picture: rows from the top, the channels of a pixel side by side. */
export interface GrayPicture {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Samples of a pixel. */
  readonly channels: number;
  /** Samples `[height, width, channels]`. */
  readonly data: TypedArray;
}

/** What reading a case needs. */
export interface ReadChaosOptions {
  /** Opens the file of a `path` of the case. */
  readonly open: (path: string) => Promise<ImageFile>;
  /** Decodes a PNG file to the values it stores; default our own decoder. It gets the file's `bytes`, and `fail` makes the error of a `problem`. */
  readonly decodePng?: (bytes: Uint8Array, fail: (problem: string) => FormatError) => Promise<GrayPicture>;
  /** Which images of T1DUAL are channels; default the in-phase one alone. */
  readonly phases?: "in" | "both";
  /** Classes by gray value; default chaosOrgans, of CT chaosLiver. A gray value of none is an error. */
  readonly classes?: readonly ChaosGray[];
}

/**
 * Reads a case: its image, `[1 or 2, nx, ny, nz]`, and the label map of its pictures, `[1, nx, ny, nz]` of u8, on the same grid.
 * @throws FormatError for files that cannot be read; DataError for slices that do not fit together, pictures that are missing, and gray values of no class
 */
export async function readChaosCase(item: ChaosCase, options: ReadChaosOptions): Promise<{ image: Volume; label?: Volume }> {
  expectOptions("readChaosCase", options, "open decodePng phases classes");
  expectFields("readChaosCase", "item", item, { id: "text", image: "texts", ground: "texts?" });
  const { open, phases = "in" } = options;
  expectWord("readChaosCase", "phases", phases, ["in", "both"]);
  const slices = async (paths: readonly string[]) => readSlices(await Promise.all(paths.map(open)));
  const { volume, names } = await slices(item.image);
  const out = phases === "both" && item.outPhase ? [(await slices(item.outPhase)).volume] : [];
  if (phases === "both" && item.sequence === "T1DUAL" && out.length === 0)
    throw new DataError(`readChaosCase: ${item.id} has no out-phase slices; read it with { phases: "in" }`);
  const { image } = joinCase(item.id, [volume, ...out], undefined, []);
  if (!item.ground) return { image };
  return { image, label: await readGround(item, item.ground, volume, names, options) };
}

/** The label map, a plane for each slice of the image. */
async function readGround(
  item: ChaosCase,
  ground: readonly string[],
  image: Volume,
  names: readonly string[],
  options: ReadChaosOptions,
): Promise<Volume> {
  const { open, decodePng = decodePngHere, classes = item.sequence === "CT" ? chaosLiver : chaosOrgans } = options;
  const [, nx, ny, nz] = image.shape;
  if (ground.length !== nz)
    throw new DataError(`readChaosCase: ${item.id} has ${nz} slices and ${ground.length} label pictures; expected one for each`);
  const files = await Promise.all(item.image.map(async (path) => (await open(path)).name));
  const pictures = pictureOf(item.image, ground);
  const lookup = lookupOf(classes);
  const data = new Uint8Array(nx * ny * nz);
  for (const [z, name] of names.entries()) {
    const path = pictures[files.indexOf(name)];
    const fail: Fail = (problem) => new FormatError(`readChaosCase: ${path}: ${problem}`);
    const { blob } = await open(path);
    const picture = await decodePng(new Uint8Array(await whileReading(path, blob.arrayBuffer(), "readChaosCase")), fail);
    if (picture.width !== nx || picture.height !== ny)
      throw fail(`has ${picture.width}×${picture.height} pixels, its slice ${nx}×${ny}`);
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) {
        const gray = picture.data[(y * nx + x) * picture.channels];
        const value = lookup[gray] ?? 255;
        if (value === 255)
          throw new DataError(`readChaosCase: ${path}: gray value ${gray} at (${x}, ${y}) is of no class; ${grayText(classes)}`);
        data[(x * ny + y) * nz + z] = value;
      }
    }
  }
  return makeVolume({ data, shape: [1, nx, ny, nz] }, image.affine, { source: ground[0] });
}

const stemOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1, path.lastIndexOf("."));

/** The picture of each slice: of its name, if all have one, else of its number among the sorted names. */
function pictureOf(slices: readonly string[], ground: readonly string[]): readonly string[] {
  const byStem = new Map(ground.map((path) => [stemOf(path), path]));
  const named = slices.map((path) => byStem.get(stemOf(path)));
  return named.every((path) => path !== undefined) ? named : ground;
}

/** Class of each gray value; 255 for none. */
function lookupOf(classes: readonly ChaosGray[]): Uint8Array {
  const lookup = new Uint8Array(256).fill(255);
  lookup[0] = 0;
  for (const { value, gray } of classes) lookup.fill(value, gray[0], gray[1] + 1);
  return lookup;
}

const grayText = (classes: readonly ChaosGray[]): string =>
  `expected 0 (background)${classes.map(({ name, gray }) => `, ${gray[0]} to ${gray[1]} (${name})`).join("")}`;

/** The classes of a case's label map. */
export function chaosLabels(sequence: ChaosSequence): LabelClass[] {
  expectWord("chaosLabels", "sequence", sequence, ["T1DUAL", "T2SPIR", "CT"]);
  const organs = sequence === "CT" ? chaosLiver.slice(0, 1) : chaosOrgans;
  return [{ value: 0, name: "background" }, ...organs].map(({ value, name }) => ({ name, values: [value] }));
}
