/** @file What a captured step is called with, and how it comes to where the step reads it. */

import type { DType, HostArray } from "../host/array.ts";
import { type Device, Tensor } from "./tensor.ts";

/** What a captured step takes: tensors, or host arrays that become f32 tensors. */
export type CaptureInput = Tensor | HostArray;

/** Host arrays become f32. */
export const dtypeOf = (x: CaptureInput): DType => (x instanceof Tensor ? x.dtype : "f32");

/** Gives `places`, where a step reads its inputs, the values of `inputs`. One of the places may stand for another. */
export function loadInputs(device: Device, places: readonly Tensor[], inputs: readonly CaptureInput[]): void {
  for (const t of places) t.storage.allocate();
  const copies: Tensor[] = [];
  // What lies in the place of another input would be overwritten before it is copied.
  const sources = inputs.map((x, i) => {
    if (!(x instanceof Tensor) || !places.some((t, k) => k !== i && t.storage === x.storage)) return x;
    const copy = new Tensor(device, device.eager.allocate(x.bytes), x.shape, x.dtype);
    device.eager.copy(x, copy, 0);
    copies.push(copy);
    return copy;
  });
  // Host data first: written after a copy was recorded, they would cost a second submit.
  sources.forEach((x, i) => x instanceof Tensor || device.write(places[i], x));
  sources.forEach((x, i) => x instanceof Tensor && device.eager.copy(x, places[i], 0));
  for (const t of copies) t.dispose();
}
