/**
 * @file The environment in which Dawn compiles for an AMD GPU that is not here: RADV on its null device (RADV_FORCE_FAMILY), behind null_queue.c. Dawn opens
 * it as any adapter, so what is compiled is what a user's GPU would get, f16 and subgroup matrices included. Rejected: SPIR-V from Dawn's dump of its shaders, assembled
 * again and compiled by a Vulkan program of our own: that guesses the features that Dawn enables, and has to be told each shader's bindings.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** RDNA 3, RDNA 2 and GCN. */
export const families = ["navi31", "navi21", "vega10"] as const;
export type Family = (typeof families)[number];

const here = import.meta.dirname;
const home = join(here, "..", "..", ".voxgrad", "isa");

/** RADV's library: what the manifest beside the software driver's says, else the system's. */
function radv(): string | undefined {
  const folders = [
    ...(process.env.VK_DRIVER_FILES ?? "").split(":").map((file) => dirname(file)),
    "/usr/share/vulkan/icd.d",
  ].filter((folder) => existsSync(folder));
  for (const folder of folders) {
    const manifest = readdirSync(folder).find((name) => /^radeon_icd.*\.json$/.test(name));
    if (!manifest) continue;
    const library: string = JSON.parse(readFileSync(join(folder, manifest), "utf8")).ICD.library_path;
    return library;
  }
  return undefined;
}

/** Why this machine cannot compile for GPUs that are not here, or `undefined` if it can. */
export function missing(): string | undefined {
  if (process.platform !== "linux") return "RADV, Mesa's driver for AMD GPUs, exists on Linux only";
  if (!radv())
    return "there is no radeon_icd.json beside the Vulkan driver in use; node scripts/setup.mjs fetches it with lavapipe";
  try {
    execFileSync("gcc", ["--version"], { stdio: "ignore" });
  } catch {
    return "there is no gcc (apt-get install gcc libc6-dev)";
  }
  return undefined;
}

/** Environment variables for a process that compiles for `family`. */
export function environment(family: Family): NodeJS.ProcessEnv {
  mkdirSync(home, { recursive: true });
  const [source, library, manifest] = [join(here, "null_queue.c"), join(home, "null_queue.so"), join(home, "null_queue.json")];
  if (!existsSync(library) || statSync(library).mtimeMs < statSync(source).mtimeMs) {
    execFileSync("gcc", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], { stdio: ["ignore", "ignore", "inherit"] });
  }
  const icd = { file_format_version: "1.0.0", ICD: { library_path: library, api_version: "1.3.0" } };
  writeFileSync(manifest, JSON.stringify(icd));
  return {
    ...process.env,
    ISA_DRIVER: radv(),
    VK_DRIVER_FILES: manifest,
    RADV_FORCE_FAMILY: family,
    RADV_DEBUG: "asm,shaderstats",
    // What comes from the cache is not printed.
    MESA_SHADER_CACHE_DISABLE: "true",
  };
}
