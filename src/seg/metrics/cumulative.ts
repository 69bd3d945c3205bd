/** @file What metrics over many batches have in common: scores are kept per call and reduced all at once. */

import { expectArguments } from "../../host/kinds.ts";
import type { HostArray } from "../../host/array.ts";
import { DataError, ShapeError } from "../../host/errors.ts";
import { showShape } from "../../host/shape.ts";
import { type Aggregate, expectMetricReduction, type MetricReduction, reduceMetric } from "./reduction.ts";

/** Options of `MAEMetric`, `MSEMetric`, `RMSEMetric`. */
export interface ReductionOptions {
  /** Default "mean": over the classes of each sample, then over samples. */
  readonly reduction?: MetricReduction;
}

/** A batch `[N, C, …]`, or its samples `[C, …]` in a list, which may differ in size. */
export type Batch = HostArray | readonly HostArray[];

const isList = (batch: Batch): batch is readonly HostArray[] => Array.isArray(batch);

/** A sample as a batch of one. */
const single = (a: HostArray): HostArray => ({ data: a.data, shape: [1, ...a.shape] });

/** Runs `compute` on a batch, or on each sample of two lists, and joins what comes of it along the first axis. */
export function eachSample(
  op: string,
  yPred: Batch,
  y: Batch,
  compute: (yPred: HostArray, y: HostArray, sample: number) => HostArray<Float64Array>,
): HostArray<Float64Array> {
  if (!isList(yPred) && !isList(y)) {
    expectArguments(op, "array", { yPred, y });
    return compute(yPred, y, 0);
  }
  if (!isList(yPred) || !isList(y) || yPred.length !== y.length)
    throw new ShapeError(`${op}: give two batches, or two lists of as many samples`);
  return joined(yPred.map((p, i) => compute(single(p), single(y[i]), i)));
}

/** Scores one below the other. */
function joined(list: readonly HostArray[]): HostArray<Float64Array> {
  const size = list.reduce((n, s) => n + s.data.length, 0);
  const data = new Float64Array(size);
  let at = 0;
  for (const s of list) {
    data.set(s.data, at);
    at += s.data.length;
  }
  return { data, shape: [list.reduce((n, s) => n + s.shape[0], 0), ...(list[0]?.shape.slice(1) ?? [])] };
}

/** Keeps arrays of one shape but for their first axis, as MONAI's cumulative metrics do. */
export class ScoreBuffer {
  readonly #scores: HostArray<Float64Array>[] = [];
  readonly #owner: string;

  constructor(owner: string) {
    this.#owner = owner;
  }

  add(scores: HostArray<Float64Array>): void {
    const known = this.#scores[0]?.shape.slice(1);
    const shape = scores.shape.slice(1);
    if (known && known.join() !== shape.join())
      throw new ShapeError(
        `${this.#owner}.append: this batch has ${shape.length === 1 ? shape[0] : showShape(shape)} classes, earlier ones had ${known.length === 1 ? known[0] : showShape(known)}; call reset() first`,
      );
    this.#scores.push(scores);
  }

  /** @throws DataError when nothing was appended. */
  all(): HostArray<Float64Array> {
    if (this.#scores.length === 0)
      throw new DataError(`${this.#owner}.aggregate: nothing to aggregate; call append(yPred, y) before`);
    return joined(this.#scores);
  }

  clear(): void {
    this.#scores.length = 0;
  }
}

/** Collects scores over many calls and reduces all of them at once, as MONAI's cumulative metrics do. */
export abstract class CumulativeMetric<O extends ReductionOptions = ReductionOptions, C = object> {
  /** The options it was made with. */
  readonly options: O;
  readonly #scores: ScoreBuffer;

  /** @param options how scores are reduced */
  constructor(options: O) {
    expectArguments(this.constructor.name, "object", { options });
    this.options = options;
    this.#scores = new ScoreBuffer(this.constructor.name);
    if (options.reduction !== undefined) expectMetricReduction(this.constructor.name, options.reduction);
  }

  /** Scores of one batch, `[N, classes, …]`. `call` is what `append` was told. */
  protected abstract compute(yPred: HostArray, y: HostArray, call: C | undefined): HostArray<Float64Array>;

  /** All scores since the last `reset`. `[appended, classes, …]`. */
  protected scores(): HostArray<Float64Array> {
    return this.#scores.all();
  }

  /**
   * Scores one batch, keeps the scores and returns them, `[N, classes]`.
   * @param call what differs from batch to batch, such as the voxel size
   */
  append(yPred: Batch, y: Batch, call?: C): HostArray<Float64Array> {
    const scores = eachSample(this.constructor.name, yPred, y, (p, t) => this.compute(p, t, call));
    this.#scores.add(scores);
    return scores;
  }

  /** Reduces everything appended since the last `reset`. @throws DataError when nothing was appended. */
  aggregate(reduction: MetricReduction = this.options.reduction ?? "mean"): Aggregate {
    return reduceMetric(this.scores(), reduction);
  }

  /** Forgets all scores; call it before every validation. */
  reset(): void {
    this.#scores.clear();
  }
}
