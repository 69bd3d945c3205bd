/** @file The attributes of RT structure sets that are read (PS3.3 sections C.8.8.5, C.8.8.6 and C.8.8.8). */

import { tags } from "./tags.ts";

const t = (tag: number, vr: string) => ({ tag, vr });

/** By what they are here; the standard's keywords behind them. */
// oxfmt-ignore
export const structureTags = {
  charset:              tags.specificCharacterSet,
  sopClass:             tags.sopClassUID,
  structures:           t(0x30060020, "SQ"), // StructureSetROISequence
  number:               t(0x30060022, "IS"), // ROINumber
  frameOfReference:     t(0x30060024, "UI"), // ReferencedFrameOfReferenceUID
  name:                 t(0x30060026, "LO"), // ROIName
  color:                t(0x3006002a, "IS"), // ROIDisplayColor
  contoursOfStructures: t(0x30060039, "SQ"), // ROIContourSequence
  contours:             t(0x30060040, "SQ"), // ContourSequence
  kind:                 t(0x30060042, "CS"), // ContourGeometricType
  points:               t(0x30060050, "DS"), // ContourData
  observations:         t(0x30060080, "SQ"), // RTROIObservationsSequence
  referencedNumber:     t(0x30060084, "IS"), // ReferencedROINumber
  type:                 t(0x300600a4, "CS"), // RTROIInterpretedType
} as const;

/** Whether a SOP class is RT Structure Set Storage. */
export const isStructureSet = (sopClass: string): boolean => sopClass === "1.2.840.10008.5.1.4.1.1.481.3";
