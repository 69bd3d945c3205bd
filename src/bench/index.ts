/** @file Times kernels on the adapter at hand, with their share of what it can do at most. */

export { bench, type BenchOptions, type BenchReport, type BenchResult } from "./bench.ts";
export { type BenchCase, benchCases } from "./cases.ts";
export { type Ceiling, measureCeiling } from "./ceiling.ts";
export { benchLine, benchTable, ceilingLine } from "./table.ts";
