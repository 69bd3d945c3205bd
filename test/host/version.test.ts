/** @file The version is one number wherever it stands, and CHANGELOG.md tells of it. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { current, versions } from "../../scripts/release_notes.ts";
import { version } from "../../src/host/version.ts";

test("package.json, its lock file, the sources and CHANGELOG.md agree", () => {
  const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"));
  expect([lock.version, lock.packages[""].version, version]).toEqual([current, current, current]);
  const told = versions();
  expect(told.map((v) => v.version)).toContain(current);
  // Only what comes next may be unreleased.
  expect(told.slice(1).map((v) => v.day)).not.toContain("unreleased");
  for (const { text } of told) expect(text).not.toBe("");
});
