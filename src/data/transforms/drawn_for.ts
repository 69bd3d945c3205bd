/** @file Refusals of arrays that a draw for another array of their item does not fit: image and label would part ways, or values be made up. */
import { ShapeError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";

const advice = "give arrays of another shape their own transform";

/** @throws ShapeError for an array of another spatial shape than `drawn` */
export function expectSameSpace(op: string, x: HostArray, drawn: readonly number[]): void {
  if (x.shape.length === drawn.length + 1 && drawn.every((size, a) => size === x.shape[a + 1])) return;
  throw new ShapeError(
    `${op}: drawn for spatial shape [${drawn.join(", ")}], applied to shape [${x.shape.join(", ")}]; ${advice}`,
  );
}

/** @throws ShapeError for an array of another number of channels than `drawn` */
export function expectSameChannels(op: string, x: HostArray, drawn: number): void {
  if (x.shape[0] === drawn) return;
  throw new ShapeError(`${op}: drawn for ${drawn} channels, applied to shape [${x.shape.join(", ")}]; ${advice}`);
}
