/**
 * @file JPEG pictures as slices: `[C, width, height, 1]`, gray or red, green, blue. A browser decodes them itself; elsewhere a package does that is loaded when
 * a file needs it, the one that DICOM's JPEG needs too.
 */

import { viewOf } from "../../../host/array.ts";
import { type Fail, failing } from "../../../host/bytes/budget.ts";
import { importModule } from "../../../host/import_module.ts";
import type { ImageFile, ImageFormat } from "../format.ts";
import { type Raster, volumeOfRaster } from "../picture.ts";
import { stackOf } from "../stack.ts";

const peer = "@cornerstonejs/codec-libjpeg-turbo-8bit";

/** Size and components of a frame header (ITU-T T.81, B.2.2). @throws FormatError (by `fail`) */
function frameOf(bytes: Uint8Array, fail: Fail): { width: number; height: number; channels: 1 | 3 } {
  const view = viewOf(bytes);
  for (let at = 2; at + 10 <= bytes.length;) {
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff) break;
    // SOF0 … SOF15 without DHT, JPG and DAC, which lie among them.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [precision, height, width, channels] = [bytes[at + 4], view.getUint16(at + 5), view.getUint16(at + 7), bytes[at + 9]];
      if (precision !== 8) throw fail(`the picture has ${precision} bits; expected 8; save it as PNG or TIFF`);
      if (channels !== 1 && channels !== 3)
        throw fail(`the picture has ${channels} components; expected 1 or 3; save it as PNG or TIFF`);
      // Eight by eight pixels take a bit at least, however alike they are.
      if (width * height === 0 || width * height > 512 * bytes.length)
        throw fail(`the picture claims ${width} × ${height} pixels in ${bytes.length} bytes; it is damaged`);
      return { width, height, channels };
    }
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  throw fail("has no frame header; it is cut short or damaged");
}

async function byPlatform(bytes: Uint8Array, fail: Fail): Promise<Uint8Array> {
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none", imageOrientation: "none" } as const;
  const bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), options as ImageBitmapOptions).catch(
    (cause: Error) => {
      throw Object.assign(fail(`cannot be decoded: ${cause.message}`), { cause });
    },
  );
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  if (!context) throw fail("cannot be decoded: the browser gives no canvas");
  context.drawImage(bitmap, 0, 0);
  return new Uint8Array(context.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer);
}

interface Decoder {
  getEncodedBuffer(length: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  delete(): void;
}

async function byPackage(bytes: Uint8Array, fail: Fail): Promise<Uint8Array> {
  const load = (await importModule(`${peer}/decode`).catch((cause: unknown) => {
    throw Object.assign(fail(`is a JPEG, whose codec is not installed: run \`npm install ${peer}\`, or save it as PNG`), {
      cause,
    });
  })) as { default: (options: object) => Promise<{ JPEGDecoder: new () => Decoder }> };
  const decoder = new (await load.default({ print: () => undefined, printErr: () => undefined })).JPEGDecoder();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    return Uint8Array.from(decoder.getDecodedBuffer());
  } catch (cause) {
    throw Object.assign(fail(`cannot be decoded: ${cause instanceof Error ? cause.message : String(cause)}`), { cause });
  } finally {
    decoder.delete();
  }
}

/** Decodes a JPEG file. @throws FormatError (by `fail`) */
async function decodeJpeg(bytes: Uint8Array, fail: Fail): Promise<Raster> {
  const { width, height, channels } = frameOf(bytes, fail);
  const browser = typeof createImageBitmap === "function" && typeof OffscreenCanvas === "function";
  const samples = browser ? await byPlatform(bytes, fail) : await byPackage(bytes, fail);
  const has = samples.length / (width * height);
  if (has === channels) return { width, height, channels, data: samples };
  if (has !== 4) throw fail(`was decoded to ${samples.length} bytes; expected ${width} × ${height} × ${channels}`);
  const data = new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < channels; c++) data[i * channels + c] = samples[4 * i + c];
  return { width, height, channels, data };
}

export const jpegFormat: ImageFormat = {
  title: "JPEG",
  endings: [".jpg", ".jpeg"],
  matches: (head) => head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff,
  async read({ name, blob }: ImageFile) {
    const raster = await decodeJpeg(new Uint8Array(await blob.arrayBuffer()), failing(`readImage: ${name}`));
    return volumeOfRaster(raster, { source: name, format: "jpeg" });
  },
  readAll: (files, options) => stackOf(jpegFormat, files, options),
};
