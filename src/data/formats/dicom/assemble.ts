/**
 * @file The voxels of a stack: frames are read a few at a time and put into the one array of the volume, so that reading takes little more memory
 * than the volume has. Values are scaled where the files ask for it, into the smallest element type that holds all of them exactly.
 */

import { sizeOf, type TypedArray } from "../../../host/array.ts";
import { elements, integerRange, type NativeName } from "../../../host/elements.ts";
import { FormatError } from "../../../host/errors.ts";
import { makeVolume, type Volume } from "../../volume.ts";
import { areTimes } from "./channels.ts";
import type { DicomHeader } from "./header.ts";
import type { FrameReader, PixelLayout, Plane } from "./pixel_layout.ts";
import { openFrames, storedType } from "./pixels.ts";
import type { Slice } from "./slice.ts";
import type { Stack } from "./stack.ts";

/** Slices that are put into the volume together: a cache line of 16-bit voxels. */
const together = 32;

/**
 * Reads a stack's voxels, `[C, nx, ny, nz]`: the samples of a pixel are channels, and those of each channel of the stack stand behind each other.
 * @throws FormatError for pixels that are damaged
 */
export async function readVoxels(stack: Stack, source: string, extraNotes: readonly string[] = []): Promise<Volume> {
  const first = stack.channels[0][0].header;
  const { rows, columns, samples } = first.layout;
  const depth = stack.channels[0].length;
  const all = stack.channels.flat();
  const dtype = valueType(all);
  const shape = [stack.channels.length * samples, columns, rows, depth];
  const readers = new Map<DicomHeader, Promise<FrameReader>>();
  // Frames that are damaged are found before memory is asked for.
  await readPlanes(all.slice(0, 1), readers);
  const data: TypedArray = new elements[dtype].array(sizeOf(shape));
  const voxels = columns * rows * depth;
  const batch: TypedArray = new elements[dtype].array(Math.min(depth, together) * columns * rows);
  for (const [c, line] of stack.channels.entries()) {
    for (let z = 0; z < depth; z += together) {
      const planes = await readPlanes(line.slice(z, z + together), readers);
      for (let s = 0; s < samples; s++) {
        for (const [k, plane] of planes.entries())
          scale(plane, s, samples, batch.subarray(k * columns * rows, (k + 1) * columns * rows));
        const target = data.subarray((c * samples + s) * voxels, (c * samples + s + 1) * voxels);
        turn(batch, target, { columns, rows, depth, z, count: planes.length });
      }
    }
  }
  const own = all.every((s) => s.header === first) ? first.notes : [...new Set(all.flatMap((s) => s.header.notes))];
  const unsized = first.frames[0].pixelSpacing ? [] : ["the size of its pixels is unknown and taken as 1 mm"];
  const notes = [...own, ...stack.notes, ...unsized, ...extraNotes];
  const timeStep = stack.channels.length > 1 && areTimes(stack.channels) ? first.mosaic?.seconds : undefined;
  return makeVolume({ data, shape }, stack.affine, {
    source,
    format: "dicom",
    dtype: storedType(first.layout),
    units: "mm",
    ...(first.frameOfReference && { frameOfReference: first.frameOfReference }),
    ...(timeStep !== undefined && { timeStep }),
    ...(stack.unplaced && { unplaced: true }),
    ...(notes.length > 0 ? { notes } : {}),
  });
}

interface ScaledPlane extends Plane {
  readonly slope: number;
  readonly intercept: number;
}

async function readPlanes(slices: readonly Slice[], readers: Map<DicomHeader, Promise<FrameReader>>): Promise<ScaledPlane[]> {
  return Promise.all(
    slices.map(async ({ header, frame, facts }) => {
      const { slope, intercept } = facts;
      // A file of one frame is read once; one of many stays open.
      const open = readers.get(header) ?? openFrames(header);
      if (header.layout.frames > 1) readers.set(header, open);
      const plane = await (await open)(frame);
      const { rows, columns, samples } = header.layout;
      if (plane.data.length < rows * columns * samples)
        throw header.fail(`frame ${frame} has too few values; the file is damaged`);
      return { ...plane, slope, intercept };
    }),
  );
}

/** A sample of all pixels of a frame, scaled. */
function scale({ data, planar, slope, intercept }: ScaledPlane, sample: number, samples: number, out: TypedArray): void {
  const step = planar ? 1 : samples;
  let from = planar ? sample * out.length : sample;
  if (slope === 1 && intercept === 0) {
    if (step === 1) out.set(data.subarray(from, from + out.length));
    else for (let i = 0; i < out.length; i++, from += step) out[i] = data[from];
    return;
  }
  for (let i = 0; i < out.length; i++, from += step) out[i] = data[from] * slope + intercept;
}

interface Place {
  readonly columns: number;
  readonly rows: number;
  readonly depth: number;
  /** Where the frames begin along the third axis, and their number. */
  readonly z: number;
  readonly count: number;
}

/** Columns that are written together, so that a cache line of each frame is used up before it is dropped. */
const tile = 16;

/** Frames have x fastest, volumes z. */
function turn(batch: TypedArray, target: TypedArray, { columns, rows, depth, z, count }: Place): void {
  const pixels = columns * rows;
  for (let x0 = 0; x0 < columns; x0 += tile) {
    const x1 = Math.min(columns, x0 + tile);
    for (let y = 0; y < rows; y++) {
      for (let x = x0; x < x1; x++) {
        const to = (x * rows + y) * depth + z;
        for (let k = 0, from = y * columns + x; k < count; k++, from += pixels) target[to + k] = batch[from];
      }
    }
  }
}

/** The element type of the scaled values. */
function valueType(slices: readonly Slice[]): NativeName {
  const stored = storedType(slices[0].header.layout);
  let [low, high, whole, scaled] = [Infinity, -Infinity, true, false];
  for (const { header, facts } of slices) {
    const { slope, intercept } = facts;
    const [from, to] = storedRange(header.layout);
    const ends = [from * slope + intercept, to * slope + intercept];
    low = Math.min(low, ...ends);
    high = Math.max(high, ...ends);
    whole &&= header.layout.kind === "int" && Number.isInteger(slope) && Number.isInteger(intercept);
    scaled ||= slope !== 1 || intercept !== 0;
    if (storedType(header.layout) !== stored) scaled = true;
  }
  if (!scaled) return stored;
  if (!whole) return "f64";
  const fits = (name: NativeName): boolean => {
    const range = integerRange(name);
    return range !== undefined && low >= range[0] && high <= range[1];
  };
  const small = (["u8", "i8", "i16", "u16"] as const).find(fits);
  return small ?? (low >= -(2 ** 24) && high <= 2 ** 24 ? "f32" : "f64");
}

/** Least and greatest value that the stored bits can hold. */
function storedRange({ bitsStored, signed, kind }: PixelLayout): readonly [number, number] {
  if (kind !== "int") return [-Infinity, Infinity];
  return signed ? [-(2 ** (bitsStored - 1)), 2 ** (bitsStored - 1) - 1] : [0, 2 ** bitsStored - 1];
}

/** The error for files of one stack whose pixels differ. */
export function checkAlike(slices: readonly Slice[]): void {
  const [{ header }] = slices;
  for (const { header: other } of slices) {
    const [a, b] = [header.layout, other.layout];
    if (a.samples !== b.samples || a.rows !== b.rows || a.columns !== b.columns)
      throw new FormatError(
        `readDicom: ${other.name} has ${b.columns}×${b.rows} pixels of ${b.samples} samples, ${header.name} ${a.columns}×${a.rows} of ${a.samples}`,
      );
  }
}
