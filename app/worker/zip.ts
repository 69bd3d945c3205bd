/** @file ZIP archives of files as they are: what is in a run is packed already, or small. */

import { ConfigError } from "voxgrad";
import type { PickedFile } from "../protocol.ts";

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 (ISO 3309) of a file, read in pieces. */
async function crcOf(file: Blob): Promise<number> {
  let crc = 0xffffffff;
  for (let from = 0; from < file.size; from += 2 ** 22) {
    const bytes = new Uint8Array(await file.slice(from, from + 2 ** 22).arrayBuffer());
    for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function record(size: number, fields: readonly (readonly [at: number, value: number, bytes: 2 | 4])[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(size));
  for (const [at, value, bytes] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
  }
  return new Uint8Array(view.buffer);
}

const utf8 = 0x0800;

/** An archive (APPNOTE 6.3, method "stored"). Throws `ConfigError` for more than its 32-bit fields hold. */
export async function zip(files: readonly PickedFile[], onProgress: (done: number, total: number) => void): Promise<Blob> {
  const parts: BlobPart[] = [];
  const directory: BlobPart[] = [];
  let [offset, directorySize] = [0, 0];
  for (const [i, { path, file }] of files.entries()) {
    onProgress(i, files.length);
    const name = new TextEncoder().encode(path);
    const crc = await crcOf(file);
    // 1980-01-01: a run is the same archive whenever it is made.
    const common = [
      [0, 20, 2],
      [2, utf8, 2],
      [8, 0x21, 2],
      [10, crc, 4],
      [14, file.size, 4],
      [18, file.size, 4],
      [22, name.length, 2],
    ] as const;
    const shifted = (by: number) => common.map(([at, value, bytes]) => [at + by, value, bytes] as const);
    parts.push(record(30, [[0, 0x04034b50, 4], ...shifted(4)]), name, file);
    directory.push(record(46, [[0, 0x02014b50, 4], [4, 20, 2], ...shifted(6), [42, offset, 4]]), name);
    offset += 30 + name.length + file.size;
    directorySize += 46 + name.length;
    if (offset > 0xffffffff) throw new ConfigError("the run is larger than 4 GiB, which an archive of this kind cannot hold");
  }
  const end = record(22, [
    [0, 0x06054b50, 4],
    [8, files.length, 2],
    [10, files.length, 2],
    [12, directorySize, 4],
    [16, offset, 4],
  ]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}
