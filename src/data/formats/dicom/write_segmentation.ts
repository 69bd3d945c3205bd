/** @file Label maps as DICOM segmentations (PS3.3 section A.51): a mask of one bit per voxel for each segment in each slice that has some of it. */

import { expectKinds, expectArguments } from "../../../host/kinds.ts";
import { expectOptions } from "../../../host/options.ts";
import type { LabelClass } from "../../labels.ts";
import type { Volume } from "../../volume.ts";
import type { ImageFile } from "../format.ts";
import { referencesTo, referenceTo, type Source, sourceOf } from "./derived.ts";
import { encodeFile, newUid } from "./encode.ts";
import { classPixels, foregroundIn } from "./class_pixels.ts";
import type { ReadSeriesOptions } from "./series.ts";
import { type Attributes, writtenTags } from "./written_tags.ts";

/** What labels are written with. */
export interface WriteDicomLabelsOptions {
  /** The DICOM files of the image that was segmented: patient, study, and where the slices lie. */
  readonly like: readonly ImageFile[];
  /** Names of the values; each class beside the background becomes a segment, numbered from 1. */
  readonly classes: readonly LabelClass[];
  /** Which series of the files, if there are several. */
  readonly series?: ReadSeriesOptions;
  /** SeriesDescription. Default "Segmentation". */
  readonly description?: string;
  /** What found the structures, such as the name of a model. Default "voxgrad". */
  readonly algorithm?: string;
}

/** The names of `WriteDicomLabelsOptions`. */
export const writeLabelsNames = "like:files! classes:objects! series:object description:text algorithm:text";

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
 * @throws DataError for labels on other voxels and for values of no class; as readSeries for the files of the series
 */
export async function writeDicomSegmentation(labels: Volume, options: WriteDicomLabelsOptions): Promise<Uint8Array<ArrayBuffer>> {
  const op = "writeDicomSegmentation";
  expectOptions(op, options, writeLabelsNames);
  expectArguments(op, "volume", { labels });
  expectKinds(op, { files: { "options.like": options.like } });
  const { like, series = {}, description = "Segmentation", algorithm = "voxgrad" } = options;
  const classes = foregroundIn(labels, options.classes, op);
  const texts = [algorithm, ...classes.map((c) => c.name)];
  const source = await sourceOf(like, series, { op, modality: "SEG", description, texts });
  const pixelsOf = classPixels(labels, options.classes, source, op);
  const { columns, rows } = source.slices[0].header.layout;
  const size = rows * columns;
  const frames = source.slices.flatMap((_, slice) =>
    [...pixelsOf(slice)].map(([segment, pixels]) => ({ segment, slice, bits: packed(pixels, size) })),
  );
  // A file without a frame is none.
  if (frames.length === 0) frames.push({ segment: 0, slice: 0, bits: packed([], size) });
  frames.sort((a, b) => a.segment - b.segment || a.slice - b.slice);
  const bits = joined(
    frames.map((frame) => frame.bits),
    size,
  );
  const segments = classes.map(({ name }, i) => segmentOf(i + 1, name, algorithm));
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
  const distance = Math.hypot(affine[0][2], affine[1][2], affine[2][2]);
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
