/** @file Commands on a disk that fails once, at each of their calls of the file system in turn. */

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { callCli } from "./call_cli.ts";
import { onFailingDisk } from "./failing_disk.ts";

/** A folder that is made anew for each call, from one that `write` fills once. */
export class Workplace {
  private readonly root = mkdtempSync(join(tmpdir(), "voxgrad-each-fault-"));
  private readonly template = join(this.root, "template");
  private readonly folder = join(this.root, "work");

  async fill(write: (folder: string) => Promise<void>): Promise<void> {
    await write(this.template);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  at(...names: string[]): string {
    return join(this.folder, ...names);
  }

  private fresh(): void {
    rmSync(this.folder, { recursive: true, force: true });
    cpSync(this.template, this.folder, { recursive: true, preserveTimestamps: true });
  }

  /** All files with their content. */
  private files(): Map<string, string> {
    return new Map(
      readdirSync(this.folder, { recursive: true, withFileTypes: true })
        .filter((e) => e.isFile())
        .map((e) => join(e.parentPath, e.name))
        .sort()
        .map((path) => [path.slice(this.folder.length + 1), readFileSync(path, "latin1")]),
    );
  }

  /**
   * Tries a command with each of its calls refused: the exit code tells, the message is a line, nothing is left half written or replaced by less, and `again`
   * ends in what a call makes that never failed.
   */
  async everyFault(args: readonly string[], again: readonly string[] = args): Promise<void> {
    this.fresh();
    const before = this.files();
    expect(await callCli(args)).toMatchObject({ code: 0 });
    const whole = this.files();
    for (let k = 1; ; k++) {
      this.fresh();
      const { result, failed } = await onFailingDisk(this.folder, k, () => callCli(args));
      const after = this.files();
      if (failed === undefined) return expect([k > 10, after]).toEqual([true, whole]);
      const where = `call ${k}, ${failed}`;
      for (const [path, content] of after)
        expect([before.get(path), whole.get(path)], `${where}: ${path} is half made, or was left`).toContain(content);
      for (const path of before.keys()) expect(after.has(path), `${where}: ${path} is gone`).toBe(true);
      if (result.code === 0) {
        expect(after, where).toEqual(whole);
        continue;
      }
      expect(result.stderr, where).toMatch(/^\w*Error: \S.*$/m);
      expect(result.stderr, where).not.toMatch(/^\s+at /m);
      expect(await callCli(again), where).toMatchObject({ code: 0 });
      expect(this.files(), where).toEqual(whole);
    }
  }
}
