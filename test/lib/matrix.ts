/** @file What the tests of the package matrix share: whether they can run, an app with fixtures, and the table of what was found. */

import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "vitest";
import { type App, registryAnswers, root } from "./package.ts";

const fixtures = join(root, "test/package/matrix");

/** Tests that install packages: left out, and it is said, only where npm's registry does not answer. */
export function describeMatrix(name: string, tests: () => void): void {
  const reachable = registryAnswers();
  if (!reachable) console.warn(`${name}: left out, because npm's registry does not answer (\`npm view webgpu version\` fails)`);
  describe.skipIf(!reachable)(name, tests);
}

/** Copies a folder of fixtures into the app. */
export function addFixtures(app: App, from: string, to: string = "."): void {
  cpSync(join(fixtures, from), join(app.folder, to), { recursive: true });
}

/** The version of an installed package. */
export const versionOf = (app: App, name: string): string =>
  JSON.parse(readFileSync(join(app.folder, "node_modules", name, "package.json"), "utf8")).version;

/** Prints a row of the table: with what, and what was found. */
export const report = (...cells: string[]): void => console.log(`| ${cells.join(" | ")} |`);
