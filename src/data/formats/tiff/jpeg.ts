/**
 * @file JPEG in TIFF (compression 7, TIFF Technical Note 2): each strip or tile is a stream of its own, whose tables may stand once for the page. By the
 * codec of DICOM's JPEG. What the components are says the page, not the stream.
 */

import type { Fail } from "../../../host/bytes/budget.ts";
import { unpackFrame } from "../dicom/codecs.ts";
import { jpegHeader } from "../dicom/codestream.ts";
import { toRgb } from "../dicom/colors.ts";
import type { PixelLayout } from "../dicom/pixel_layout.ts";
import { type Page, ycbcr } from "./pages.ts";

/** A strip or tile of so many rows, samples side by side. @throws FormatError (by `fail`), also where the codec is not installed */
export async function unpackJpeg(packed: Uint8Array, page: Page, rows: number, samples: number, fail: Fail): Promise<Uint8Array> {
  if (page.bits !== 8) throw fail(`its JPEG has ${page.bits} bits per sample; expected 8; save the picture with deflate or LZW`);
  if (samples !== 1 && samples !== 3)
    throw fail(`its JPEG has ${samples} samples per pixel; expected 1 or 3; save the picture in RGB or with deflate or LZW`);
  const stream = withTables(packed, page.jpegTables);
  const { width, height } = jpegHeader(stream, fail);
  // Eight by eight pixels take a bit at least, however alike they are.
  if (width * height > 512 * packed.length)
    throw fail(`a strip or tile claims ${width} × ${height} pixels in ${packed.length} bytes; it is damaged`);
  const layout: PixelLayout = {
    // The last strip may have rows that the picture has not.
    rows: height === page.tile.height ? height : rows,
    columns: page.tile.width,
    samples,
    photometric: page.photometric === ycbcr ? "YBR_FULL" : "",
    frames: 1,
    planar: false,
    kind: "int",
    bitsAllocated: 8,
    bitsStored: 8,
    highBit: 7,
    signed: false,
  };
  const { bytes } = await unpackFrame(stream, "jpeg", layout, fail);
  return toRgb(layout, bytes).data as Uint8Array;
}

/** A stream with the page's tables behind its first marker; both begin with one, and the tables end with another. */
function withTables(stream: Uint8Array, tables: readonly number[]): Uint8Array {
  if (tables.length < 4) return stream;
  const inner = tables.slice(2, -2);
  const out = new Uint8Array(stream.length + inner.length);
  out.set(stream.subarray(0, 2));
  out.set(inner, 2);
  out.set(stream.subarray(2), 2 + inner.length);
  return out;
}
