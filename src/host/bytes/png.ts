/** @file Writing PNG files (ISO/IEC 15948). */

import { expectFields } from "../kinds.ts";
import { ShapeError } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import { deflate } from "./inflate.ts";

/** A picture of 8 or 16 bits, row-major from the top left: gray, gray and alpha, RGB or RGBA, interleaved. */
export interface Picture {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Samples of a pixel: gray, gray and alpha, RGB, RGBA. */
  readonly channels: 1 | 2 | 3 | 4;
  /** Samples, `[height, width, channels]`; 16 bits in the platform's byte order. */
  readonly data: Uint8Array | Uint16Array;
}

/**
 * Encodes a picture as a PNG file: no interlace, no filter, deflate by the platform. Gives the file's bytes.
 * @throws ShapeError when the data do not fill the picture
 */
export async function encodePng(picture: Picture): Promise<Uint8Array<ArrayBuffer>> {
  expectFields("encodePng", "picture", picture, { width: "number", height: "number", channels: "number", data: "values" });
  const { width, height, channels, data } = picture;
  if (data.length !== width * channels * height)
    throw new ShapeError(
      `encodePng: ${width}×${height} with ${channels} channels needs ${width * channels * height} samples, got ${data.length}`,
    );
  const bytes = data instanceof Uint16Array ? bigEndian(data) : data;
  const row = width * channels * data.BYTES_PER_ELEMENT;
  const lines = new Uint8Array((row + 1) * height); // every line starts with its filter type: 0
  for (let y = 0; y < height; y++) lines.set(bytes.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([8 * data.BYTES_PER_ELEMENT, [0, 4, 2, 6][channels - 1]], 8); // bit depth, color type
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const packed = await deflate(lines, "deflate");
  const parts = [signature, chunk("IHDR", header), chunk("IDAT", packed), chunk("IEND", new Uint8Array(0))];
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function bigEndian(samples: Uint16Array): Uint8Array {
  const out = new Uint8Array(2 * samples.length);
  const view = new DataView(out.buffer);
  for (let i = 0; i < samples.length; i++) view.setUint16(2 * i, samples[i]);
  return out;
}

function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(data.length + 12);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set(new TextEncoder().encode(type), 4);
  out.set(data, 8);
  view.setUint32(out.length - 4, crc32(out.subarray(4, out.length - 4)));
  return out;
}
