/** @file The views of a volume: which of its axes are slice, row and column. */

import { type SliceOrientation, orientationAxes } from "../../../data/orientation.ts";

export const views: readonly SliceOrientation[] = ["COR", "AXI", "SAG"];

// Axes of FreeSurfer's conformed volumes go left, inferior, anterior; which way does not matter for what a slice is.
const conformed = ["LR", "IS", "PA"] as const;

/**
 * Axes of a volume that are slice, row and column in a view, as QuickNAT has them of conformed volumes: coronal slices lie across the axis from back to
 * front, whichever of the array's that is.
 * @param orientation where the array's axes point, such as "RAS"; default as FreeSurfer's
 */
export function viewAxes(view: SliceOrientation, orientation = "LIA"): readonly [number, number, number] {
  const axisOf = conformed.map((pair) => [...orientation].findIndex((code) => pair.includes(code)));
  return orientationAxes(view).map((a) => axisOf[a]) as unknown as readonly [number, number, number];
}

const folders = { COR: "coronal", AXI: "axial", SAG: "sagittal" } as const;

/** The folder of a view's slices of a `kind`, images or labels. */
export const folderOf = (view: SliceOrientation, kind: string): string => `${folders[view]}_${kind}`;

/** The folders that slices of a view go to, of images and of labels. */
export const foldersOf = (view: SliceOrientation): string[] => ["images", "labels"].map((kind) => folderOf(view, kind));
