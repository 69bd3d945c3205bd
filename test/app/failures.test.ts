/** @file What the page is told of errors in its worker. */

import { expect, test } from "vitest";
import { failureOf } from "../../app/worker/serve.ts";
import { whileReading } from "../../src/data/formats/byte_source.ts";
import { ConfigError } from "../../src/index.ts";

test("a file that went is told as one, with its name where a reader knows it", async () => {
  const gone = new DOMException("it went", "NotReadableError");
  expect(failureOf(gone)).toEqual({ code: "Gone", message: "NotReadableError: it went" });
  const named: unknown = await whileReading("a.nii", Promise.reject(gone)).catch((error: unknown) => error);
  expect(failureOf(named)).toEqual({ code: "Gone", message: expect.stringMatching(/^readImage: a\.nii cannot be read/) });
});

test("errors of the library keep their codes, and those of a browser get one", () => {
  const { code } = new ConfigError("x");
  expect(failureOf(new ConfigError("x", { cause: new Error("y") }))).toEqual({ code, message: "x" });
  expect(failureOf(new RangeError("Array buffer allocation failed"))).toMatchObject({ code: "Memory" });
  expect(failureOf(new DOMException("", "AbortError"))).toEqual({ code: "Abort", message: "" });
  expect(failureOf("text")).toEqual({ code: "Unexpected", message: "text" });
});
