/** @file Pictures of a run: PNG files read back, overlays and montages, curves. */

import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { curveSvg, encodePng, montage, overlay, sliceMontage, type Picture } from "../../../src/seg/pictures/pictures.ts";
import { ConfigError, ShapeError } from "../../../src/host/errors.ts";
import type { HostArray } from "../../../src/host/array.ts";

const plane = (shape: number[], ...data: number[]): HostArray => ({ data: Float32Array.from(data), shape });
const pixel = (p: Picture, x: number, y: number): number[] =>
  Array.from(p.data.subarray((y * p.width + x) * 3, (y * p.width + x) * 3 + 3));

/** Reads what encodePng writes, with zlib's own checksum and a CRC computed apart from the encoder. */
function decodePng(file: Uint8Array): Picture {
  expect(Array.from(file.subarray(0, 8))).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const chunks = new Map<string, Uint8Array>();
  for (let at = 8; at < file.length;) {
    const length = view.getUint32(at);
    const body = file.subarray(at + 4, at + 8 + length);
    expect(view.getUint32(at + 8 + length)).toBe(crc(body));
    chunks.set(new TextDecoder().decode(body.subarray(0, 4)), body.subarray(4));
    at += 12 + length;
  }
  expect([...chunks.keys()]).toEqual(["IHDR", "IDAT", "IEND"]);
  const head = chunks.get("IHDR")!;
  const headView = new DataView(head.buffer, head.byteOffset, head.length);
  const [width, height] = [headView.getUint32(0), headView.getUint32(4)];
  expect([head[8], ...head.subarray(10)]).toEqual([8, 0, 0, 0]);
  const channels = head[9] === 2 ? 3 : 1;
  const raw = inflateSync(chunks.get("IDAT")!);
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const line = raw.subarray(y * (width * channels + 1), (y + 1) * (width * channels + 1));
    expect(line[0]).toBe(0);
    data.set(line.subarray(1), y * width * channels);
  }
  return { width, height, channels, data };
}

function crc(bytes: Uint8Array): number {
  let c = ~0;
  for (const b of bytes) {
    c ^= b;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
  }
  return ~c >>> 0;
}

describe("encodePng", () => {
  it.each([1, 3] as const)("writes pictures of %i channels that decode to the same pixels", async (channels) => {
    const picture: Picture = {
      width: 5,
      height: 3,
      channels,
      data: Uint8Array.from({ length: 15 * channels }, (_, i) => (i * 37) % 256),
    };
    expect(decodePng(await encodePng(picture))).toEqual(picture);
  });

  it("refuses data of another size", async () => {
    await expect(encodePng({ width: 2, height: 2, channels: 3, data: new Uint8Array(4) })).rejects.toThrow(ShapeError);
  });
});

describe("overlay", () => {
  const slice = plane([1, 3, 3], 0, 0, 0, 0, 2, 2, 0, 2, 2);

  it("shows the slice in gray, scaled up", () => {
    const p = overlay(slice, undefined, undefined, { scale: 4 });
    expect([p.width, p.height]).toEqual([12, 12]);
    expect(pixel(p, 3, 3)).toEqual([0, 0, 0]);
    expect(pixel(p, 4, 4)).toEqual([255, 255, 255]);
    expect(pixel(overlay(slice, undefined, undefined, { scale: 1, window: [0, 4] }), 1, 1)).toEqual([128, 128, 128]);
  });

  it("fills the prediction and outlines the truth", () => {
    const label = plane([3, 3], 0, 0, 0, 0, 1, 1, 0, 1, 1);
    const pred = plane([3, 3], 0, 0, 0, 0, 0, 0, 0, 0, 1);
    const p = overlay(slice, label, pred, { scale: 4, alpha: 0.5 });
    expect(pixel(p, 4, 4)).toEqual([0, 229, 255]); // outline at the corner of the label
    expect(pixel(p, 5, 5)).toEqual([255, 255, 255]); // inside it
    expect(pixel(p, 7, 7)).toEqual([255, 255, 255]); // no line between voxels of one class
    expect(pixel(p, 9, 9)).toEqual([255, 198, 128]); // half orange over white
    expect(pixel(p, 11, 9)).toEqual([0, 229, 255]); // the picture's border closes the outline
  });

  it("survives a flat slice and refuses other sizes", () => {
    expect(pixel(overlay(plane([1, 2], 3, 3)), 0, 0)).toEqual([0, 0, 0]);
    expect(() => overlay(slice, plane([2, 2], 0, 0, 0, 0))).toThrow(/label is \[2,2\]/);
    expect(() => overlay(plane([2, 3, 3], ...new Array<number>(18).fill(0)))).toThrow(ShapeError);
    expect(() => overlay(slice, undefined, undefined, { scale: 0 })).toThrow(ConfigError);
  });
});

