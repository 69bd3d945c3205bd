/**
 * @file What the header of a DICOM file says of its image, checked: how the pixels are stored, and for each frame its place and scaling, from the file
 * itself or from the functional groups of enhanced objects. Pixels are not read.
 */

import { FormatError } from "../../../host/errors.ts";
import type { Blob } from "../../../host/platform.ts";
import type { Fail } from "../../../host/bytes/budget.ts";
import { type Bytes, type DataSet, type Element, MoreBytes, readDataSet, readMeta } from "./elements.ts";
import { frameFacts, type FrameFacts } from "./frames.ts";
import { type Mosaic, mosaicOf, tileFacts } from "./mosaic.ts";
import { checkSize, type PixelLayout, pixelLayout } from "./pixel_layout.ts";
import { isSegmentation, NoImageError, objectTitle } from "./refusals.ts";
import { type SegmentTable, segmentTable } from "./segments.ts";
import { BlobSource, type ByteSource, DeflatedSource } from "./source.ts";
import { plainSyntax, type TransferSyntax, transferSyntax } from "./transfer_syntax.ts";

/** What the header of a file says. */
export interface DicomHeader {
  readonly name: string;
  readonly fail: Fail;
  readonly source: ByteSource;
  readonly syntax: TransferSyntax;
  readonly sopClass: string;
  readonly studyUid?: string;
  readonly frameOfReference?: string;
  readonly instanceUid: string;
  readonly seriesUid: string;
  readonly description: string;
  readonly modality: string;
  readonly patientId: string;
  readonly seriesNumber?: number;
  readonly layout: PixelLayout;
  /** The picture that the frames of `layout` are parts of. */
  readonly mosaic?: Mosaic;
  /** Where the pixels are; of length undefinedLength if they are encapsulated. */
  readonly pixels: Element;
  readonly extendedOffsets: readonly number[];
  readonly extendedLengths: readonly number[];
  readonly frames: readonly FrameFacts[];
  /** Of segmentations. */
  readonly segments?: SegmentTable;
  /** What is odd about the file. */
  readonly notes: readonly string[];
}

const firstRead = 1 << 14;

/**
 * Reads the header of a file.
 * @throws FormatError naming the file and what is wrong: no DICOM, no image, damaged, of a kind that is not read
 */
export function readHeader(name: string, blob: Blob): Promise<DicomHeader> {
  const fail: Fail = (problem) => new FormatError(`readDicom: ${name}: ${problem}`);
  return withDataSet(blob, fail, (data, origin) => describe(data, { ...origin, name, fail }));
}

/** What the bytes of a file are, beside its data set. */
export type DataOrigin = Pick<DicomHeader, "source" | "syntax" | "sopClass">;

/**
 * Gives what `work` makes of the attributes of a file up to its pixels. It is called again with more of the file where it reached behind the bytes that were read.
 * @param known the attributes that are kept, with their value representations; default those of images
 * @throws FormatError (by `fail`) for what is no DICOM file
 */
export async function withDataSet<T>(
  blob: Blob,
  fail: Fail,
  work: (data: DataSet, origin: DataOrigin) => T,
  known?: Bytes["known"],
): Promise<T> {
  const file = new BlobSource(blob, fail);
  const start = await whileMore(file, fail, (bytes) => findDataSet(bytes));
  const { syntax, sopClass } = start;
  const source = syntax.deflated ? new DeflatedSource(blob, start.at, fail) : file;
  return whileMore(source, fail, (bytes) => {
    const at = syntax.deflated ? 0 : start.at;
    const data = readDataSet({ ...bytes, known }, at, encodingAt(bytes, at, syntax));
    return work(data, { source, syntax, sopClass });
  });
}

/** The SOP class by the meta information of a file, before its data set; empty where it says none. @throws FormatError (by `fail`) for what is no DICOM file */
export async function classInMeta(blob: Blob, fail: Fail): Promise<string> {
  return (await whileMore(new BlobSource(blob, fail), fail, (bytes) => findDataSet(bytes))).sopClass;
}

/** Whether the first bytes are a DICOM file's. */
export const isDicom = (head: Uint8Array): boolean => hasPreamble(head) || beginsDataSet(head);

/** Whether 128 bytes of anything and a mark stand before the data; in a data set that begins at once, they may be of its values. */
function hasPreamble(head: Uint8Array): boolean {
  if (String.fromCharCode(...head.subarray(128, 132)) !== "DICM") return false;
  return beginsDataSet(head.subarray(132)) || !beginsDataSet(head);
}

/** Whether these are the first bytes of a data set: of meta information, or of the identification of the image. */
function beginsDataSet(head: Uint8Array): boolean {
  if (head.length < 8) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const [group, element] = [view.getUint16(0, true), view.getUint16(2, true)];
  const letters = /^[A-Z]{2}$/.test(String.fromCharCode(head[4], head[5]));
  if (group === 2) return element <= 0x18 && letters;
  if (group === 8) return element <= 0x18 && (letters || view.getUint32(4, true) <= 256);
  return view.getUint16(0, false) === 8 && view.getUint16(2, false) <= 0x18 && letters;
}

