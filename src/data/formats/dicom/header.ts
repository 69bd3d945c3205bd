/**
 * @file What the header of a DICOM file says of its image, checked: how the pixels are stored (PS3.3 section C.7.6.3), and for each frame its place
 * and scaling, from the file itself or from the functional groups of enhanced objects. Pixels are not read, nor is memory asked for that the
 * file's size does not warrant.
 */

import { FormatError } from "../../../host/errors.ts";
import type { Blob } from "../../../host/platform.ts";
import type { Fail } from "../../../host/bytes/budget.ts";
import { type Bytes, type DataSet, type Element, MoreBytes, readDataSet, readMeta, undefinedLength } from "./elements.ts";
import { frameFacts, type FrameFacts } from "./frames.ts";
import { isSegmentation, NoImageError, objectTitle } from "./refusals.ts";
import { type SegmentTable, segmentTable } from "./segments.ts";
import { BlobSource, type ByteSource, DeflatedSource } from "./source.ts";
import { plainSyntax, type TransferSyntax, transferSyntax } from "./transfer_syntax.ts";

/** How pixels are stored. */
export interface PixelLayout {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly samples: number;
  readonly photometric: string;
  /** Whether the samples of a frame lie in planes of their own. */
  readonly planar: boolean;
  readonly kind: "int" | "f32" | "f64";
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
}