describe("montage", () => {
  it("lays pictures out row by row", () => {
    const gray = (v: number): Picture => ({ width: 2, height: 2, channels: 1, data: new Uint8Array(4).fill(v) });
    const p = montage([gray(100), gray(150), gray(200)], { margin: 1 });
    expect([p.width, p.height]).toEqual([7, 7]);
    expect([pixel(p, 1, 1), pixel(p, 4, 1), pixel(p, 1, 4), pixel(p, 4, 4)]).toEqual([100, 150, 200, 24].map((v) => [v, v, v]));
    expect(() => montage([])).toThrow(ConfigError);
  });

  it.each([
    [0, 2, 10, 4], // every second of three slices [4, 5]
    [1, 1, 20, 3], // four slices [3, 5]
    [2, 1, 20, 3], // five slices [3, 4]
  ])("cuts a volume along axis %i", (axis, everyN, width, height) => {
    const volume: HostArray = { data: Float32Array.from({ length: 60 }, (_, i) => i), shape: [1, 3, 4, 5] };
    const columns = Math.ceil([3, 4, 5][axis] / everyN);
    const p = sliceMontage(volume, { axis, everyN, scale: 1, margin: 0, columns });
    expect([p.width, p.height]).toEqual([width, height]);
    // First voxel of the first slice and last of the last, in the window of the whole volume.
    expect(pixel(p, 0, 0)).toEqual([0, 0, 0]);
    expect(pixel(p, width - 1, height - 1)).toEqual([255, 255, 255]);
  });

  it("refuses what is no volume", () => {
    expect(() => sliceMontage(plane([2, 2], 0, 0, 0, 0))).toThrow(ShapeError);
    const volume = plane([1, 2, 2], 0, 0, 0, 0);
    expect(() => sliceMontage(volume, { axis: 3 })).toThrow(ConfigError);
    expect(() => sliceMontage(volume, { label: plane([1, 1, 2], 0, 0) })).toThrow(/label is \[1,1,2\]/);
  });
});

describe("curveSvg", () => {
  it("draws axes, legend and the best value", () => {
    const svg = curveSvg(
      [
        { name: "epoch loss", points: [0.5, 0.4, 0.3] },
        {
          name: "Dice <val>",
          points: [
            [1, NaN],
            [2, 0.8],
            [3, 0.7],
          ],
          best: "max",
        },
      ],
      { title: "Run A & B", xLabel: "epoch", yLabel: "value" },
    );
    expect(svg).toMatch(/^<svg xmlns/);
    expect(svg).toContain("best 0.8000 at 2");
    expect(svg).toContain("Run A &amp; B");
    expect(svg).toContain("Dice &lt;val&gt;");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(svg.match(/<text/g)!.length).toBeGreaterThan(10);
  });

  it.each([[[]], [[0.5]], [[NaN, NaN]], [[1, 1, 1]], [[1e-7, 2e-7]], [[-5, 1e9]]])("holds for %j", (points) => {
    const svg = curveSvg([{ name: "loss", points, best: "min" }]);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(svg.length).toBeLessThan(20_000);
  });
});
