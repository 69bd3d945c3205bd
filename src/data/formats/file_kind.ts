/** @file What a file is that a reader does not take, by its first bytes or its name, and what to do with it. */

import { viewOf } from "../../host/array.ts";

const convert = (tool: string): string => `convert it to .nii.gz, for example with ${tool}`;
const other = "read it with readImage";
const unpack = "unpack it and use the images in it";
const notDownloaded = "download the image again";

type Kind = readonly [what: string, advice: string];

/** Kinds that begin with fixed bytes. */
const beginnings: readonly (readonly [at: number, bytes: string, ...Kind])[] = [
  [128, "DICM", "a DICOM file", convert("dcm2niix")],
  [0, "\x08\0\x05\0", "a DICOM file without preamble", convert("dcm2niix")],
  [0, "\x08\0\x08\0", "a DICOM file without preamble", convert("dcm2niix")],
  [0, "\x02\0\0\0UL", "a DICOM file without preamble", convert("dcm2niix")],
  [0, "NRRD0", "an NRRD image", other],
  [0, "\x89PNG\r\n\x1a\n", "a PNG picture", other],
  [0, "\xff\xd8\xff", "a JPEG picture", other],
  [0, "GIF8", "a GIF picture", "save it as PNG"],
  [0, "BM", "a BMP picture", "save it as PNG"],
  [0, "II*\0", "a TIFF picture", other],
  [0, "MM\0*", "a TIFF picture", other],
  [0, "II+\0", "a BigTIFF picture", other],
  [0, "MM\0+", "a BigTIFF picture", other],
  [0, "PK\x03\x04", "a ZIP archive", unpack],
  [0, "PK\x05\x06", "an empty ZIP archive", unpack],
  [0, "7z\xbc\xaf\x27\x1c", "a 7z archive", unpack],
  [0, "Rar!", "a RAR archive", unpack],
  [257, "ustar", "a TAR archive", unpack],
  [0, "BZh", "packed by bzip2", "unpack it, or pack it with gzip instead"],
  [0, "\xfd7zXZ\0", "packed by xz", "unpack it, or pack it with gzip instead"],
  [0, "\x28\xb5\x2f\xfd", "packed by zstd", "unpack it, or pack it with gzip instead"],
  [0, "\x1f\x8b", "packed by gzip twice", "unpack it once"],
  [0, "\x89HDF\r\n\x1a\n", "an HDF5 file (MINC 2 images are too)", convert("mnc2nii or nibabel")],
  [0, "CDF\x01", "a MINC image", convert("mnc2nii or nibabel")],
  [0, "CDF\x02", "a MINC image", convert("mnc2nii or nibabel")],
  [252, "\x2a\xe3\x89\xb8", "a GIPL image", convert("SimpleITK or 3D Slicer")],
  [252, "\xef\xff\xe9\xb0", "a GIPL image", convert("SimpleITK or 3D Slicer")],
  [0, "\x93NUMPY", "a NumPy array", other],
  [0, "%PDF", "a PDF document", notDownloaded],
  [0, "version https://git-lfs.github.com/", "a Git LFS pointer: the image itself was not downloaded", "run git lfs pull"],
  [0, "../", "a text that names another file: a git-annex or symbolic link", "fetch the image that it stands for"],
];

/** Kinds that are text, by what they begin with but for space and case. */
const texts: readonly (readonly [pattern: RegExp, ...Kind])[] = [
  [/^(<!--[^]*?-->\s*)*<(!doctype\s+html|html|head|body)\b/i, "a web page in place of the image", notDownloaded],
  [/^<(\?xml|[a-z][\w:-]*[\s>])/i, "an XML text in place of the image, such as the answer of a server", notDownloaded],
  [/^(\{\s*["}]|\[\s*[[{"\d\]])/, "a JSON text in place of the image", notDownloaded],
  [/^# === DATA DESCRIPTION FILE/, "the header of a Philips PAR/REC image", convert("dcm2niix, or nibabel's parrec2nii")],
  [/^type\s*=\s*\w+-attribute\s/, "the header of an AFNI image", convert("3dAFNItoNIFTI or nibabel")],
  [/^(ObjectType|NDims|Comment)\s*=/i, "a MetaImage", other],
];

/** Kinds whose files have names by which they are known, but no first bytes. */
const names: readonly (readonly [ending: RegExp, ...Kind])[] = [
  [/\.(rec|par)(\.gz)?$/i, "a file of a Philips PAR/REC image", convert("dcm2niix, or nibabel's parrec2nii")],
  [/\.(brik|head)(\.gz)?$/i, "a file of an AFNI image", convert("3dAFNItoNIFTI or nibabel")],
  [/\.gipl(\.gz)?$/i, "a GIPL image", convert("SimpleITK or 3D Slicer")],
  [/\.mnc2?(\.gz)?$/i, "a MINC image", convert("mnc2nii or nibabel")],
];

/** What a file is. */
export interface FileKind {
  readonly what: string;
  readonly advice: string;
  /** Whether it is of a format that is read; if that did not know it, its beginning is damaged. */
  readonly read: boolean;
}

const kindOf = ([what, advice]: Kind): FileKind => ({ what, advice, read: advice === other });

/** What a file's name says that it is, and what to do; undefined for what it does not tell. */
export function kindOfName(name: string): FileKind | undefined {
  const found = names.find(([ending]) => ending.test(name));
  return found && kindOf([found[1], found[2]]);
}

/** What the first bytes of a file say that it is, and what to do; undefined for what they do not tell. */
export function fileKind(bytes: Uint8Array): FileKind | undefined {
  // TextDecoder's "latin1" is Windows-1252, which has other characters for 0x80 … 0x9f.
  const text = String.fromCharCode(...bytes.subarray(0, 512));
  const fixed = beginnings.find(([at, start]) => text.startsWith(start, at));
  if (fixed) return kindOf([fixed[2], fixed[3]]);
  const plain = new TextDecoder(utf16(bytes) ?? "utf-8").decode(bytes.subarray(0, 512)).trimStart();
  const found = texts.find(([pattern]) => pattern.test(plain));
  if (found) return kindOf([found[1], found[2]]);
  if (plain.length >= 8 && !/[^\t\r\n\x20-\x7e]/.test(plain)) {
    return kindOf([`a text (${JSON.stringify(plain.slice(0, 40))} …)`, "check that this is the image and was downloaded whole"]);
  }
  return isMgh(bytes) ? kindOf(["an MGH image of FreeSurfer", other]) : undefined;
}

const utf16 = ([a, b]: Uint8Array): string | undefined =>
  a === 0xff && b === 0xfe ? "utf-16le" : a === 0xfe && b === 0xff ? "utf-16be" : undefined;

/** Version 1, then width, height, depth, frames and one of few types, big-endian. */
function isMgh(bytes: Uint8Array): boolean {
  if (bytes.length < 28) return false;
  const view = viewOf(bytes);
  const [version, ...sizes] = [0, 4, 8, 12, 16].map((at) => view.getInt32(at));
  return version === 1 && sizes.every((n) => n > 0 && n < 1 << 16) && view.getInt32(20) >= 0 && view.getInt32(20) <= 10;
}
