/** @file What the page and the viewer's worker say to each other. */

import type { Picture3d, Rgb } from "../protocol.ts";

/** The window shows three planes and a rendering, one plane, or the rendering. */
export type Layout = "planes" | "axial" | "coronal" | "sagittal" | "render";

/** A label map over the image; label i has the color i − 1. */
export interface Layer {
  readonly nifti: Blob;
  readonly colors: readonly Rgb[];
}

/** A mouse as the page saw it, in CSS pixels of the canvas. */
export interface Pointer {
  readonly type: "mousedown" | "mousemove" | "mouseup" | "mouseleave" | "wheel";
  readonly x: number;
  readonly y: number;
  readonly button: number;
  readonly deltaY: number;
  readonly shift: boolean;
  readonly ctrl: boolean;
}

export type ToViewer =
  | {
      readonly kind: "canvas";
      readonly canvas: OffscreenCanvas;
      readonly width: number;
      readonly height: number;
      readonly ratio: number;
    }
  | { readonly kind: "resize"; readonly width: number; readonly height: number; readonly ratio: number }
  | { readonly kind: "image"; readonly image: Picture3d; readonly layers: readonly Layer[] }
  | { readonly kind: "layers"; readonly layers: readonly Layer[] }
  /** Of each layer the opacity, and the labels of all that are not shown. */
  | { readonly kind: "look"; readonly opacity: readonly number[]; readonly hidden: readonly number[] }
  | { readonly kind: "layout"; readonly layout: Layout }
  /** Black and white, as stored. */
  | { readonly kind: "window"; readonly window: readonly [number, number] }
  /** Whether the patient's right is on the left, as radiologists look at it. */
  | { readonly kind: "sides"; readonly radiological: boolean }
  | { readonly kind: "move"; readonly by: readonly number[] }
  | { readonly kind: "pointer"; readonly pointer: Pointer };

export type FromViewer =
  | { readonly kind: "shown"; readonly layers: number }
  /** Under the crosshair; the value is null where colors are, and of an image that is all black. */
  | { readonly kind: "place"; readonly mm: readonly number[]; readonly value: number | null; readonly labels: readonly number[] }
  /** Chosen by a drag of the right button, as stored. */
  | { readonly kind: "window"; readonly window: readonly [number, number] }
  | { readonly kind: "failed"; readonly message: string }
  /** The GPU was: nothing more will be drawn. */
  | { readonly kind: "lost" };
