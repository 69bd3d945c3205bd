/** @file `ComputeHoVerMaps`: where each nucleus's pixels lie around its center. */
import { expectArguments } from "../../../host/kinds.ts";
import { ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { type DTypeName, castTo } from "../shape/cast.ts";
import type { Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/** Sums and extremes of one instance's rows or columns. */
interface Side {
  sum: number;
  least: number;
  greatest: number;
}

/**
 * For each pixel of an instance its horizontal and vertical distance from the instance's centroid, negative and positive ones scaled to reach −1 and 1.
 * After Graham et al., HoVer-Net (2019). MONAI's `ComputeHoVerMaps`.
 *
 * Shapes: `[1, H, W]` of instance numbers, 0 the background → `[2, H, W]`.
 * Geometry: dropped.
 * @throws ShapeError for another shape, ConfigError for an unknown option or `dtype`
 */
export class ComputeHoVerMaps implements Transform {
  private readonly dtype: DTypeName;

  constructor(options: { readonly dtype?: DTypeName } = {}) {
    this.dtype = allOptions("ComputeHoVerMaps", options, "dtype:text", { dtype: "float32" }).dtype;
  }

  apply(x: HostArray): HostArray {
    expectArguments("ComputeHoVerMaps", "array", { x });
    if (x.shape.length !== 3 || x.shape[0] !== 1)
      throw new ShapeError(`ComputeHoVerMaps: expected shape [1, H, W], got [${x.shape.join(", ")}]`);
    const width = x.shape[2];
    const size = x.data.length;
    const sides = measure(x.data, width);
    const out = new Float64Array(2 * size);
    for (let i = 0; i < size; i++) {
      const instance = sides.get(x.data[i]);
      if (!instance) continue;
      const { count, column, row } = instance;
      out[i] = placed(i % width, column, count);
      out[size + i] = placed(Math.floor(i / width), row, count);
    }
    return castTo("ComputeHoVerMaps", { data: out, shape: [2, ...x.shape.slice(1)] }, this.dtype);
  }
}

function placed(at: number, { sum, least, greatest }: Side, count: number): number {
  const center = sum / count;
  const distance = at - center;
  return distance === 0 ? 0 : distance < 0 ? distance / (center - least) : distance / (greatest - center);
}

function measure(data: ArrayLike<number>, width: number): Map<number, { count: number; column: Side; row: Side }> {
  const out = new Map<number, { count: number; column: Side; row: Side }>();
  const fresh = (): Side => ({ sum: 0, least: Infinity, greatest: -Infinity });
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue;
    let instance = out.get(data[i]);
    if (!instance) out.set(data[i], (instance = { count: 0, column: fresh(), row: fresh() }));
    instance.count++;
    grow(instance.column, i % width);
    grow(instance.row, Math.floor(i / width));
  }
  return out;
}

function grow(side: Side, at: number): void {
  side.sum += at;
  side.least = Math.min(side.least, at);
  side.greatest = Math.max(side.greatest, at);
}
