/** @file What a DICOM object that is made from a series has of it: patient and study, references to its images, a place among its series. */

import type { Fail } from "../../../host/bytes/budget.ts";
import { DataError, FormatError } from "../../../host/errors.ts";
import { inverseOf, product } from "../../../host/matrix.ts";
import { version } from "../../../host/version.ts";
import { millimetersOf, type Volume } from "../../volume.ts";
import { unpackedFile } from "../byte_source.ts";
import type { ImageFile } from "../format.ts";
import type { DataSet } from "./elements.ts";
import { newUid } from "./encode.ts";
import { withDataSet } from "./header.ts";
import { type ReadSeriesOptions, seriesStack } from "./series.ts";
import type { Slice } from "./slice.ts";
import type { Stack } from "./stack.ts";
import { tags } from "./tags.ts";
import { type Attributes, copiedTags } from "./written_tags.ts";

/** The images that an object is made from. */
export interface Source {
  readonly slices: readonly Slice[];
  readonly affine: Stack["affine"];
  /** Of the object, as far as they are the same for all kinds. */
  readonly attributes: Attributes;
  readonly frameOfReference: string;
}

/**
 * The series of files, with what an object of a modality takes over from it.
 * @param texts that the object will have; all of ASCII, they leave the names of the patient in their own character set
 * @throws as readSeries; DataError for images without identifiers or positions
 */
export async function sourceOf(
  files: readonly ImageFile[],
  options: ReadSeriesOptions,
  { op, modality, description, texts }: { op: string; modality: string; description: string; texts: readonly string[] },
): Promise<Source> {
  const { channels, affine, unplaced } = await seriesStack(files, options);
  const [slices] = channels;
  const { header } = slices[0];
  if (unplaced || slices.some((s) => !s.facts.position || !s.facts.orientation || !s.facts.pixelSpacing))
    throw new DataError(`${op}: ${header.name}: the images do not say where they lie, so that nothing can be put on them`);
  const nameless = slices.find((s) => s.header.instanceUid === "" || s.header.sopClass === "");
  if (nameless) throw new DataError(`${op}: ${nameless.header.name} has no SOPInstanceUID or SOPClassUID to refer to`);
  if (new Set(slices.map((s) => s.facts.position!.join())).size < slices.length)
    throw new DataError(
      `${op}: ${header.name}: several of its ${slices.length} frames lie at one place, so that nothing can be put on one of them`,
    );
  const first = files.find((f) => f.name === header.name)!;
  const copied = await copiedFrom(first, op, [description, ...texts]);
  const frameOfReference = copied.frameOfReference || newUid();
  const [ContentDate, ContentTime] = dateAndTime(new Date());
  const attributes: Attributes = {
    ...copied.attributes,
    FrameOfReferenceUID: frameOfReference,
    StudyInstanceUID: header.studyUid ?? newUid(),
    SeriesInstanceUID: newUid(),
    SOPInstanceUID: newUid(),
    Modality: modality,
    SeriesDescription: description,
    SeriesNumber: numberAfter(header.seriesNumber ?? 0),
    InstanceNumber: "1",
    ContentDate,
    ContentTime,
    Manufacturer: "voxgrad",
    ManufacturerModelName: "voxgrad",
    DeviceSerialNumber: "0",
    SoftwareVersions: version,
  };
  return { slices, affine, attributes, frameOfReference };
}

/** An integer of 32 bits, as all are in texts. */
const numberAfter = (series: number): string => {
  const number = series + 1000;
  return String(Number.isInteger(number) && Math.abs(number) < 2 ** 31 ? number : 1000);
};

/** The reference to the image of a slice, with its frame if it has several. */
export const referenceTo = ({ header, frame }: Slice): Attributes => ({
  ReferencedSOPClassUID: header.sopClass,
  ReferencedSOPInstanceUID: header.instanceUid,
  ...(header.layout.frames > 1 && !header.mosaic && { ReferencedFrameNumber: String(frame + 1) }),
});

/** References to all images, each once. */
export function referencesTo(slices: readonly Slice[]): Attributes[] {
  const headers = new Set(slices.map((s) => s.header));
  return [...headers].map(({ sopClass, instanceUid }) => ({
    ReferencedSOPClassUID: sopClass,
    ReferencedSOPInstanceUID: instanceUid,
  }));
}

