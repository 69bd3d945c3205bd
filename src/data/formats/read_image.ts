/** @file Images of any format, from memory, from Blobs and from the files of a folder: which format it is, the first bytes say, and the ending only after them. */

import { typeNamed } from "./cast.ts";
import { bytesOf } from "../../host/array.ts";
import { className, isBlob } from "../../host/class_name.ts";
import { expectOptions } from "../../host/options.ts";
import { expectKinds, refused } from "../../host/kinds.ts";
import type { Blob as BlobLike } from "../../host/platform.ts";
import { isGzip } from "../../host/bytes/inflate.ts";
import { ConfigError, FormatError } from "../../host/errors.ts";
import type { Volume } from "../volume.ts";
import { baseName } from "./beside.ts";
import { firstBytes, ifSound, openBytes, unpackedFile, whileReading } from "./byte_source.ts";
import { dicomFormat } from "./dicom/dicom.ts";
import { isOfImage, sopClassOf } from "./dicom/object_class.ts";
import { fileKind, kindOfName } from "./file_kind.ts";
import type { ImageFile, ImageFormat, ImageGrid, ReadImageOptions, WriteImageOptions, WrittenFile } from "./format.ts";
import { endingOf, formats } from "./formats.ts";
import { someAtATime } from "./some_at_a_time.ts";

/** What an image is read from: bytes, a Blob or File, or a list, a `FileList` too, of the files of one image, such as header and data, or the slices of a series. */
export type ImageSource = Uint8Array | ArrayBuffer | BlobLike | ArrayLike<BlobLike>;

/** How bytes without a name are called, beside the options of the formats. */
export interface ReadOptions extends ReadImageOptions {
  /** What errors and `meta.source` call the image; default the name of a File. Its ending counts where the first bytes do not tell. */
  readonly name?: string;
}

/** The names of the options that choose what is read. @internal */
export const readNames = "series:text stack:number array:text";
/** The names of the options of `writeImage`. @internal */
export const writeNames = "dtype:text compress:boolean";

/**
 * Reads an image: NIfTI-1 and -2, Analyze 7.5, NRRD, MetaImage, MGH, NumPy, PNG, JPEG, TIFF, DICOM; all but those of DICOM may also be packed by gzip as a
 * whole.
 *
 * Voxels become `[C, nx, ny, nz]` with an RAS affine. They keep the file's element type, except: scaled ones are float32 (float64 for types of 32 bits
 * and more), 64-bit integers float64, half floats float32. Further axes, vectors and colors are channels. `meta.notes` says what is odd.
 * @param source several files: a header and its data, or slices, which become one volume
 * @throws FormatError naming the file and the field; ConfigError where a source has several images and none is chosen
 */
export async function readImage(source: ImageSource, options: ReadOptions = {}): Promise<Volume> {
  expectOptions("readImage", options, `name:text ${readNames}`);
  const { name, ...rest } = options;
  const isList = Array.isArray(source) || className(source) === "FileList";
  const parts = isList ? Array.from(source as ArrayLike<Blob>) : [source as Uint8Array | ArrayBuffer | Blob];
  const files = parts.map((part, i) => fileOf(part, name ?? (parts.length > 1 ? `image ${i + 1}` : "image")));
  return readFiles(files.length > 1 ? together(files) : files, rest);
}

/** Where the bytes are of what is no bytes yet, by its class. */
const bytesOfOthers: Readonly<Record<string, string>> = {
  String: "readImageFile and LoadImageFile of voxgrad/data/node read paths, fetch addresses",
  URL: "take await (await fetch(url)).blob()",
  Response: "take await response.blob()",
  ReadableStream: "take await new Response(stream).blob()",
  Promise: "await it",
  FileSystemFileHandle: "take await handle.getFile()",
  FileSystemDirectoryHandle: "take the files in it: await handle.getFile() of each",
};

/** Bytes that a Blob takes: it refuses memory that threads share. */
const unshared = (bytes: ArrayBufferView): Uint8Array<ArrayBuffer> => {
  const own = bytesOf(bytes) as Uint8Array<ArrayBuffer>;
  return className(own.buffer) === "SharedArrayBuffer" ? own.slice() : own;
};

function fileOf(part: Uint8Array | ArrayBuffer | Blob, name: string): ImageFile {
  const kind = className(part);
  const isBuffer = kind === "ArrayBuffer" || kind === "SharedArrayBuffer";
  if (!(isBlob(part) || isBuffer || ArrayBuffer.isView(part)))
    refused("readImage", "source", "bytes, a File, or a list of them", part, bytesOfOthers[kind]);
  const blob = isBlob(part) ? part : new Blob([unshared(isBuffer ? new Uint8Array(part as ArrayBuffer) : (part as Uint8Array))]);
  // Files of a picked folder have a path in it.
  const own = part as { readonly name?: string; readonly webkitRelativePath?: string };
  return { name: isBlob(part) ? own.webkitRelativePath || own.name || name : name, blob };
}

