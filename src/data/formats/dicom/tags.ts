/**
 * @file The DICOM attributes that are read (PS3.6): name, tag and value representation, which implicit files do not state, and two private
 * ones of Siemens.
 */

const t = (tag: number, vr: string): Tag => ({ tag, vr });

/** An attribute. */
export interface Tag {
  /** Group · 65536 + element. */
  readonly tag: number;
  /** Value representation. */
  readonly vr: string;
}

/** Attributes by keyword. */
// oxfmt-ignore
export const tags = {
  mediaStorageSOPClassUID:  t(0x00020002, "UI"),
  transferSyntaxUID:        t(0x00020010, "UI"),
  specificCharacterSet:     t(0x00080005, "CS"),
  imageType:                t(0x00080008, "CS"),
  sopClassUID:              t(0x00080016, "UI"),
  sopInstanceUID:           t(0x00080018, "UI"),
  acquisitionTime:          t(0x00080032, "TM"),
  contentTime:              t(0x00080033, "TM"),
  modality:                 t(0x00080060, "CS"),
  seriesDescription:        t(0x0008103e, "LO"),
  patientID:                t(0x00100020, "LO"),
  sliceThickness:           t(0x00180050, "DS"),
  repetitionTime:           t(0x00180080, "DS"),
  echoTime:                 t(0x00180081, "DS"),
  echoNumbers:              t(0x00180086, "IS"),
  spacingBetweenSlices:     t(0x00180088, "DS"),
  triggerTime:              t(0x00181060, "DS"),
  imagerPixelSpacing:       t(0x00181164, "DS"),
  diffusionBValue:          t(0x00189087, "FD"),
  gradientOrientation:      t(0x00189089, "FD"),
  gradientSequence:         t(0x00189076, "SQ"),
  mrDiffusionSequence:      t(0x00189117, "SQ"),
  mrEchoSequence:           t(0x00189114, "SQ"),
  effectiveEchoTime:        t(0x00189082, "FD"),
  numberOfImagesInMosaic:   t(0x0019100a, "US"),
  studyInstanceUID:         t(0x0020000d, "UI"),
  seriesInstanceUID:        t(0x0020000e, "UI"),
  seriesNumber:             t(0x00200011, "IS"),
  acquisitionNumber:        t(0x00200012, "IS"),
  instanceNumber:           t(0x00200013, "IS"),
  imagePosition:            t(0x00200032, "DS"),
  imageOrientation:         t(0x00200037, "DS"),
  frameOfReferenceUID:      t(0x00200052, "UI"),
  temporalPosition:         t(0x00200100, "IS"),
  sliceLocation:            t(0x00201041, "DS"),
  frameContentSequence:     t(0x00209111, "SQ"),
  planePositionSequence:    t(0x00209113, "SQ"),
  planeOrientationSequence: t(0x00209116, "SQ"),
  temporalPositionIndex:    t(0x00209128, "UL"),
  samplesPerPixel:          t(0x00280002, "US"),
  photometricInterpretation: t(0x00280004, "CS"),
  planarConfiguration:      t(0x00280006, "US"),
  numberOfFrames:           t(0x00280008, "IS"),
  rows:                     t(0x00280010, "US"),
  columns:                  t(0x00280011, "US"),
  pixelSpacing:             t(0x00280030, "DS"),
  bitsAllocated:            t(0x00280100, "US"),
  bitsStored:               t(0x00280101, "US"),
  highBit:                  t(0x00280102, "US"),
  pixelRepresentation:      t(0x00280103, "US"),
  rescaleIntercept:         t(0x00281052, "DS"),
  rescaleSlope:             t(0x00281053, "DS"),
  modalityLUTSequence:      t(0x00283000, "SQ"),
  pixelMeasuresSequence:    t(0x00289110, "SQ"),
  pixelValueTransformation: t(0x00289145, "SQ"),
  csaImageHeader:           t(0x00291010, "OB"),
  gridFrameOffsets:         t(0x3004000c, "DS"),
  doseGridScaling:          t(0x3004000e, "DS"),
  segmentationType:         t(0x00620001, "CS"),
  segmentSequence:          t(0x00620002, "SQ"),
  segmentOfTable:           t(0x00620004, "US"),
  segmentLabel:             t(0x00620005, "LO"),
  maximumFractionalValue:   t(0x0062000e, "US"),
  segmentNumber:            t(0x0062000b, "US"),
  segmentIdentification:    t(0x0062000a, "SQ"),
  sharedGroups:             t(0x52009229, "SQ"),
  perFrameGroups:           t(0x52009230, "SQ"),
  extendedOffsets:          t(0x7fe00001, "OV"),
  extendedLengths:          t(0x7fe00002, "OV"),
  floatPixelData:           t(0x7fe00008, "OF"),
  doublePixelData:          t(0x7fe00009, "OD"),
  pixelData:                t(0x7fe00010, "OW"),
} as const satisfies Record<string, Tag>;

/** A keyword of an attribute that is read. */
export type Keyword = keyof typeof tags;

/** Value representations of the attributes that are read, by tag; all others are passed over. */
export const knownTags: ReadonlyMap<number, string> = new Map(Object.values(tags).map(({ tag, vr }) => [tag, vr]));

/** As the standard writes it: (0028,0010). */
export const tagText = (tag: number): string => {
  const hex = tag.toString(16).padStart(8, "0");
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
};
