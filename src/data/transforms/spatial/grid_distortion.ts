/** @file Distortions cell by cell: `GridDistortion`, `RandGridDistortion`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { identityMatrix } from "../../../host/matrix.ts";
import { spatialShape } from "../../../host/strided.ts";
import { moved } from "../moved.ts";
import { perAxis, checkedOptions } from "../options.ts";
import { MaybeTransform, type LabelSafe, type Transform } from "../transform.ts";
import { sampleCentered, sampleCenteredAxes } from "./affine.ts";
import { checkSampling } from "./sample.ts";
import { labelSampling, type ResampleOptions } from "./resampled.ts";

/** Options of `GridDistortion`. */
export interface GridDistortionOptions extends Omit<ResampleOptions, "alignCorners"> {
  /** Cells per axis, or for all. */
  readonly numCells: number | readonly number[];
  /** Per axis a stretch for each cell, one more than cells. */
  readonly distortSteps: readonly (readonly number[])[];
}

/**
 * Stretches the cells of a grid along each axis. Outside is by default the border. MONAI's `GridDistortion`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept: the distortion itself is not in it, and `invert` refuses.
 * @throws ShapeError unless there is a list of steps per spatial axis, ConfigError for too few steps, unknown modes and options
 */
export class GridDistortion implements Transform, LabelSafe {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "numCells:sizes! distortSteps:matrix! mode paddingMode";
  private readonly options: GridDistortionOptions;

  constructor(options: GridDistortionOptions) {
    checkedOptions("GridDistortion", options, GridDistortion.options);
    checkSampling("GridDistortion", options);
    this.options = options;
  }

  /** Nearest: a mixture of class numbers is no class. A chosen mode holds if it takes voxels as they are. */
  forLabels(): Transform {
    return new GridDistortion(labelSampling(this.options));
  }

  apply(x: HostArray): HostArray {
    expectArguments("GridDistortion", "array", { x });
    return distort("GridDistortion", x, this.options);
  }
}

function distort(op: string, x: HostArray, { numCells, distortSteps, ...sampling }: GridDistortionOptions): HostArray {
  const size = spatialShape(op, x);
  if (size.length !== distortSteps.length)
    throw new ShapeError(
      `${op}: distortSteps has ${distortSteps.length} lists for the ${size.length} spatial axes of [${x.shape}]`,
    );
  const cells = perAxis(op, "numCells", numCells, size.length);
  const lines = size.map((s, a) => stretched(op, s, cells[a], distortSteps[a]));
  const separate = sampleCenteredAxes(op, x, lines, sampling);
  const out = separate ?? sampleCentered(op, x, gridOf(lines, size), sampling);
  return moved(op, x, out, identityMatrix(size.length + 1), { kind: "lost" });
}

/** The places of all voxels. */
function gridOf(lines: readonly Float64Array[], size: readonly number[]): HostArray<Float64Array> {
  const voxels = sizeOf(size);
  const grid = new Float64Array(size.length * voxels);
  lines.forEach((line, a) => {
    const inner = size.slice(a + 1).reduce((p, q) => p * q, 1);
    for (let i = 0; i < voxels; i++) grid[a * voxels + i] = line[Math.floor(i / inner) % size[a]];
  });
  return { data: grid, shape: [size.length, ...size] };
}

/** Places along one axis, centered: each cell goes on where the one before it ended. */
function stretched(op: string, size: number, cells: number, steps: readonly number[]): Float64Array {
  const line = new Float64Array(size);
  const length = Math.floor(size / cells);
  let at = 0;
  for (let cell = 0; cell <= cells; cell++) {
    const start = cell * length;
    let end = start + length;
    let next = size;
    if (end > size) end = size;
    else {
      if (!(steps[cell] !== undefined))
        throw new ConfigError(`${op}: ${cells} cells need ${cells + 1} steps, got ${steps.length}`);
      next = at + length * steps[cell];
    }
    const count = end - start;
    for (let i = 0; i < count; i++) line[start + i] = count === 1 ? at : at + ((next - at) * i) / (count - 1);
    at = next;
  }
  return line.map((v) => v - (size - 1) / 2);
}

/** Options of `RandGridDistortion`. */
export interface RandGridDistortionOptions extends Omit<ResampleOptions, "alignCorners"> {
  /** Default 5. */
  readonly numCells?: number | readonly number[];
  /** Default 0.1. */
  readonly prob?: number;
  /** Stretches are drawn from 1 + these. Default −0.03 … 0.03. */
  readonly distortLimit?: number | readonly [number, number];
}

/**
 * With probability `prob` (default 0.1) stretches the cells of a grid at random. MONAI's `RandGridDistortion`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept: the distortion itself is not in it, and `invert` refuses.
 * Draws: `rand()` against `prob`; where it acts, `uniform(low, high, cells + 1)` per axis.
 * @throws ConfigError for unknown modes and options
 */
export class RandGridDistortion extends MaybeTransform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "numCells:sizes prob:number distortLimit:sizes mode paddingMode";
  private readonly numCells: number | readonly number[];
  private readonly limits: readonly [number, number];
  private readonly sampling: Omit<ResampleOptions, "alignCorners">;
  private steps: number[][] = [];

  constructor(options: RandGridDistortionOptions = {}) {
    const {
      numCells = 5,
      prob = 0.1,
      distortLimit = [-0.03, 0.03],
      ...sampling
    } = checkedOptions("RandGridDistortion", options, RandGridDistortion.options);
    super("RandGridDistortion", prob);
    checkSampling("RandGridDistortion", sampling);
    this.numCells = numCells;
    const limits = typeof distortLimit === "number" ? [-distortLimit, distortLimit] : distortLimit;
    this.limits = [Math.min(...limits), Math.max(...limits)];
    this.sampling = sampling;
  }

  protected draw(x: HostArray): void {
    const cells = perAxis("RandGridDistortion", "numCells", this.numCells, x.shape.length - 1);
    this.steps = cells.map((n) => Array.from(this.random.uniform(...this.limits, n + 1), (v) => 1 + v));
  }
  protected act(x: HostArray): HostArray {
    return distort("RandGridDistortion", x, { ...this.sampling, numCells: this.numCells, distortSteps: this.steps });
  }
  protected override actOnLabel(x: HostArray): HostArray {
    return distort("RandGridDistortion", x, {
      ...labelSampling(this.sampling),
      numCells: this.numCells,
      distortSteps: this.steps,
    });
  }
}
