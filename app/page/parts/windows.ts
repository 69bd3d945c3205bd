/** @file Windows of gray: level and width in an image's own values, those that have names for CT, and as the viewer wants them. */

import type { Picture3d } from "../../protocol.ts";

/** Values that are black, and white. */
export type GrayWindow = readonly [low: number, high: number];

/** Level and width in Hounsfield units (radiopaedia.org/articles/windowing-ct). */
const named = {
  brain: [40, 80],
  lung: [-600, 1500],
  bone: [400, 1800],
  abdomen: [50, 400],
  mediastinum: [50, 350],
} as const;

export type WindowName = keyof typeof named;
export const windowNames = Object.keys(named) as readonly WindowName[];

export const windowOf = (level: number, width: number): GrayWindow => [level - width / 2, level + width / 2];
export const namedWindow = (name: WindowName): GrayWindow => windowOf(named[name][0], named[name][1]);
export const levelOf = ([low, high]: GrayWindow): number => (low + high) / 2;
export const widthOf = ([low, high]: GrayWindow): number => high - low;

/** The name of a window, if it has one. */
export const nameOf = (window: GrayWindow): WindowName | undefined =>
  windowNames.find((name) => named[name][0] === levelOf(window) && named[name][1] === widthOf(window));

export const storedWindow = ({ scale, offset }: Picture3d, [low, high]: GrayWindow): GrayWindow => [
  (low - offset) / scale,
  (high - offset) / scale,
];

export const ownWindow = ({ scale, offset }: Picture3d, [low, high]: GrayWindow): GrayWindow => [
  low * scale + offset,
  high * scale + offset,
];
