/**
 * @file What the bench reads of the repository besides its modules. The packed form has no repository: there `pack.ts` puts a module with the same
 * exports and the contents inside in this one's place.
 */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "../../test/lib/row.ts";

const root = join(import.meta.dirname, "../..");

/** A file of the repository. */
export const text = (path: string): string => readFileSync(join(root, path), "utf8");

/** The op table. */
export async function opRows(): Promise<Row<any>[]> {
  const names = readdirSync(join(root, "test/ops/rows"))
    .sort()
    .map((file) => file.slice(0, -3));
  const modules = await Promise.all(
    names.map((name) => import(`../../test/ops/rows/${name}.ts`) as Promise<{ rows: Row<any>[] }>),
  );
  return modules.flatMap(({ rows }) => rows);
}

/** The commit that is measured; "with changes" if the tree is not that. */
export function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: "pipe" }).trim();
    return git("rev-parse", "--short=12", "HEAD") + (git("status", "--porcelain", "-uno") === "" ? "" : " with changes");
  } catch {
    return "unknown";
  }
}
