/** @file `RandSmoothDeform`: a deformation by a smooth field. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { identityMatrix } from "../../../host/matrix.ts";
import { moved } from "../moved.ts";
import { PartwiseTransform } from "../partwise.ts";
import type { ResizeMode } from "./resize.ts";
import { checkSampling, sampleGrid, type SampleMode } from "./sample.ts";
import { fieldRange, SmoothField, smoothFieldNames, type SmoothFieldOptions } from "./smooth_field.ts";

/** Options of `RandSmoothDeform`. */
export interface RandSmoothDeformOptions extends SmoothFieldOptions {
  /** How the random field is resized. Default "area". */
  readonly fieldMode?: ResizeMode;
  /** Range of the deformation in half sizes of the image: 0.1 moves by up to 5 % of it; a number d means [−d, d]. Default 1. */
  readonly defRange?: number | readonly [number, number];
  /** Default "nearest". */
  readonly gridMode?: "nearest" | "bilinear" | "bicubic";
  /** What is outside. Default "border". */
  readonly gridPaddingMode?: "zeros" | "border" | "reflection";
  /** Corner voxels, and not their outer faces, are the ends of the image. Default false. */
  readonly gridAlignCorners?: boolean | null;
}

/**
 * With probability `prob` (default 0.1) moves voxels by a field that changes smoothly over the image. MONAI's `RandSmoothDeform`.
 *
 * Shapes: `[C, …spatialSize]`, unchanged.
 * Geometry: kept: the deformation itself is not in it, and `invert` refuses.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...defRange, axes · ∏ randSize)`.
 * @throws ConfigError for sizes, ranges, modes and options that are not as said, ShapeError for an image of another size
 */
export class RandSmoothDeform extends PartwiseTransform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `${smoothFieldNames} defRange:sizes fieldMode gridMode gridPaddingMode gridAlignCorners:boolean`;
  private readonly field: SmoothField;
  private readonly sampling: Pick<RandSmoothDeformOptions, "gridMode" | "gridPaddingMode" | "gridAlignCorners">;

  constructor(options: RandSmoothDeformOptions) {
    expectArguments("RandSmoothDeform", "object", { options });
    const { prob = 0.1, defRange = 1, fieldMode = "area", gridMode, gridPaddingMode, gridAlignCorners, ...rest } = options;
    super("RandSmoothDeform", prob, 1);
    // Without it there is nothing to count, and what else may be wrong with the options comes first.
    const { randSize = [] } = options as Partial<RandSmoothDeformOptions>;
    const limits = typeof defRange === "number" ? -defRange : 0;
    this.field = new SmoothField("RandSmoothDeform", rest, fieldMode, {
      range: fieldRange("RandSmoothDeform", "defRange", defRange, limits),
      channels: randSize.length,
      padValue: 0,
    });
    this.sampling = { gridMode, gridPaddingMode, gridAlignCorners };
    if (![undefined, "nearest", "bilinear", "bicubic"].includes(gridMode))
      throw new ConfigError(
        `RandSmoothDeform: gridMode must be "nearest", "bilinear" or "bicubic", got ${JSON.stringify(gridMode)}`,
      );
    checkSampling("RandSmoothDeform", { mode: gridMode, paddingMode: gridPaddingMode });
  }

  protected draw(): void {
    this.field.draw(this.parts[0]);
  }
  protected act(x: HostArray): HostArray {
    return this.deformed(x, this.sampling.gridMode ?? "nearest");
  }
  protected override actOnLabel(x: HostArray): HostArray {
    return this.deformed(x, "nearest");
  }

  private deformed(x: HostArray, mode: SampleMode): HostArray {
    const { gridPaddingMode: paddingMode = "border", gridAlignCorners } = this.sampling;
    const alignCorners = gridAlignCorners ?? false;
    const field = this.field.over(x);
    const places = placesOf(field, alignCorners);
    const out = sampleGrid(x, places, { mode, paddingMode, alignCorners }, "RandSmoothDeform");
    return moved("RandSmoothDeform", x, out, identityMatrix(x.shape.length), { kind: "lost" });
  }
}

/** Voxel indices of the moved places, in float32 as where the field's own come from: with mode nearest the last bit decides. */
function placesOf({ data, shape: [axes, ...size] }: HostArray<Float32Array>, alignCorners: boolean): HostArray<Float32Array> {
  const f = Math.fround;
  const out = new Float32Array(data.length);
  const voxels = data.length / axes;
  size.forEach((count, a) => {
    const inner = size.slice(a + 1).reduce((p, q) => p * q, 1);
    const line = linspace(count);
    for (let i = 0; i < voxels; i++) {
      const at = f(line[Math.floor(i / inner) % count] + data[a * voxels + i]);
      out[a * voxels + i] = alignCorners ? f(f(at + 1) / 2) * (count - 1) : f(f(f(at + 1) * count) - 1) / 2;
    }
  });
  return { data: out, shape: [axes, ...size] };
}

/** From −1 to 1 in equal steps, each half from its own end, as torch.linspace has it. */
function linspace(count: number): Float32Array {
  const step = count > 1 ? Math.fround(2 / (count - 1)) : 0;
  return Float32Array.from({ length: count }, (_, i) => (i < count / 2 ? -1 + step * i : 1 - step * (count - 1 - i)));
}
