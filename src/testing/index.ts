/** @file For tests of one's own operations, with any test framework: comparisons, gradient checks, and the tests of a row of an op table. */

export { compare, compareBits, type CompareOptions, largest, readAll, worstError, type Difference } from "./compare.ts";
export { gradCheck, type GradCheckOptions, type CheckedSlope } from "./grad_check.ts";
export {
  awayFromZero,
  between,
  cycle,
  defaultTolerance,
  type ErrorInput,
  everyIndex,
  flatten,
  generate,
  type Host,
  host as float64,
  type Hosts,
  index,
  type InputSpec,
  mapped,
  normal,
  type OpRow,
  type Random,
  type Sample,
  seeded,
  type Shapes,
  type Tensors,
  type Tolerance,
  uniform,
  type Values,
} from "./row.ts";
export { type RowTest, type RowTestOptions, rowTests } from "./row_tests.ts";
