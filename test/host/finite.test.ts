/** @file Values that no network computes with are refused by their place. */

import { expect, test } from "vitest";
import { DataError } from "../../src/host/errors.ts";
import { expectFinite } from "../../src/host/finite.ts";

const image = <A extends Float32Array | Float64Array>(data: A) => ({ data, shape: [1, 1, 2, 2] });

test("refuses what is not finite, and doubles that a 32-bit float makes infinite", () => {
  expect(() => expectFinite(image(Float32Array.of(0, 1, NaN, 2)), 'case "a": ')).toThrow(
    new DataError('case "a": the image has the value NaN at [0,0,1,0] (channel, x, y, z); repair the image'),
  );
  for (const value of [1e300, -Number.MAX_VALUE, 3.41e38])
    expect(() => expectFinite(image(Float64Array.of(0, value, 0, 0)))).toThrow(
      /at \[0,0,0,1\] \(channel, x, y, z\), which no 32-bit float holds; repair the image$/,
    );
  expect(() => expectFinite(image(Float64Array.of(3.4e38, -3.4e38, 1e-300, 0)))).not.toThrow();
});
