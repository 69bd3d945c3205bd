/** @file Programs from embedded shaders: a generated prelude, the library fragments a kernel names, then its body as written. */

import type { Device } from "../../tensor/device.ts";
import type { Program } from "../../tensor/kernel.ts";
import { ShapeError } from "../../host/errors.ts";
import { shaders, type ShaderName } from "../shaders.gen.ts";

export interface ProgramOptions {
  /** Fragments of `shaders/lib` that the body uses. */
  readonly libs?: readonly ShaderName[];
  /** Prelude constants: they size register arrays, so they cannot be overrides. */
  readonly consts?: Readonly<Record<string, number>>;
  /** Pipeline overrides: values the shader only reads. */
  readonly overrides?: Readonly<Record<string, number>>;
  /** What the overrides mean, for the key; their values by default. */
  readonly variant?: string;
  /** Tensors that the shader declares as arrays of E hold f16 instead of f32; it computes in f32 either way. */
  readonly half?: boolean;
}

const programs = new Map<string, Program>();

/** The program of shader `name` in one variant. Its key reads `conv.gather TP12 TC16`. */
export function program(name: ShaderName, options: ProgramOptions = {}): Program {
  const { libs = [], consts = {}, overrides, variant, half = false } = options;
  const words = Object.entries(consts).map(([k, v]) => `${k}${v}`);
  if (variant !== undefined) words.push(variant);
  else for (const [k, v] of Object.entries(overrides ?? {})) words.push(`${k}${v}`);
  if (half) words.push("f16");
  const key = [name.replace("/", "."), ...words].join(" ");
  let known = programs.get(key);
  if (!known) {
    const prelude = half ? ["enable f16;", "alias E = f16;"] : ["alias E = f32;"];
    const constants = Object.entries(consts).map(([k, v]) => `const ${k} = ${v}u;`);
    known = { key, code: [...prelude, ...constants, ...libs.map((l) => shaders[l]), shaders[name]].join("\n"), overrides };
    programs.set(key, known);
  }
  return known;
}

/** Workgroups for `count` threads in workgroups of `size`, folded into two dimensions; shaders unfold with `lib/grid`. */
export function grid(device: Device, op: string, count: number, size: number): [number, number, number] {
  return fold(device, op, Math.ceil(count / size));
}

/** The same for a number of workgroups. */
export function fold(device: Device, op: string, groups: number): [number, number, number] {
  const max = device.gpu.limits.maxComputeWorkgroupsPerDimension;
  const x = Math.max(1, Math.min(groups, max));
  const y = Math.max(1, Math.ceil(groups / x));
  if (y > max) throw new ShapeError(`${op}: ${groups} workgroups exceed what this device dispatches; use smaller tensors`);
  return [x, y, 1];
}

/** Width of the workgroups that add up values together: a software adapter runs barriers one subgroup of 8 after the other. */
export function lanes(device: Device): number {
  return device.software ? 32 : 256;
}
