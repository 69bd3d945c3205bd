/**
 * @file JPEG, JPEG-LS, JPEG 2000 and HTJ2K frames, by the packages of the cornerstone project: optional peers, loaded when a file needs them. One row per
 * packing. Codecs are given streams whose size is that of the DICOM header, and what they throw becomes a FormatError.
 */

import { ConfigError, FormatError } from "../../../host/errors.ts";
import { importModule } from "../../../host/import_module.ts";
import type { Fail } from "../../../host/bytes/budget.ts";
import { type Codestream, jpegHeader, waveletHeader, withoutSigns, withoutTransform } from "./codestream.ts";
import type { PixelLayout } from "./pixel_layout.ts";
import type { Packing } from "./transfer_syntax.ts";

/** An unpacked frame. */
export interface Unpacked {
  /** Little-endian values of 1 byte, or of 2 if `bits` is over 8. */
  readonly bytes: Uint8Array;
  /** Significant bits of a value. */
  readonly bits: number;
  readonly planar: boolean;
  /** What the samples are, where the stream knows better than the DICOM header. */
  readonly photometric: string;
}

/** A class of the WebAssembly packages, which all have the same methods. */
interface Decoder {
  getEncodedBuffer(length: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  getFrameInfo(): {
    readonly width: number;
    readonly height: number;
    readonly bitsPerSample: number;
    readonly componentCount: number;
  };
  getInterleaveMode?(): number;
  delete(): void;
}

type Unpack = (bytes: Uint8Array) => { bytes: Uint8Array; planar: boolean };

interface Codec {
  readonly npm: string;
  readonly build: string;
  readonly header: (bytes: Uint8Array, fail: Fail) => Codestream;
  readonly open: (module: unknown) => Promise<Unpack>;
}

/** What Node adds to an error of `import`; browsers throw a TypeError. */
interface NodeError extends Error {
  readonly code?: string;
}

/** What unpacks the pixels of some transfer syntaxes. */
export type DicomCodec = Exclude<Packing, "rle" | "deflate">;

// OpenJPEG tells of each step on the console. The object becomes the module, so each needs its own.
const silent = () => ({ print: () => undefined, printErr: () => undefined });

/** A class of a WebAssembly package. */
const wasm =
  (name: string) =>
  async (module: unknown): Promise<Unpack> => {
    const { default: start } = module as { default: (options: object) => Promise<Record<string, new () => Decoder>> };
    const { [name]: DecoderClass } = await start(silent());
    return (bytes) => {
      const decoder = new DecoderClass();
      try {
        decoder.getEncodedBuffer(bytes.length).set(bytes);
        decoder.decode();
        const { componentCount } = decoder.getFrameInfo();
        const planar = componentCount > 1 && decoder.getInterleaveMode?.() === 0;
        // The buffer is the module's memory.
        return { bytes: Uint8Array.from(decoder.getDecodedBuffer()), planar };
      } finally {
        decoder.delete();
      }
    };
  };

const lossless = async (module: unknown): Promise<Unpack> => {
  type LosslessDecoder = new () => { decompress(buffer: ArrayBuffer, offset: number, length: number): ArrayBuffer };
  const { Decoder: Lossless } = module as { Decoder: LosslessDecoder };
  return (bytes) => {
    // This decoder loses the last pixel where the end of the image stands close behind it, so zeros go between the two.
    let end = bytes.length - 2;
    while (end > 0 && !(bytes[end] === 0xff && bytes[end + 1] === 0xd9)) end--;
    if (end <= 0) end = bytes.length;
    const copy = new Uint8Array(end + 18);
    copy.set(bytes.subarray(0, end));
    copy.set([0xff, 0xd9], end + 16);
    return { bytes: new Uint8Array(new Lossless().decompress(copy.buffer, 0, copy.length)), planar: false };
  };
};

// `build` is the WebAssembly build of a package, which finds its file beside it in Node.
const codecs: Readonly<Record<DicomCodec, Codec>> = {
  jpeg: { npm: "@cornerstonejs/codec-libjpeg-turbo-8bit", build: "/decodewasmjs", header: jpegHeader, open: wasm("JPEGDecoder") },
  jpegLossless: { npm: "jpeg-lossless-decoder-js", build: "", header: jpegHeader, open: lossless },
  jpegLs: { npm: "@cornerstonejs/codec-charls", build: "/decodewasmjs", header: jpegHeader, open: wasm("JpegLSDecoder") },
  jpeg2000: { npm: "@cornerstonejs/codec-openjpeg", build: "/decodewasmjs", header: waveletHeader, open: wasm("J2KDecoder") },
  htj2k: { npm: "@cornerstonejs/codec-openjph", build: "", header: waveletHeader, open: wasm("HTJ2KDecoder") },
};

const imports = new Map<DicomCodec, () => Promise<unknown>>();
const loaded = new Map<DicomCodec, Promise<Unpack>>();

/**
 * Says how a page gets a codec: a bundler cannot see what is imported by need, nor may it insist on packages that most do not have. Node needs none of
 * this.
 *
 *     setDicomCodec("jpeg2000", () => import("@cornerstonejs/codec-openjpeg/decode"));
 *
 * @param codec jpeg: codec-libjpeg-turbo-8bit; jpegLs: codec-charls; jpeg2000: codec-openjpeg; htj2k: codec-openjph; jpegLossless: jpeg-lossless-decoder-js
 * @param load imports the package
 */
export function setDicomCodec(codec: DicomCodec, load: () => Promise<unknown>): void {
  if (!Object.hasOwn(codecs, codec))
    throw new ConfigError(`setDicomCodec: codec is ${JSON.stringify(codec)}; expected one of ${Object.keys(codecs).join(", ")}`);
  imports.set(codec, load);
  loaded.delete(codec);
}

/**
 * Unpacks a frame.
 * @throws FormatError for a frame that does not fit the DICOM header or is damaged; for a codec that is not installed, with its name
 */
export async function unpackFrame(bytes: Uint8Array, stated: DicomCodec, layout: PixelLayout, fail: Fail): Promise<Unpacked> {
  const stream = codecs[stated].header(bytes, fail);
  // Some files name another JPEG than they hold, and a codec may make noise of one that is not its own.
  const packing = stream.kind ?? stated;
  const codec = codecs[packing];
  checkStream(stream, packing, layout, fail);
  const unpack = await loadCodec(packing, codec, fail);
  // The decoder's own arithmetic for colors is less exact, and it guesses whether they need any.
  const color = packing === "jpeg" && layout.samples === 3;
  const photometric = !color ? layout.photometric : storesAsIs(stream, layout) ? "RGB" : "YBR_FULL";
  // Of values of a byte the decoders of wavelets make all that are below 0 zeros.
  const signed = stream.signAt !== undefined && stream.precision <= 8;
  const input = color ? withoutTransform(bytes, stream) : signed ? withoutSigns(bytes, stream) : bytes;
  try {
    const result = unpack(input);
    if (signed) for (let i = 0; i < result.bytes.length; i++) result.bytes[i] ^= 1 << (stream.precision - 1);
    const need = layout.rows * layout.columns * layout.samples * (stream.precision > 8 ? 2 : 1);
    if (result.bytes.length < need) throw fail(`its codec gave ${result.bytes.length} bytes for a frame of ${need}`);
    return { ...result, bits: stream.precision, photometric };
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    // After a trap the module's memory is in disorder; what it throws itself leaves it sound.
    if (cause instanceof WebAssembly.RuntimeError) loaded.delete(packing);
    const text = cause instanceof Error ? cause.message : String(cause);
    throw Object.assign(fail(`a packed frame is damaged: ${codec.npm} says ${text}`), { cause });
  }
}

/** Whether a JPEG's three components are to be left as they are, not YCbCr. */
function storesAsIs({ adobe, jfifAt, ids }: Codestream, { photometric }: PixelLayout): boolean {
  if (adobe !== undefined) return adobe === 0;
  const named = String.fromCharCode(...ids).toUpperCase() === "RGB";
  return named || (photometric === "RGB" && jfifAt === undefined);
}

function checkStream(
  stream: Codestream,
  packing: Packing,
  { rows, columns, samples, bitsAllocated }: PixelLayout,
  fail: Fail,
): void {
  const { width, height, components, precision } = stream;
  if (width !== columns || height !== rows || components !== samples)
    throw fail(
      `a packed frame has ${width}×${height} pixels of ${components} samples, the header says ${columns}×${rows} of ${samples}`,
    );
  if (packing === "jpeg" && precision !== 8)
    throw fail(
      `its JPEG has ${precision} bits, and the codec of lossy JPEG reads 8; unpack the file, for example with gdcmconv --raw`,
    );
  if (precision > 16 || precision > Math.max(8, bitsAllocated))
    throw fail(`a packed frame has ${precision} bits per value; expected at most ${Math.min(16, bitsAllocated)}`);
}

async function loadCodec(packing: DicomCodec, { npm, build, open }: Codec, fail: Fail): Promise<Unpack> {
  let unpack = loaded.get(packing);
  if (!unpack) {
    const load = imports.get(packing) ?? (() => importModule(npm + build));
    unpack = load().then(open);
    loaded.set(packing, unpack);
  }
  try {
    return await unpack;
  } catch (cause) {
    loaded.delete(packing);
    const missing = (cause as NodeError).code === "ERR_MODULE_NOT_FOUND" || cause instanceof TypeError;
    const text = missing
      ? `that is not installed: run \`npm install ${npm}\`, and in a page say how to import it with setDicomCodec("${packing}", …)`
      : `that does not load (${npm}: ${String(cause)})`;
    throw Object.assign(fail(`its pixels are packed by a codec ${text}`), { cause });
  }
}
