/**
 * @file Which part of an image is on the device while its windows are predicted. Windows go along the first axis in stages: of the image and of the sums
 * a stage needs only the planes that its windows touch, so that memory does not depend on the length of the volume. If even one row of windows is
 * too much, the second axis is cut into bands, and windows that reach into two bands are predicted for both. A voxel's sum has the same
 * terms in the same order in every plan, up to the last bits of what a network says of a smaller batch at the end of a stage, for which it may have
 * another kernel.
 */

import { OutOfMemoryError } from "../../host/errors.ts";
import { formatBytes } from "../../host/text.ts";

export type Size3 = readonly [number, number, number];

/** What a plan is made for. */
export interface WindowDemand {
  /** Image with its padding `[planes, rows, columns]`. */
  readonly size: Size3;
  readonly roi: Size3;
  /** Where windows start along each axis, ascending. */
  readonly starts: readonly (readonly number[])[];
  /** Channels of the image. */
  readonly channels: number;
  /** Channels of the sums, that of the weights included where it is needed. */
  readonly sums: number;
  /** Bytes of results on their way, for planes of so many voxels of which `planes` end together. */
  readonly resultBytes: (plane: number, planes: number) => number;
  /** Bytes that image, sums and results may take. */
  readonly maxBytes: number;
  /** Bytes that one binding may have. */
  readonly maxBinding: number;
}

/** Windows that are predicted while the planes they touch are there. */
export interface WindowStage {
  /** First voxels of its windows, in C order. */
  readonly starts: readonly Size3[];
  /** Planes of the image that have to be there. */
  readonly planes: readonly [from: number, to: number];
  /** Planes that no later stage changes. */
  readonly final: readonly [from: number, to: number];
}

/** Rows of the result that are summed together. */
export interface WindowBand {
  /** Rows that are summed. */
  readonly rows: readonly [from: number, to: number];
  /** Rows of the image that their windows read. */
  readonly reads: readonly [from: number, to: number];
  readonly stages: readonly WindowStage[];
}

export interface WindowLayout {
  readonly bands: readonly WindowBand[];
  /** Planes that are kept of image and sums. */
  readonly ring: number;
  /** Most rows that a band sums and reads. */
  readonly rows: number;
  readonly reads: number;
  /** Bytes of image and sums. */
  readonly imageBytes: number;
  readonly sumBytes: number;
  /** Bytes of results on their way back. */
  readonly resultBytes: number;
  /** Windows that are predicted, those of two bands twice. */
  readonly windows: number;
}

/** The layout with the fewest bands, then the fewest stages, that fits. @throws OutOfMemoryError if nothing does */
export function windowLayout(demand: WindowDemand): WindowLayout {
  const { size, roi, starts, maxBytes, maxBinding } = demand;
  const [first] = starts;
  let least = Infinity;
  for (let count = 1; count <= size[1]; count = count < 16 ? count + 1 : Math.ceil(count * 1.25)) {
    const bands = bandsOf(demand, count);
    // The largest stage that fits, by halving the number of rows of windows.
    for (let together = first.length; together >= 1; together = together > 1 ? Math.ceil(together / 2) : 0) {
      const ring = Math.max(...stagesOf(first, together).map((s) => s.at(-1)! + roi[0] - s[0]));
      const layout = layoutOf(demand, bands, ring);
      const plane = ring * Math.max(layout.rows, layout.reads) * size[2] * 4;
      const bytes = layout.imageBytes + layout.sumBytes + layout.resultBytes;
      least = Math.min(least, bytes);
      if (bytes > maxBytes || plane > maxBinding) continue;
      return withStages(demand, layout, bands, together);
    }
  }
  throw new OutOfMemoryError(
    `sliding window: windows of [${roi}] of an image [${size}] need at least ${formatBytes(least)} for image, sums and results, ` +
      `${formatBytes(Math.max(0, maxBytes))} are left beside the network: use smaller windows or batches, or allow more memory`,
  );
}

interface Band {
  readonly rows: readonly [number, number];
  readonly reads: readonly [number, number];
  readonly starts: readonly number[];
}

function bandsOf({ size, roi, starts }: WindowDemand, count: number): Band[] {
  return Array.from({ length: count }, (_, i) => {
    const rows = [Math.round((i * size[1]) / count), Math.round(((i + 1) * size[1]) / count)] as const;
    const touching = starts[1].filter((s) => s < rows[1] && s + roi[1] > rows[0]);
    return { rows, reads: [touching[0], touching.at(-1)! + roi[1]] as const, starts: touching };
  });
}

function stagesOf(starts: readonly number[], together: number): number[][] {
  return Array.from({ length: Math.ceil(starts.length / together) }, (_, i) => starts.slice(i * together, (i + 1) * together));
}

function layoutOf({ size, channels, sums, resultBytes }: WindowDemand, bands: readonly Band[], ring: number) {
  const most = (ranges: readonly (readonly [number, number])[]) => Math.max(...ranges.map(([from, to]) => to - from));
  const [rows, reads] = [most(bands.map((b) => b.rows)), most(bands.map((b) => b.reads))];
  const plane = ring * size[2] * 4;
  const results = resultBytes(rows * size[2], ring);
  return { ring, rows, reads, imageBytes: channels * reads * plane, sumBytes: sums * rows * plane, resultBytes: results };
}

function withStages(
  { size, roi, starts }: WindowDemand,
  layout: ReturnType<typeof layoutOf>,
  bands: readonly Band[],
  together: number,
): WindowLayout {
  const rows = stagesOf(starts[0], together);
  const full = bands.map((band): WindowBand => {
    const stages = rows.map((here, i): WindowStage => {
      const next = rows[i + 1]?.[0] ?? size[0];
      return {
        starts: here.flatMap((z) => band.starts.flatMap((y) => starts[2].map((x): Size3 => [z, y, x]))),
        planes: [here[0], here.at(-1)! + roi[0]],
        final: [i === 0 ? 0 : here[0], next],
      };
    });
    return { rows: band.rows, reads: band.reads, stages };
  });
  const windows = full.reduce((n, b) => n + b.stages.reduce((m, s) => m + s.starts.length, 0), 0);
  return { ...layout, bands: full, windows };
}
