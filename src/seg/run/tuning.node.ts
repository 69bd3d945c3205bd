/** @file Where `voxgrad tune` keeps its measurements: one small JSON file per adapter in the user's cache folder. */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { type Choices, useChoices } from "../../kernels/tune.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError, FormatError } from "../../host/errors.ts";
import { writeFileAtomic } from "../../host/files.node.ts";

// Counts up when the variants or the classes of problems change.
const version = 1;

/** The file of this adapter, whether it exists or not. */
export function tuningFile(device: Device): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const id = createHash("sha256").update(device.name).digest("hex").slice(0, 12);
  return join(cache, "voxgrad", `tuning-${id}.json`);
}

/** Written in one step, so that a reader never sees half of it. */
export async function writeTuning(device: Device, choices: Choices, file = tuningFile(device)): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  await writeFileAtomic(file, `${JSON.stringify({ voxgrad: version, device: device.name, choices }, null, 2)}\n`);
}

/**
 * Sets what was measured for this adapter. Returns whether there was anything: no file, or one of another version or adapter, means the fixed
 * rules. Throws `FormatError` for a damaged file.
 */
export function readTuning(device: Device, file = tuningFile(device)): boolean {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return false;
  }
  try {
    const saved = JSON.parse(text) as { voxgrad?: number; device?: string; choices?: unknown };
    if (saved.voxgrad !== version || saved.device !== device.name) return false;
    useChoices(device, saved.choices);
    return true;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof ConfigError)) throw error;
    throw new FormatError(`${file}: is no measurement of voxgrad tune (${error.message}); delete it, or use --no-tune`, {
      cause: error,
    });
  }
}