/** `[YYYYMMDD, HHMMSS]` in local time, as other devices have them. */
function dateAndTime(now: Date): [string, string] {
  const two = (v: number) => String(v).padStart(2, "0");
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return [date, [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join("")];
}

async function copiedFrom(
  file: ImageFile,
  op: string,
  texts: readonly string[],
): Promise<{ attributes: Attributes; frameOfReference: string }> {
  const fail: Fail = (problem) => new FormatError(`${op}: ${file.name}: ${problem}`);
  const wanted = Object.entries(copiedTags);
  const known = new Map([tags.specificCharacterSet, ...Object.values(copiedTags)].map(({ tag, vr }) => [tag, vr]));
  const { blob } = await unpackedFile(file);
  return withDataSet(
    blob,
    fail,
    (data) => {
      const valueOf = valuesFor(data, texts, `${op}: ${file.name}`);
      const attributes = Object.fromEntries(wanted.map(([name, tag]) => [name, valueOf(tag)]));
      return {
        attributes: { SpecificCharacterSet: valueOf(tags.specificCharacterSet), ...attributes },
        frameOfReference: data.text(copiedTags.FrameOfReferenceUID) ?? "",
      };
    },
    known,
  );
}

type Known = (typeof copiedTags)[keyof typeof copiedTags] | typeof tags.specificCharacterSet;

/** As they stand where the new texts need no other character set; else as Unicode. A character set that is not named is left out, as it has to be. */
function valuesFor(data: DataSet, texts: readonly string[], who: string): (tag: Known) => Uint8Array | string | undefined {
  // oxlint-disable-next-line no-control-regex -- ASCII is what is asked for
  if (texts.every((text) => /^[\x20-\x7e]*$/.test(text)))
    return (tag) => {
      const bytes = data.bytes(tag);
      if (bytes.length === 0 && tag === tags.specificCharacterSet) return undefined;
      // Some writers fill up texts with NUL, which is for identifiers alone.
      return tag.vr === "UI" ? bytes : bytes.subarray(0, bytes.findLastIndex((b) => b !== 0) + 1);
    };
  const charset = data.text(tags.specificCharacterSet) ?? "";
  if (charset.includes("\\"))
    throw new DataError(`${who}: its texts are in ${charset}, beside which names must be of ASCII letters`);
  return (tag) => (tag === tags.specificCharacterSet ? "ISO_IR 192" : (data.text(tag) ?? ""));
}

/** How the voxels of labels follow each other along the columns, rows and slices of a series. */
export interface Steps {
  readonly first: number;
  readonly along: readonly [number, number, number];
}

/**
 * Where the voxels of a series lie in the array of labels on the same voxels, whose axes may be in another order or direction.
 * @throws DataError for labels on another grid
 */
export function stepsIn(labels: Volume, { slices, affine }: Source, op: string): Steps {
  const { columns, rows } = slices[0].header.layout;
  const extents = [columns, rows, slices.length];
  const unit = millimetersOf(labels);
  const inMm = labels.affine.map((row, r) => (r < 3 ? row.map((v) => v * unit) : row));
  const between = product(inverseOf(inMm)!, affine);
  const size = labels.shape.slice(1);
  const most = 0.1;
  const rounded = between.slice(0, 3).map((row) => row.map(Math.round));
  const off = between.slice(0, 3).some((row, r) => row.some((v, c) => Math.abs(v - rounded[r][c]) * (extents[c] ?? 1) > most));
  const corner = (c: readonly number[]) => rounded.map((row) => row[3] + c.reduce((sum, v, k) => sum + v * row[k], 0));
  const ends = Array.from({ length: 8 }, (_, i) => corner(extents.map((n, k) => ((i >> k) & 1) * (n - 1))));
  const within = ends.every((end) => end.every((v, k) => v >= 0 && v < size[k]));
  if (off || !within || size.reduce((a, b) => a * b) !== extents.reduce((a, b) => a * b)) {
    const middle = (m: Stack["affine"], n: readonly number[]) =>
      m.slice(0, 3).map((row) => row[3] + n.reduce((sum, v, k) => sum + (row[k] * (v - 1)) / 2, 0));
    const [a, b] = [middle(inMm, size), middle(affine, extents)];
    const apart = Math.hypot(...a.map((v, k) => v - b[k]));
    throw new DataError(
      `${op}: the labels, of ${size.join(" × ")} voxels, do not lie on those of the series, of ${extents.join(" × ")}: their middles are ${apart.toFixed(1)} mm apart; give the series that they were found in, or resample them to it`,
    );
  }
  const strides = [size[1] * size[2], size[2], 1];
  const step = (k: number) => rounded.reduce((sum, row, r) => sum + row[k] * strides[r], 0);
  return { first: step(3), along: [step(0), step(1), step(2)] };
}
