/** @file Code that needs a process of its own: another driver, an exposed collector, or a crash that must not happen. */
import { spawnSync } from "node:child_process";

/** Runs TypeScript in a fresh Node from the repository's root, where `./src/…` imports work. */
export function runChild(source: string, flags: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const args = ["--conditions=voxgrad-source", ...flags, "--input-type=module-typescript", "--eval", source];
  const cwd = new URL("../..", import.meta.url);
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { status, stdout: stdout.trim(), stderr };
}