/** Files that find one another by name. */
function together(files: readonly ImageFile[]): ImageFile[] {
  const byName = new Map<string, ImageFile>();
  const linked = files.map((file) => ({ ...file, beside: (name: string) => Promise.resolve(byName.get(baseName(name))) }));
  for (const file of linked) byName.set(baseName(file.name), file);
  return linked;
}

/** The format of a file, and its unpacked bytes where it is packed as a whole and the format does not unpack it itself. */
async function recognized(file: ImageFile): Promise<{ format: ImageFormat | undefined; file: ImageFile; head: Uint8Array }> {
  const packed = isGzip(await firstBytes(file.blob, 2));
  const source = await openBytes(file);
  const head = await source.head(512);
  const name = packed ? file.name.replace(/\.gz$/i, "") : file.name;
  const format = formats.find((f) => f.matches(head, name));
  if (!packed || !format || format.readsGzip) return { format, file, head };
  return { format, file: await unpackedFile(file), head };
}

/** Whether a file is an image by its first bytes, and of DICOM no labels, plan or dose, which lie beside images. */
export async function isImage(file: ImageFile): Promise<boolean> {
  const found = await ifSound(file, recognized(file));
  if (found?.format !== dicomFormat) return found?.format !== undefined;
  return (await ifSound(file, sopClassOf(file).then(isOfImage))) ?? false;
}

/** Reads the image of one file, or of several that belong together. @throws FormatError, ConfigError */
export async function readFiles(files: readonly ImageFile[], options: ReadImageOptions): Promise<Volume> {
  if (files.length === 0) throw new FormatError("readImage: there is no file");
  if (files.length === 1) return readOne(files[0], options);
  const found = await someAtATime(files, async (file) => ({ file, ...(await ifSound(file, recognized(file))) }));
  const images = imagesMeant(
    found.filter((f) => f.format !== undefined),
    options,
  );
  const [first] = images;
  if (!first?.format) throw new FormatError(`readImage: none of ${files.length} files is an image: ${namesOf(files)}`);
  // A copy that broke off leaves such files, and the volume would be one of fewer slices.
  const lost = first.format.readAll && found.find(({ format, file }) => !format && endingOf(file.name)?.format === first.format);
  if (lost)
    throw new FormatError(
      `readImage: ${lost.file.name} is ${lost.file.blob.size === 0 ? "empty" : `no ${first.format.title}`}, and by its name a slice beside ${baseName(first.file.name)}; get it again or take it out`,
    );
  if (images.length === 1) return readOne(first.file, options);
  const kinds = [...new Set(images.map((f) => f.format))];
  if (kinds.length === 1 && first.format.readAll) {
    expectChoices(first.format, first.file.name, options);
    return first.format.readAll(
      images.map((f) => f.file),
      options,
    );
  }
  throw new ConfigError(
    `readImage: there are ${images.length} images of ${kinds.map((f) => f!.title).join(", ")} among ${files.length} files, which are not one volume; give one of ${namesOf(images.map((f) => f.file))}`,
  );
}

/** The files that are meant among images of several kinds. */
function imagesMeant<F extends { readonly format?: ImageFormat | undefined; readonly file: ImageFile }>(
  known: readonly F[],
  options: ReadImageOptions,
): readonly F[] {
  // Where a series is chosen, it is one of DICOM, whatever pictures lie beside it.
  const asked = Object.entries(options).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  const having = known.filter(({ format }) => asked.every((key) => (format?.chooses as string[] | undefined)?.includes(key)));
  const meant = asked.length > 0 && having.length > 0 ? having : known;
  // Voxels beside their header may begin like an image.
  const heads = meant.filter((f) => !/\.(z?raw|img)(\.gz)?$/i.test(f.file.name));
  return heads.length === 1 ? heads : meant;
}

const namesOf = (files: readonly ImageFile[]): string =>
  files
    .slice(0, 5)
    .map((f) => baseName(f.name))
    .join(", ") + (files.length > 5 ? " …" : "");

/** The grid of the image of one file, from its header where the format can tell; else the image is read. @throws FormatError */
export const readGrid = (given: ImageFile): Promise<ImageGrid> => whileReading(given.name, gridOf(given));

async function gridOf(given: ImageFile): Promise<ImageGrid> {
  const { format, file } = await recognized(await headerFirst(given));
  return format?.readGrid ? format.readGrid(file) : readOne(given, {});
}

