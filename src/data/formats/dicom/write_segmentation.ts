/** @file Label maps as DICOM segmentations (PS3.3 section A.51): a mask of one bit per voxel for each segment in each slice that has some of it. */

import { DataError } from "../../../host/errors.ts";
import type { Volume } from "../../volume.ts";
import { referencesTo, referenceTo, type Source } from "./derived.ts";
import { displayLab } from "./display_colors.ts";
import { encodeFile, longestValue, newUid } from "./encode.ts";
import { normalOf } from "./frames.ts";
import { labelSource, type WriteDicomLabelsOptions } from "./label_source.ts";
import { type Attributes, writtenTags } from "./written_tags.ts";

/** SegmentNumber has 16 bits. */
const mostSegments = 65535;

const code = (value: string, scheme: string, meaning: string): Attributes => ({
  CodeValue: value,
  CodingSchemeDesignator: scheme,
  CodeMeaning: meaning,
});

/**
 * Writes labels as a DICOM segmentation of the series that they were found in, for viewers and archives: a new series of the same study. Empty slices are left out.
 * What kind of tissue a segment is stays open: codes say "anatomical structure" and "tissue".
 * @param labels class numbers `[1, nx, ny, nz]`, or a mask per class beside the background `[classes, nx, ny, nz]`, on the voxels of the series, as readImage
 *   has them or with axes in another order or direction
 * @returns the bytes of the file
 * @throws DataError for labels on other voxels, values of no class and of no mask, images without places, and what has no room in a file; as readSeries for the
 *   files of the series
 */
export async function writeDicomSegmentation(labels: Volume, options: WriteDicomLabelsOptions): Promise<Uint8Array<ArrayBuffer>> {
  const op = "writeDicomSegmentation";
  const given = { op, modality: "SEG", most: mostSegments };
  const { source, names, pixelsOf, description, algorithm } = await labelSource(labels, options, given);
  const { columns, rows } = source.slices[0].header.layout;
  const size = rows * columns;
  const frames = source.slices.flatMap((_, slice) =>
    [...pixelsOf(slice)].map(([segment, pixels]) => ({ segment, slice, bits: packed(pixels, size) })),
  );
  // A file without a frame is none.
  if (frames.length === 0) frames.push({ segment: 0, slice: 0, bits: packed([], size) });
  if (frames.length * size > 8 * longestValue)
    throw new DataError(
      `${op}: ${frames.length} frames of ${columns} × ${rows} pixels take more than the 4 GiB of a DICOM value; write fewer classes a file`,
    );
  frames.sort((a, b) => a.segment - b.segment || a.slice - b.slice);
  const bits = joined(
    frames.map((frame) => frame.bits),
    size,
  );
  const segments = names.map((name, i) => segmentOf(i + 1, name, algorithm));
  return encodeFile(
    { ...objectOf(source, description), ...groupsOf(source, frames), SegmentSequence: segments, PixelData: bits },
    "explicit",
  );
}

/** Eight pixels a byte, the first one lowest. */
function packed(pixels: readonly number[], size: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(size / 8));
  for (const pixel of pixels) bits[pixel >> 3] |= 1 << (pixel & 7);
  return bits;
}

/** Frames of so many pixels one behind the other, which begin within a byte where that is no multiple of eight. */
function joined(frames: readonly Uint8Array[], pixels: number): Uint8Array {
  const out = new Uint8Array(Math.ceil((frames.length * pixels) / 8));
  for (const [n, frame] of frames.entries()) {
    const first = n * pixels;
    const [at, shift] = [Math.floor(first / 8), first % 8];
    if (shift === 0) out.set(frame, at);
    else
      for (let i = 0; i < frame.length; i++) {
        out[at + i] |= frame[i] << shift;
        if (at + i + 1 < out.length) out[at + i + 1] |= frame[i] >> (8 - shift);
      }
  }
  return out;
}

const segmentOf = (number: number, label: string, algorithm: string): Attributes => ({
  SegmentNumber: number,
  SegmentLabel: label,
  SegmentAlgorithmType: "AUTOMATIC",
  SegmentAlgorithmName: algorithm,
  RecommendedDisplayCIELabValue: displayLab(number - 1),
  SegmentedPropertyCategoryCodeSequence: [code("123037004", "SCT", "Anatomical Structure")],
  SegmentedPropertyTypeCodeSequence: [code("85756007", "SCT", "Tissue")],
});

function objectOf({ slices, attributes }: Source, description: string): Attributes {
  const { header } = slices[0];
  return {
    ...attributes,
    SOPClassUID: "1.2.840.10008.5.1.4.1.1.66.4",
    ImageType: ["DERIVED", "PRIMARY"],
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    Rows: header.layout.rows,
    Columns: header.layout.columns,
    BitsAllocated: 1,
    BitsStored: 1,
    HighBit: 0,
    PixelRepresentation: 0,
    LossyImageCompression: "00",
    SegmentationType: "BINARY",
    ContentLabel: "SEGMENTATION",
    ContentDescription: description,
    ContentCreatorName: "",
    ReferencedSeriesSequence: [{ SeriesInstanceUID: header.seriesUid, ReferencedInstanceSequence: referencesTo(slices) }],
  };
}

/** Where the frames lie, shared and for each, and by what they are ordered. */
function groupsOf({ slices, affine }: Source, frames: readonly { segment: number; slice: number }[]): Attributes {
  const { orientation, pixelSpacing, sliceThickness } = slices[0].facts;
  // Along the normal, also where slices are stacked beside it. The affine is of RAS, DICOM's vectors are of LPS.
  const [x, y, z] = normalOf(orientation!);
  const distance = Math.abs(z * affine[2][2] - x * affine[0][2] - y * affine[1][2]);
  const organization = newUid();
  const dimension = (pointer: number, group: number, label: string): Attributes => ({
    DimensionOrganizationUID: organization,
    DimensionIndexPointer: pointer,
    FunctionalGroupPointer: group,
    DimensionDescriptionLabel: label,
  });
  const t = writtenTags;
  return {
    NumberOfFrames: String(frames.length),
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: organization }],
    DimensionIndexSequence: [
      dimension(t.ReferencedSegmentNumber.tag, t.SegmentIdentificationSequence.tag, "ReferencedSegmentNumber"),
      dimension(t.ImagePositionPatient.tag, t.PlanePositionSequence.tag, "ImagePositionPatient"),
    ],
    SharedFunctionalGroupsSequence: [
      {
        PixelMeasuresSequence: [
          { PixelSpacing: pixelSpacing, SliceThickness: sliceThickness ?? distance, SpacingBetweenSlices: distance },
        ],
        PlaneOrientationSequence: [{ ImageOrientationPatient: orientation!.flat() }],
      },
    ],
    PerFrameFunctionalGroupsSequence: frames.map(({ segment, slice }) => ({
      FrameContentSequence: [{ DimensionIndexValues: [segment + 1, slice + 1] }],
      PlanePositionSequence: [{ ImagePositionPatient: slices[slice].facts.position }],
      SegmentIdentificationSequence: [{ ReferencedSegmentNumber: segment + 1 }],
      DerivationImageSequence: [
        {
          DerivationCodeSequence: [code("113076", "DCM", "Segmentation")],
          SourceImageSequence: [
            {
              ...referenceTo(slices[slice]),
              PurposeOfReferenceCodeSequence: [code("121322", "DCM", "Source image for image processing operation")],
            },
          ],
        },
      ],
    })),
  };
}
