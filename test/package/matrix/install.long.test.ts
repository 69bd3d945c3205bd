/** @file Ways to install: from git the package is built; packed it has no sources, and the condition that names them is not for others. */

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { describeMatrix, report } from "../../lib/matrix.ts";
import { type App, emptyApp, entryPoints, installWith, root } from "../../lib/package.ts";
import { temporaryFolder } from "../../lib/tiny.ts";

/** A repository with the working tree's files as its only commit. */
function repository(): string {
  const { folder, remove } = temporaryFolder();
  onTestFinished(remove);
  const git = (cwd: string, ...args: string[]) =>
    execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", 2] });
  const files = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0").filter(Boolean);
  for (const file of files.filter((name) => existsSync(join(root, name)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  git(folder, "init", "--quiet");
  git(folder, "add", "--all");
  git(folder, "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message", "as it is");
  return folder;
}

/** Whether every entry point loads, and from where. */
const loadAll = (app: App, options: string[] = []) =>
  app.runLong(process.execPath, [
    ...options,
    "--input-type=module",
    "--eval",
    `for (const entry of ${JSON.stringify([...entryPoints, "voxgrad/package.json"])})
       console.log(entry, await import(entry, entry.endsWith("json") ? { with: { type: "json" } } : {}).then((m) => Object.keys(m).length > 0));`,
  ]);
const all = [...entryPoints, "voxgrad/package.json"].map((entry) => `${entry} true\n`).join("");

describeMatrix("ways to install", () => {
  test("npm install git+file://…", { timeout: 900_000 }, async () => {
    const app = emptyApp();
    onTestFinished(() => app.remove());
    await app.runLong("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", `git+file://${repository()}`]);
    expect(await loadAll(app)).toBe(all);
    expect(await app.runLong("npx", ["--offline", "voxgrad", "--version"])).toMatch(/^\d/);
    report("npm install git+file://…", "dist is built; every entry point loads; npx voxgrad runs");
  });

  test("the tarball", { timeout: 300_000 }, async () => {
    const app = await installWith([]);
    onTestFinished(() => app.remove());
    const folder = join(app.folder, "node_modules", "voxgrad");
    const top = readdirSync(folder).toSorted();
    expect(top).toEqual(["ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "README.md", "README.zh.md", "dist", "package.json"]);
    expect(await loadAll(app)).toBe(all);
    // Others' names for sources, which a monorepo may have set.
    for (const condition of ["source", "development", "src", "bun", "deno"])
      expect(await loadAll(app, [`--conditions=${condition}`])).toBe(all);
    expect(readFileSync(join(folder, "package.json"), "utf8")).not.toMatch(/"(source|development)":/);
    report(
      "npm install voxgrad.tgz",
      "every entry point and package.json load; no sources; conditions source, development … change nothing",
    );
  });
});
