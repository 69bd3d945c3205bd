/** @file B-splines are scipy's for every order and boundary mode. */

import { expect, test } from "vitest";
import { ConfigError, ShapeError } from "../../src/host/errors.ts";
import { mapCoordinates, splineFilter, type SplineMode, zoom } from "../../src/host/spline.ts";
import { readFixture } from "../lib/fixture.ts";

interface Stored {
  readonly shape: number[];
  readonly order: number;
  readonly mode: SplineMode;
  readonly x: number[];
  readonly at: number[][];
  readonly mapped: number[];
  readonly zoomed: number[][];
}

test("mapCoordinates and zoom, orders 0 to 5, eight modes", () => {
  for (const { shape, order, mode, x, at, mapped, zoomed } of readFixture<Stored[]>("spline.json")) {
    const image = { data: Float64Array.from(x), shape };
    const options = { order, mode, cval: 2.5 };
    const close = (got: ArrayLike<number>, want: number[]) =>
      want.forEach((v, i) => expect(Math.abs(got[i] - v), `${mode}, order ${order}, [${shape}], ${i}`).toBeLessThan(1e-9));
    close(mapCoordinates(image, at, options), mapped);
    close(zoom(image, 1.7, options).data, zoomed[0]);
    close(zoom(image, 0.6, { ...options, gridMode: true }).data, zoomed[1]);
  }
});

test("coefficients give the values back; errors", () => {
  const x = { data: Float64Array.of(3, 1, 4, 1, 5), shape: [5] };
  const coefficients = splineFilter(x, { order: 3, mode: "mirror" });
  const values = mapCoordinates(coefficients, [[0, 1, 2, 3, 4]], { order: 3, mode: "mirror", prefilter: false });
  values.forEach((v, i) => expect(v).toBeCloseTo(x.data[i], 12));
  expect(() => zoom(x, 2, { order: 6 })).toThrow(ConfigError);
  expect(() => zoom(x, 2, { mode: "clamp" as SplineMode })).toThrow(ConfigError);
  expect(() => mapCoordinates(x, [[0], [0]])).toThrow(ShapeError);
});
