/** @file Element types by name and `CastToType`. */
import { checkedOptions } from "../options.ts";
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray, TypedArray } from "../../../host/array.ts";
import { className } from "../../../host/class_name.ts";
import { type ArrayType, elements, type ForeignName, nativeNames, type NativeName } from "../../../host/elements.ts";
import { copyOf } from "../../../host/unfilled.ts";
import type { Transform } from "../transform.ts";

/** NumPy's name of an element type. */
export type DTypeName = ForeignName<"numpy", NativeName>;

const types = new Map<string, ArrayType>(nativeNames.map((name) => [elements[name].numpy, elements[name].array]));

/** Converts the elements and keeps all else (a volume keeps its geometry); floats to integers are cut towards zero. `x` itself when it already has the type. */
export function castTo(op: string, x: HostArray, dtype: DTypeName): HostArray {
  const type = types.get(dtype);
  if (!type) throw new ConfigError(`${op}: unknown dtype "${String(dtype)}"; known: ${[...types.keys()].join(", ")}`);
  if (x.data instanceof type) return x;
  return { ...x, data: new type(x.data) };
}

/**
 * A copy to compute in: float64 stays float64, everything else becomes float32, as in torch. Storing an element rounds it, so a
 * chain of `a[i] op= b` rounds after every operation exactly as float32 arithmetic does.
 */
export function workingCopy(data: TypedArray): Float32Array | Float64Array {
  if (data instanceof Float32Array || data instanceof Float64Array) return copyOf(data);
  return new (className(data) === "Float64Array" ? Float64Array : Float32Array)(data);
}

/**
 * Converts the elements to `dtype` (default "float32"). Floats to integers are cut toward zero, and what an integer type cannot hold wraps around,
 * as in typed arrays and NumPy. MONAI's `CastToType`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError for an unknown type
 */
export class CastToType implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "dtype:text";
  private readonly dtype: DTypeName;

  constructor(options: { readonly dtype?: DTypeName } = {}) {
    const { dtype = "float32" } = checkedOptions("CastToType", options, CastToType.options);
    this.dtype = dtype;
  }

  apply(x: HostArray): HostArray {
    expectArguments("CastToType", "array", { x });
    return castTo("CastToType", x, this.dtype);
  }
}
