/** @file Public transforms that are no image processing: labels, indices, coordinates, statistics, functions, filters by name. */
export * from "./coordinates.ts";
export * from "./image_filter.ts";
export * from "./indices.ts";
export * from "./labels.ts";
export * from "./lambda.ts";
export * from "./stats.ts";
