/** @file Label maps as DICOM segmentations (PS3.3 section A.51): a mask of one bit per voxel for each segment in each slice that has some of it. */

import { expectKinds, expectArguments } from "../../../host/kinds.ts";
import { expectOptions } from "../../../host/options.ts";
import type { LabelClass } from "../../labels.ts";
import type { Volume } from "../../volume.ts";
import type { ImageFile } from "../format.ts";
import { referencesTo, referenceTo, type Source, sourceOf, stepsIn } from "./derived.ts";
import { encodeFile, newUid } from "./encode.ts";
import { foregroundIn } from "./label_channels.ts";
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
export async function writeDicomSegmentation(labels: Volume, options: WriteDicomLabelsOptions): Promise<Uint8Array> {
  const op = "writeDicomSegmentation";
  expectOptions(op, options, writeLabelsNames);
  expectArguments(op, "volume", { labels });
  expectKinds(op, { files: { "options.like": options.like } });
  const { like, series = {}, description = "Segmentation", algorithm = "voxgrad" } = options;
  const { classes, at } = foregroundIn(labels, options.classes, op);
  const texts = [algorithm, ...classes.map((c) => c.name)];
  const source = await sourceOf(like, series, { op, modality: "SEG", description, texts });
  const { columns, rows } = source.slices[0].header.layout;
  const { first, along } = stepsIn(labels, source, op);
  const inSlice = (slice: number, see: (segment: number, pixel: number) => void) => {
    for (let y = 0, pixel = 0; y < rows; y++)
      for (let x = 0; x < columns; x++, pixel++)
        at(first + x * along[0] + y * along[1] + slice * along[2], (segment) => see(segment, pixel));
  };
  // By segment, then along the slices.
  const filled = classes.map(() => new Set<number>());
  for (let slice = 0; slice < source.slices.length; slice++) inSlice(slice, (segment) => filled[segment].add(slice));
  const frames = filled.flatMap((slices, segment) => [...slices].map((slice) => ({ segment, slice })));
  // A file without a frame is none.
  if (frames.length === 0) frames.push({ segment: 0, slice: 0 });
  const numbers = new Map(frames.map(({ segment, slice }, n) => [segment * source.slices.length + slice, n]));
  const pixels = columns * rows;
  const bits = new Uint8Array(Math.ceil((frames.length * pixels) / 8));
  for (let slice = 0; slice < source.slices.length; slice++)
    inSlice(slice, (segment, pixel) => {
      const bit = numbers.get(segment * source.slices.length + slice)! * pixels + pixel;
      bits[Math.floor(bit / 8)] |= 1 << (bit % 8);
    });
  const segments = classes.map(({ name }, i) => segmentOf(i + 1, name, algorithm));
  return encodeFile(
    { ...objectOf(source, description), ...groupsOf(source, frames), SegmentSequence: segments, PixelData: bits },
    "explicit",
  );
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
