/** @file Numbers as people read them. */
import { expect, test } from "vitest";
import { formatBytes, formatCount, formatDuration } from "../../src/host/text.ts";

test("bytes", () => {
  const text = [0, 512, 1023, 1024, 1536, 20 * 2 ** 20, 2 ** 30, 3.25 * 2 ** 40, 2 ** 60].map(formatBytes);
  expect(text).toEqual(["0 B", "512 B", "1023 B", "1.0 KiB", "1.5 KiB", "20.0 MiB", "1.0 GiB", "3.3 TiB", "1048576.0 TiB"]);
});

test("durations", () => {
  const text = [0, 7.4, 59.5, 754, 3599.6, 3723, 360000, -3, NaN, Infinity].map(formatDuration);
  expect(text).toEqual(["0:00", "0:07", "1:00", "12:34", "1:00:00", "1:02:03", "100:00:00", "0:00", "?", "?"]);
});

test("counts", () => expect([0, 999, 1234567].map(formatCount)).toEqual(["0", "999", "1,234,567"]));