/** What the header of a file says. */
export interface DicomHeader {
  readonly name: string;
  readonly fail: Fail;
  readonly source: ByteSource;
  readonly syntax: TransferSyntax;
  readonly sopClass: string;
  readonly studyUid?: string;
  readonly instanceUid: string;
  readonly seriesUid: string;
  readonly description: string;
  readonly modality: string;
  readonly patientId: string;
  readonly seriesNumber?: number;
  readonly layout: PixelLayout;
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
export async function readHeader(name: string, blob: Blob): Promise<DicomHeader> {
  const fail: Fail = (problem) => new FormatError(`readDicom: ${name}: ${problem}`);
  const file = new BlobSource(blob, fail);
  const start = await whileMore(file, fail, (bytes) => findDataSet(bytes));
  const { syntax } = start;
  const source = syntax.deflated ? new DeflatedSource(blob, start.at, fail) : file;
  return whileMore(source, fail, (bytes) => {
    const at = syntax.deflated ? 0 : start.at;
    return describe(readDataSet(bytes, at, encodingAt(bytes, at, syntax)), {
      name,
      fail,
      source,
      syntax,
      sopClass: start.sopClass,
    });
  });
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

type Origin = Pick<DicomHeader, "name" | "fail" | "source" | "syntax" | "sopClass">;

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
  const layout = pixelLayout(data, fail);
  checkSize(layout, pixels, source, syntax, fail);
  if (layout.photometric === "MONOCHROME1") notes.push("MONOCHROME1: small values are bright; they are kept as stored");
  if (layout.photometric === "PALETTE COLOR") notes.push("PALETTE COLOR: the values are indices into the palette, as stored");
  if (data.find("modalityLUTSequence")) notes.push("it has a modality lookup table, which is not applied");
  if (data.text("imageType")?.includes("MOSAIC"))
    notes.push("a Siemens mosaic: the slices of a volume side by side in one picture, as stored");
  const dose = data.number("doseGridScaling");
  if (dose !== undefined) notes.push(`RT dose: multiply the values by ${dose} (DoseGridScaling) to have them in its units`);
  return {
    ...origin,
    sopClass,
    studyUid: data.text("studyInstanceUID"),
    instanceUid: data.text("sopInstanceUID") ?? "",
    description: data.text("seriesDescription") ?? "",
    modality: data.text("modality") ?? "",
    patientId: data.text("patientID") ?? "",
    seriesNumber: data.number("seriesNumber"),
    layout,
    pixels,
    extendedOffsets: data.numbers("extendedOffsets"),
    extendedLengths: data.numbers("extendedLengths"),
    frames: frameFacts(data, layout.frames, fail, notes),
    ...(isSegmentation(sopClass) && { segments: segmentTable(data, fail) }),
    notes,
  };
}

function pixelLayout(data: DataSet, fail: Fail): PixelLayout {
  const whole = (keyword: Parameters<DataSet["number"]>[0], least: number, most: number, absent?: number): number => {
    const value = data.number(keyword) ?? absent;
    if (value === undefined) throw fail(`${keyword} is missing; the file is no image or damaged`);
    if (!Number.isInteger(value) || value < least || value > most)
      throw fail(`${keyword} is ${value}; expected an integer from ${least} to ${most}`);
    return value;
  };
  const kind = data.find("pixelData") ? "int" : data.find("floatPixelData") ? "f32" : "f64";
  const allocated = kind === "int" ? whole("bitsAllocated", 1, 64) : kind === "f32" ? 32 : 64;
  if (kind === "int" && ![1, 8, 16, 32].includes(allocated)) throw fail(`bitsAllocated is ${allocated}; expected 1, 8, 16 or 32`);
  const stored = kind === "int" ? whole("bitsStored", 1, allocated, allocated) : allocated;
  const high = kind === "int" ? whole("highBit", 0, allocated - 1, stored - 1) : allocated - 1;
  const samples = whole("samplesPerPixel", 1, 4, 1);
  const photometric = data.text("photometricInterpretation")?.toUpperCase() ?? (samples === 1 ? "MONOCHROME2" : "RGB");
  return {
    rows: whole("rows", 1, 65535),
    columns: whole("columns", 1, 65535),
    frames: whole("numberOfFrames", 1, 2 ** 31, 1),
    samples,
    photometric,
    planar: samples > 1 && whole("planarConfiguration", 0, 1, 0) === 1,
    kind,
    bitsAllocated: allocated,
    bitsStored: stored,
    // A bit below the lowest one that fits is a writer's mistake: the values stand at the low end then.
    highBit: high < stored - 1 ? stored - 1 : high,
    signed: kind !== "int" || whole("pixelRepresentation", 0, 1, 0) === 1,
  };
}

/** Bytes of a plain frame; bits of masks run on from frame to frame. */
export function frameBytes({ rows, columns, samples, bitsAllocated, photometric }: PixelLayout): number {
  // Chroma of every other pixel only (PS3.3 section C.7.6.3.1.2).
  const perPixel = photometric === "YBR_FULL_422" && samples === 3 ? 2 : samples;
  return (rows * columns * perPixel * bitsAllocated) / 8;
}

/** Samples of a byte or more that a byte can become at most, so that a small file cannot ask for large memory. */
const mostPerByte = {
  rle: 64,
  deflate: 1032,
  jpeg: 256,
  jpegLossless: 256,
  jpegLs: 1 << 15,
  jpeg2000: 1 << 15,
  htj2k: 1 << 15,
} as const;

function checkSize(layout: PixelLayout, pixels: Element, source: ByteSource, { packing }: TransferSyntax, fail: Fail): void {
  const { rows, columns, frames, samples } = layout;
  const there = Math.min(pixels.length, source.size - pixels.at);
  const what = `${frames > 1 ? `${frames} frames of ` : ""}${columns}×${rows} pixels`;
  if (packing) {
    const bytes = (rows * columns * samples * frames * Math.min(8, layout.bitsAllocated)) / 8;
    if (frames * 8 > there || bytes / mostPerByte[packing] > there)
      throw fail(`promises ${what}, but only ${there} bytes of packed pixels are there; it is cut short or damaged`);
    return;
  }
  if (pixels.length === undefinedLength) throw fail("its plain pixels have no length; the file is damaged");
  const need = Math.ceil(frameBytes(layout) * frames);
  if (need <= there) return;
  throw fail(
    `promises ${what} of ${layout.bitsAllocated} bits (${need} bytes), but ${there} bytes of pixels are there; it is cut short or damaged`,
  );
}
