/** @file Label maps as DICOM RT structure sets (PS3.3 section A.19): the outlines of each class in each slice. */

import { contourLines } from "../../../host/grid/contours.ts";
import type { Volume } from "../../volume.ts";
import { referencesTo, referenceTo, type Source } from "./derived.ts";
import { displayRgb } from "./display_colors.ts";
import { encodeFile } from "./encode.ts";
import type { Vector } from "./frames.ts";
import { labelSource, type WriteDicomLabelsOptions } from "./label_source.ts";
import type { Slice } from "./slice.ts";
import type { Attributes } from "./written_tags.ts";
import { fittingText } from "./written_texts.ts";

/**
 * Writes labels as a DICOM RT structure set of the series that they were found in, for systems that plan radiotherapy: closed contours half way between the
 * voxels of a class and the others, holes as contours within. Filled again, by voxel centers, they are the same voxels.
 * @param labels as in writeDicomSegmentation
 * @returns the bytes of the file
 * @throws as writeDicomSegmentation
 */
export async function writeDicomStructures(labels: Volume, options: WriteDicomLabelsOptions): Promise<Uint8Array<ArrayBuffer>> {
  const given = { op: "writeDicomStructures", modality: "RTSTRUCT" };
  const { source, names, pixelsOf, description } = await labelSource(labels, options, given);
  const contours: Attributes[][] = names.map(() => []);
  for (const [k, slice] of source.slices.entries()) {
    for (const [c, pixels] of pixelsOf(k))
      for (const line of outlines(pixels, slice.header.layout.columns)) contours[c].push(contourOf(line, slice));
  }
  return encodeFile({ ...objectOf(source, description), ...structuresOf(source, names, contours) }, "implicit");
}

/** Closed lines around pixels, in rows and columns. */
function outlines(pixels: readonly number[], columns: number): Float64Array[] {
  let [left, right] = [columns, 0];
  for (const pixel of pixels) {
    left = Math.min(left, pixel % columns);
    right = Math.max(right, pixel % columns);
  }
  // Pixels come row by row.
  const top = Math.floor(pixels[0] / columns);
  const [height, width] = [Math.floor(pixels.at(-1)! / columns) - top + 1, right - left + 1];
  const plane = new Uint8Array(height * width);
  for (const pixel of pixels) plane[(Math.floor(pixel / columns) - top) * width + (pixel % columns) - left] = 1;
  return contourLines(plane, [height, width], 0.5).map((line) => line.map((v, i) => v + (i % 2 === 0 ? top : left)));
}

/** A closed line of rows and columns in the patient. */
function contourOf(line: Float64Array, slice: Slice): Attributes {
  const { position, orientation, pixelSpacing } = slice.facts;
  const [row, column] = orientation!;
  const [down, right] = pixelSpacing!;
  // A ten-thousandth of a millimeter, or of small pixels a thousandth.
  const digits = Math.min(20, Math.max(4, 3 - Math.floor(Math.log10(Math.min(down, right)))));
  const points: number[] = [];
  const count = line.length >> 1;
  for (let i = 0; i < count; i++) {
    const [r, c] = [line[2 * i], line[2 * i + 1]];
    if (straight(line, (i + count - 1) % count, i, (i + 1) % count)) continue;
    const at = (axis: number) => position![axis] + row[axis] * c * right + column[axis] * r * down;
    points.push(...([at(0), at(1), at(2)] satisfies Vector).map((v) => Number(v.toFixed(digits))));
  }
  return {
    ContourImageSequence: [referenceTo(slice)],
    ContourGeometricType: "CLOSED_PLANAR",
    NumberOfContourPoints: String(points.length / 3),
    ContourData: points,
  };
}

/** Whether b lies on the way from a to c. */
function straight(line: Float64Array, a: number, b: number, c: number): boolean {
  const [r, q] = [line[2 * b] - line[2 * a], line[2 * b + 1] - line[2 * a + 1]];
  return r * (line[2 * c + 1] - line[2 * b + 1]) === q * (line[2 * c] - line[2 * b]);
}

function objectOf({ slices, attributes, frameOfReference }: Source, description: string): Attributes {
  const { seriesUid } = slices[0].header;
  const { StudyInstanceUID, ContentDate, ContentTime, ...common } = attributes;
  return {
    ...common,
    StudyInstanceUID,
    SOPClassUID: "1.2.840.10008.5.1.4.1.1.481.3",
    OperatorsName: "",
    StructureSetLabel: fittingText(description, "Segmentation", 16),
    StructureSetDate: ContentDate,
    StructureSetTime: ContentTime,
    ApprovalStatus: "UNAPPROVED",
    ReferencedFrameOfReferenceSequence: [
      {
        FrameOfReferenceUID: frameOfReference,
        RTReferencedStudySequence: [
          {
            // Detached study management, which the standard retired and still asks for here.
            ReferencedSOPClassUID: "1.2.840.10008.3.1.2.3.1",
            ReferencedSOPInstanceUID: StudyInstanceUID,
            RTReferencedSeriesSequence: [{ SeriesInstanceUID: seriesUid, ContourImageSequence: referencesTo(slices) }],
          },
        ],
      },
    ],
  };
}

function structuresOf({ frameOfReference }: Source, names: readonly string[], contours: readonly Attributes[][]): Attributes {
  const number = (i: number) => String(i + 1);
  return {
    StructureSetROISequence: names.map((name, i) => ({
      ROINumber: number(i),
      ReferencedFrameOfReferenceUID: frameOfReference,
      ROIName: name,
      ROIGenerationAlgorithm: "AUTOMATIC",
    })),
    ROIContourSequence: contours.map((ContourSequence, i) => ({
      ReferencedROINumber: number(i),
      ROIDisplayColor: displayRgb(i),
      ...(ContourSequence.length > 0 && { ContourSequence }),
    })),
    RTROIObservationsSequence: names.map((_, i) => ({
      ObservationNumber: number(i),
      ReferencedROINumber: number(i),
      RTROIInterpretedType: "",
      ROIInterpreter: "",
    })),
  };
}
