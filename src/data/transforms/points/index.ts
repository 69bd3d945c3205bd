/** @file Public transforms of points and boxes. */
export * from "./boxes.ts";
export * from "./points.ts";
