/** @file How a DICOM file is encoded, by its transfer syntax (PS3.5 section 10, PS3.6 annex A): byte order, and what packed the pixels. */

/** What packs the pixels of a frame. */
export type Packing = "rle" | "deflate" | "jpeg" | "jpegLossless" | "jpegLs" | "jpeg2000" | "htj2k";

/** A transfer syntax. */
export interface TransferSyntax {
  readonly uid: string;
  /** As the standard names it, for messages. */
  readonly title: string;
  /** Whether each element states its value representation. */
  readonly explicit: boolean;
  readonly littleEndian: boolean;
  /** Whether all behind the file's meta information is deflated. */
  readonly deflated: boolean;
  /** What packs each frame; undefined for plain pixels. */
  readonly packing?: Packing;
  /** Why files of this syntax are refused. */
  readonly refused?: string;
}

const base = "1.2.840.10008.1.2";
type Extra = Partial<Omit<TransferSyntax, "uid" | "title">>;
const row = (end: string, title: string, extra: Extra = {}): [string, TransferSyntax] => [
  base + end,
  { uid: base + end, title, explicit: true, littleEndian: true, deflated: false, ...extra },
];
const video = (end: string, title: string) => row(end, title, { refused: "a video" });
const jpip = (end: string, title: string) =>
  row(end, title, { refused: "a reference to pixels on a server; fetch the images from it" });

const known = new Map<string, TransferSyntax>([
  row("", "Implicit VR Little Endian", { explicit: false }),
  row(".1", "Explicit VR Little Endian"),
  row(".1.98", "Encapsulated Uncompressed Explicit VR Little Endian", { refused: "an encapsulation of plain pixels" }),
  row(".1.99", "Deflated Explicit VR Little Endian", { deflated: true }),
  row(".2", "Explicit VR Big Endian", { littleEndian: false }),
  row(".5", "RLE Lossless", { packing: "rle" }),
  row(".8.1", "Deflated Image Frame Compression", { packing: "deflate" }),
  row(".4.50", "JPEG Baseline", { packing: "jpeg" }),
  row(".4.51", "JPEG Extended", { packing: "jpeg" }),
  row(".4.57", "JPEG Lossless", { packing: "jpegLossless" }),
  row(".4.70", "JPEG Lossless, first-order prediction", { packing: "jpegLossless" }),
  row(".4.80", "JPEG-LS Lossless", { packing: "jpegLs" }),
  row(".4.81", "JPEG-LS Near-lossless", { packing: "jpegLs" }),
  row(".4.90", "JPEG 2000 Lossless", { packing: "jpeg2000" }),
  row(".4.91", "JPEG 2000", { packing: "jpeg2000" }),
  row(".4.92", "JPEG 2000 Part 2 Lossless", { packing: "jpeg2000" }),
  row(".4.93", "JPEG 2000 Part 2", { packing: "jpeg2000" }),
  row(".4.201", "HTJ2K Lossless", { packing: "htj2k" }),
  row(".4.202", "HTJ2K Lossless RPCL", { packing: "htj2k" }),
  row(".4.203", "HTJ2K", { packing: "htj2k" }),
  ...["52", "53", "54", "55", "56", "58", "59", "60", "61", "62", "63", "64", "65", "66"].map((n) =>
    row(`.4.${n}`, "a retired JPEG process", {
      refused: "no maintained codec reads it; unpack the file, for example with dcmdjpeg",
    }),
  ),
  jpip(".4.94", "JPIP Referenced"),
  jpip(".4.95", "JPIP Referenced Deflate"),
  jpip(".4.204", "JPIP HTJ2K Referenced"),
  jpip(".4.205", "JPIP HTJ2K Referenced Deflate"),
  video(".4.100", "MPEG2 Main Profile"),
  video(".4.101", "MPEG2 High Profile"),
  ...["102", "103", "104", "105", "106"].map((n) => video(`.4.${n}`, "MPEG-4 AVC/H.264")),
  ...["107", "108"].map((n) => video(`.4.${n}`, "HEVC/H.265")),
  ...["110", "111", "112"].map((n) => row(`.4.${n}`, "JPEG XL", { refused: "a codec that no maintained package reads here" })),
]);

/** The syntax of a UID; one that the table does not have is read as explicit little-endian, as all new ones are, and refused at the pixels. */
export const transferSyntax = (uid: string): TransferSyntax =>
  known.get(uid) ?? {
    uid,
    title: `transfer syntax ${uid}`,
    explicit: true,
    littleEndian: true,
    deflated: false,
    refused: "a transfer syntax that is not known here",
  };

/** Plain pixels with these properties, for files that state no transfer syntax. */
export const plainSyntax = (explicit: boolean, littleEndian: boolean): TransferSyntax =>
  transferSyntax(base + (littleEndian ? (explicit ? ".1" : "") : ".2"));