/** @throws ConfigError for a choice that files of the format do not have: to pass over it would be to read something else */
function expectChoices({ title, chooses = [] }: ImageFormat, name: string, options: ReadImageOptions): void {
  const stray = Object.entries(options).find(([key, value]) => value !== undefined && !(chooses as string[]).includes(key));
  if (!stray) return;
  const whose = formats.filter((f) => (f.chooses as string[] | undefined)?.includes(stray[0])).map((f) => f.title);
  throw new ConfigError(`readImage: ${name} is ${title}, of which there is no ${stray[0]} to choose; ${whose.join(", ")} has`);
}

const readOne = (given: ImageFile, options: ReadImageOptions): Promise<Volume> =>
  whileReading(given.name, readKnown(given, options));

async function readKnown(given: ImageFile, options: ReadImageOptions): Promise<Volume> {
  const { format, file, head } = await recognized(await headerFirst(given));
  if (format) {
    expectChoices(format, file.name, options);
    return format.read(file, options);
  }
  const kind = kindOfName(file.name) ?? fileKind(head);
  if (kind && !kind.read) throw new FormatError(`readImage: ${file.name} is ${kind.what}, which is not read; ${kind.advice}`);
  const pair = pairs.find(([ending]) => ending.test(file.name));
  if (pair && !kind) {
    const names = pair[1].filter((e) => e === e.toLowerCase()).map((e) => baseName(file.name).replace(pair[0], e));
    throw new FormatError(
      `readImage: ${file.name} has voxels alone: their header (${names.join(", ")}) ${file.beside ? "is not in its folder" : "was not given"}; give both files, or the path of the header`,
    );
  }
  // The reader of the ending says what is wrong.
  const byEnding = endingOf(file.name);
  if (byEnding) return byEnding.format.read(file, options);
  throw new FormatError(
    `readImage: ${file.name} is no image that is known: neither its first bytes nor its ending say so; expected ${formats.map((f) => f.title).join(", ")}`,
  );
}

/** Voxels whose header is another file, and its endings: in this order, and the other way round for packed voxels. */
const pairs: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\.img(\.gz)?$/i, [".hdr", ".HDR", ".hdr.gz"]],
  [/\.z?raw(\.gz)?$/i, [".mhd", ".nhdr", ".mha"]],
];

/** The header of a pair of which the voxels were given. */
async function headerFirst(file: ImageFile): Promise<ImageFile> {
  for (const [ending, headers] of pairs) {
    if (!ending.test(file.name)) continue;
    const packed = /\.gz$/i.test(file.name);
    for (const header of packed ? headers.toReversed() : headers) {
      const found = await file.beside?.(baseName(file.name).replace(ending, header));
      if (found) return found;
    }
  }
  return file;
}

/**
 * The files of a volume `[C, x, y, z]` in the format that the name's ending says: `.nii`, `.nii.gz`, `.nrrd`, `.nhdr`, `.mha`, `.mhd`, `.mgh`, `.mgz`, `.hdr` (Analyze),
 * `.npy`, `.png`. Geometry is kept by all of those that have one; of NIfTI the source's own header where it still holds.
 * @returns one file, or two where a header has its data apart
 * @throws ConfigError for other endings and types that the format does not have, DataError for values that `dtype` cannot hold
 */
export async function writeImage(name: string, volume: Volume, options: WriteImageOptions = {}): Promise<WrittenFile[]> {
  expectOptions("writeImage", options, writeNames);
  expectKinds("writeImage", { text: { name }, volume: { volume } });
  const { dtype } = options;
  return writerOf(name).write!(
    volume,
    name,
    dtype === undefined ? options : { ...options, dtype: typeNamed("writeImage", dtype) },
  );
}

/** Endings of the formats that are written, the longest first. */
const written = formats
  .filter((f) => f.write)
  .flatMap((f) => f.endings.map((ending) => ({ ending, f })))
  // A `.hdr` that is written is Analyze's: NIfTI has one file.
  .filter(({ ending, f }) => !(f.title === "NIfTI" && !ending.startsWith(".nii")))
  .sort((a, b) => b.ending.length - a.ending.length);

const writerFor = (name: string) => written.find(({ ending }) => name.toLowerCase().endsWith(ending));

/** Whether a name has the ending of a format that is written. */
export const canWrite = (name: string): boolean => writerFor(name) !== undefined;

/** The format that a name is written as. @throws ConfigError for an ending of none */
export function writerOf(name: string): ImageFormat {
  const row = writerFor(name);
  if (row) return row.f;
  throw new ConfigError(`writeImage: ${name} has none of the endings of a format: ${written.map((r) => r.ending).join(", ")}`);
}
