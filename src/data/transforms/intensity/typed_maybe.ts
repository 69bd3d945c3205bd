/** @file Base of transforms that act with a probability and give one element type either way. */
import type { HostArray } from "../../../host/array.ts";
import { castTo, type DTypeName } from "../shape/cast.ts";
import { MaybeTransform } from "../transform.ts";

/** The result has the type `dtype` whether or not the transform acts; null keeps that of the image. */
export abstract class TypedMaybeTransform extends MaybeTransform {
  private readonly op: string;
  private readonly dtype: DTypeName | null;

  /** @param op name for error messages */
  constructor(op: string, prob: number, dtype: DTypeName | null) {
    super(op, prob);
    this.op = op;
    this.dtype = dtype;
  }

  override applyDrawn(x: HostArray): HostArray {
    const out = super.applyDrawn(x);
    return this.dtype === null ? out : castTo(this.op, out, this.dtype);
  }
}
