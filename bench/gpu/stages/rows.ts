/** @file Every sample of the op table on this adapter: result and gradients against the float64 reference, with the size of the error. */

import { sizeOf } from "../../../src/host/array.ts";
import { largest, worstError } from "../../../test/lib/compare.ts";
import type { Row, Sample } from "../../../test/lib/row.ts";
import { eager, expectations, makeSubject, wholeEffort } from "../../../src/testing/expectations.ts";
import type { StageRun } from "../stage.ts";
import { opRows } from "../tree.ts";

/** Errors are parts of the larger of the reference's largest magnitude and the sample's floor. */
export interface SampleResult {
  readonly op: string;
  /** Largest error of the result, and what it may be. */
  readonly forward: readonly [error: number, allowed: number];
  /** The same of the gradient that is nearest to what it may be, or beyond; absent if there is none. */
  readonly gradient?: readonly [error: number, allowed: number];
  /** What is wrong. */
  readonly wrong?: string;
}

interface Job {
  readonly row: Row<any>;
  readonly sample: Sample<any>;
}

/** Small ones first, so that every op is seen before time runs out on the large ones. */
async function jobs(): Promise<Job[]> {
  const rows = await opRows();
  const all = rows.flatMap((row) => row.samples.map((sample) => ({ row, sample }) satisfies Job));
  const size = ({ sample }: Job) => Object.values(sample.inputs).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return all
    .map((job) => [job, size(job)] as const)
    .sort((a, b) => a[1] - b[1])
    .map(([job]) => job);
}

export const run: StageRun = async (context) => {
  await context.each(
    await jobs(),
    ({ sample }) => sample.id,
    async ({ row, sample }): Promise<SampleResult> => {
      const subject = makeSubject(row, sample);
      const { values, shape } = await eager(subject, await context.device());
      if (shape.join() !== subject.expected.shape.join()) {
        throw new Error(`the result has shape [${shape.join()}], expected [${subject.expected.shape.join()}]`);
      }
      let forward: readonly [number, number] = [0, 0];
      let gradient: readonly [number, number] | undefined;
      const wrong: string[] = [];
      for (const { what, actual, expected, tolerance, floor } of expectations(subject, values, wholeEffort)) {
        if (actual.length !== expected.length) throw new Error(`${what}: ${actual.length} elements, expected ${expected.length}`);
        const { worst, at } = worstError(actual, expected);
        const scale = Math.max(largest(expected), floor);
        const error = worst === 0 ? 0 : worst / scale;
        if (what === "forward") forward = [error, tolerance];
        else if (!gradient || error / tolerance > gradient[0] / gradient[1]) gradient = [error, tolerance];
        if (worst > tolerance * scale)
          wrong.push(`${what}: element ${at} of ${actual.length} is ${actual[at]}, expected ${expected[at]}`);
      }
      return { op: row.name, forward, gradient, ...(wrong.length > 0 && { wrong: wrong.join("; ") }) };
    },
  );
};
