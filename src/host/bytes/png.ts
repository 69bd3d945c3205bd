/** @file Writing PNG files (ISO/IEC 15948). */

import { ShapeError } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import { deflate } from "./inflate.ts";

/** An 8-bit picture, row-major from the top left, gray (1 channel) or RGB (3, interleaved). */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/**
 * Encodes a picture as a PNG file: no interlace, no filter, deflate by the platform.
 * @throws ShapeError when the data do not fill the picture
 */
export async function encodePng(picture: Picture): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height, channels, data } = picture;
  const row = width * channels;
  if (data.length !== row * height)
    throw new ShapeError(
      `encodePng: ${width}×${height} with ${channels} channels needs ${row * height} bytes, got ${data.length}`,
    );
  const lines = new Uint8Array((row + 1) * height); // every line starts with its filter type: 0
  for (let y = 0; y < height; y++) lines.set(data.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([8, channels === 3 ? 2 : 0], 8); // bit depth, color type
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const packed = await deflate(lines, "deflate");
  const parts = [signature, chunk("IHDR", header), chunk("IDAT", packed), chunk("IEND", new Uint8Array(0))];
  return new Uint8Array(await new Blob(parts).arrayBuffer());
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