/** Runs what needs the beginning of a source with more and more of it. */
async function whileMore<T>(source: ByteSource, fail: Fail, work: (bytes: Bytes) => T): Promise<T> {
  for (let length = firstRead; ;) {
    const prefix = await source.prefix(length);
    try {
      return work({ ...prefix, limit: prefix.whole ? prefix.bytes.length : source.size, fail });
    } catch (error) {
      if (!(error instanceof MoreBytes)) throw error;
      length = Math.max(4 * length, error.upTo + firstRead);
    }
  }
}

interface Start {
  readonly at: number;
  readonly syntax: TransferSyntax;
  /** As the meta information has it. */
  readonly sopClass: string;
}

/** Where the data set begins, behind the file's meta information if it has any, and how it is encoded. */
function findDataSet(bytes: Bytes): Start {
  const head = bytes.bytes;
  const preamble = hasPreamble(head);
  if (!preamble && !isDicom(head)) throw bytes.fail("is no DICOM file: it has neither the mark DICM nor a data set at its start");
  const from = preamble ? 132 : 0;
  const hasMeta = head[from] === 2 && head[from + 1] === 0;
  const { meta, next } = hasMeta ? readMeta(bytes, from) : { meta: undefined, next: from };
  const uid = meta?.text("transferSyntaxUID");
  const sopClass = meta?.text("mediaStorageSOPClassUID") ?? "";
  if (uid) return { at: next, syntax: transferSyntax(uid), sopClass };
  const letters = /^[A-Z]{2}$/.test(String.fromCharCode(head[next + 4], head[next + 5]));
  const bigEndian = head[next] === 0 && head[next + 1] !== 0;
  return { at: next, syntax: plainSyntax(letters, !bigEndian), sopClass };
}

/** The encoding of a syntax, but for files whose first element shows that they state the wrong one. */
function encodingAt({ bytes }: Bytes, at: number, syntax: TransferSyntax): { explicit: boolean; littleEndian: boolean } {
  const { explicit, littleEndian } = syntax;
  const letters = String.fromCharCode(bytes[at + 4], bytes[at + 5]);
  if (explicit) return { explicit: /^[A-Z]{2}$/.test(letters), littleEndian };
  return { explicit: ["UL", "CS", "UI", "SH"].includes(letters), littleEndian };
}

type Origin = DataOrigin & Pick<DicomHeader, "name" | "fail">;

/** Problems of the image say of which series it is, so that other series of a folder can be read. */
function describe(data: DataSet, origin: Origin): DicomHeader {
  const seriesUid = data.text("seriesInstanceUID") ?? "";
  try {
    return describeImage(data, { ...origin, seriesUid });
  } catch (error) {
    throw error instanceof FormatError ? Object.assign(error, { seriesUid }) : error;
  }
}

function describeImage(data: DataSet, origin: Origin & { readonly seriesUid: string }): DicomHeader {
  const { fail, syntax, source } = origin;
  const sopClass = data.text("sopClassUID") ?? origin.sopClass;
  const title = objectTitle(sopClass);
  const noImage = (problem: string) => new NoImageError(fail(problem).message);
  if (title) throw noImage(`is no image but ${title}`);
  const pixels = data.find("pixelData") ?? data.find("floatPixelData") ?? data.find("doublePixelData");
  if (!pixels) {
    const modality = data.text("modality");
    throw noImage(
      `has no pixels${sopClass && ` (SOP class ${sopClass}${modality ? `, modality ${modality}` : ""})`}; it is no image`,
    );
  }
  if (syntax.refused) throw fail(`its pixels are in ${syntax.title} (${syntax.uid}): ${syntax.refused}`);
  const notes: string[] = [];
  const stored = pixelLayout(data, fail);
  checkSize(stored, pixels, source, syntax, fail);
  const mosaic = mosaicOf(data, stored, notes);
  const layout = mosaic?.tiles ?? stored;
  if (layout.photometric === "MONOCHROME1") notes.push("MONOCHROME1: small values are bright; they are kept as stored");
  if (layout.photometric === "PALETTE COLOR") notes.push("PALETTE COLOR: the values are indices into the palette, as stored");
  if (data.find("modalityLUTSequence")) notes.push("it has a modality lookup table, which is not applied");
  const facts = frameFacts(data, stored.frames, fail, notes);
  const dose = data.number("doseGridScaling");
  if (dose !== undefined) notes.push(`RT dose: multiply the values by ${dose} (DoseGridScaling) to have them in its units`);
  return {
    ...origin,
    sopClass,
    studyUid: data.text("studyInstanceUID"),
    frameOfReference: data.text("frameOfReferenceUID"),
    instanceUid: data.text("sopInstanceUID") ?? "",
    description: data.text("seriesDescription") ?? "",
    modality: data.text("modality") ?? "",
    patientId: data.text("patientID") ?? "",
    seriesNumber: data.number("seriesNumber"),
    layout,
    ...(mosaic && { mosaic }),
    pixels,
    extendedOffsets: data.numbers("extendedOffsets"),
    extendedLengths: data.numbers("extendedLengths"),
    frames: mosaic ? tileFacts(mosaic, facts[0]) : facts,
    ...(isSegmentation(sopClass) && { segments: segmentTable(data, fail) }),
    notes,
  };
}
