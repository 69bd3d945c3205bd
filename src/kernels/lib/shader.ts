/**
 * @file A shader as a function: from what one dispatch needs, by the names that its WGSL gives them, to the call. `shaders/embed.mjs` writes a module
 * for each shader that says what those names are, so that a word or a binding that is forgotten, unknown or of the wrong kind does not compile.
 */

import { ConfigError } from "../../host/errors.ts";
import type { Device } from "../../tensor/device.ts";
import { type Bound, type KernelCall, type Program, read, type Written } from "../../tensor/kernel.ts";
import { addsInSubgroups } from "./subgroups.ts";

/** A field of the uniform block: its element type, how many words it has, and the first of them. */
export type Field = readonly [element: "f32" | "i32" | "u32", words: number, first: number];

/** The text of a fragment, or that and the one in its place where the device adds in subgroups. */
export type Fragment = string | { readonly plain: string; readonly subgroups: string };

/** What embed.mjs reads of a shader and the fragments it uses. */
export interface ShaderInfo {
  /** Head of the pipeline key: `conv.gather`. */
  readonly name: string;
  /** The uniform block at binding 0. */
  readonly params?: Readonly<Record<string, Field>>;
  /** Storage bindings 1, 2, … in order. */
  readonly bind: Readonly<Record<string, "read" | "read_write">>;
  /** Names that the prelude has to declare. */
  readonly consts?: readonly string[];
  /** Whether a value is needed or has a default. */
  readonly overrides?: Readonly<Record<string, "needed" | "optional">>;
  /** Whether there are arrays of E, which hold f32 or f16 as the caller says, or f16 is part of the shader. */
  readonly half?: "option" | "always";
}

type Vector = {
  1: number;
  2: readonly [number, number];
  3: readonly [number, number, number];
  4: readonly [number, number, number, number];
};
type Value<F extends Field> = F[1] extends keyof Vector ? Vector[F[1]] : readonly number[];

/** `{ K: T }` if there is something to give, else nothing may be given. */
type Given<K extends string, T> = [T] extends [never] ? { readonly [P in K]?: undefined } : { readonly [P in K]: T };
type Overrides<O> = { readonly [K in keyof O as O[K] extends "needed" ? K : never]: number } & {
  readonly [K in keyof O as O[K] extends "optional" ? K : never]?: number;
};

/** All that one dispatch of a shader needs. */
export type ShaderCall<I extends ShaderInfo> = {
  /** Tensors by name. What the shader writes is marked: `write(y)` if it writes all of it, `update(y)` if it reads it too or writes only part. */
  readonly bind: { readonly [K in keyof I["bind"]]: I["bind"][K] extends "read" ? Bound : Written };
  readonly workgroups: KernelCall["workgroups"];
  /** What the overrides mean, for the key; their names and values by default. */
  readonly variant?: string | undefined;
} & Given<
  "params",
  I["params"] extends Record<string, Field> ? { readonly [K in keyof I["params"]]: Value<I["params"][K]> } : never
> &
  Given<"consts", I["consts"] extends readonly string[] ? Readonly<Record<I["consts"][number], number>> : never> &
  Given<"overrides", I["overrides"] extends object ? Overrides<I["overrides"]> : never> &
  Given<"half", I["half"] extends "option" ? boolean : never>;

// The same for any shader.
interface AnyCall {
  readonly bind: Readonly<Record<string, Bound | Written>>;
  readonly workgroups: KernelCall["workgroups"];
  readonly variant?: string | undefined;
  readonly params?: Readonly<Record<string, number | readonly number[]>>;
  readonly consts?: Readonly<Record<string, number>>;
  readonly overrides?: Readonly<Record<string, number>>;
  readonly half?: boolean;
}

/** The function of a shader made of these texts; for the generated modules. */
export function shader<const I extends ShaderInfo>(code: readonly Fragment[], info: I): (call: ShaderCall<I>) => KernelCall {
  return (call) => describe(code, info, call as AnyCall);
}

function describe(code: readonly Fragment[], info: ShaderInfo, call: AnyCall): KernelCall {
  const { params, workgroups } = call;
  const bindings = Object.entries(info.bind).map(([name, access]) =>
    access === "read" ? read(call.bind[name] as Bound) : (call.bind[name] as Written),
  );
  const device = bindings.find(({ tensor }) => tensor.device)?.tensor.device as Device | undefined;
  const twins = code.some((text) => typeof text !== "string") && device !== undefined && addsInSubgroups(device);
  return {
    program: program(code, info, call, twins),
    bindings,
    ...(params && { params: uniformWords(info, params), pitches: pitches(info) }),
    workgroups,
  };
}

// A word `x_pitch` is how many elements the samples of binding x are apart.
const pitches = ({ bind, params }: ShaderInfo): (number | undefined)[] =>
  Object.keys(bind).map((name) => params?.[`${name}_pitch`]?.[2]);

// What has to stand before everything else, by the words that need it. Matrices are asked to be the same for a whole workgroup, where a subgroup has its own.
const directives = [
  [/\bsubgroup[A-Z_]/, "enable subgroups;"],
  [/@subgroup_size\b/, "enable subgroup_size_control;"],
  [/\bsubgroup_matrix_/, "enable chromium_experimental_subgroup_matrix;"],
  [/\bsubgroup_matrix_/, "diagnostic(off, chromium.subgroup_matrix_uniformity);"],
] as const;

const programs = /* @__PURE__ */ new Map<string, { readonly info: ShaderInfo; readonly program: Program }>();

/** The program in one variant. Its key reads `conv.gather TP12 TC16`. */
function program(
  code: readonly Fragment[],
  info: ShaderInfo,
  { consts = {}, overrides, variant, half = info.half === "always" }: AnyCall,
  twins: boolean,
): Program {
  const words = Object.entries(consts).map(([k, v]) => `${k}${v}`);
  if (variant !== undefined) words.push(variant);
  else for (const [k, v] of Object.entries(overrides ?? {})) words.push(`${k}${v}`);
  if (twins) words.push("subgroups");
  if (half) words.push("f16");
  const key = [info.name, ...words].filter((word) => word !== "").join(" ");
  const known = programs.get(key);
  if (known?.info === info) return known.program;
  if (known) throw new ConfigError(`two programs of ${info.name} have the key "${key}": the variant has to tell them apart`);
  const texts = code.map((text) => (typeof text === "string" ? text : twins ? text.subgroups : text.plain));
  const prelude = [
    ...(half ? ["enable f16;"] : []),
    ...directives.filter(([words]) => texts.some((text) => words.test(text))).map(([, line]) => line),
    `alias E = ${half ? "f16" : "f32"};`,
  ];
  const constants = Object.entries(consts).map(([k, v]) => `const ${k} = ${v}u;`);
  const made = { key, code: [...prelude, ...constants, ...texts].join("\n"), overrides };
  programs.set(key, { info, program: made });
  return made;
}

/** The uniform block. Throws `RangeError` for a list of another length than its field. */
function uniformWords({ name, params = {} }: ShaderInfo, given: NonNullable<AnyCall["params"]>): Uint32Array<ArrayBuffer> {
  const fields = Object.entries(params);
  const size = Math.max(...fields.map(([, [, words, first]]) => first + words));
  const block = new DataView(new ArrayBuffer(4 * size));
  for (const [field, [element, words, first]] of fields) {
    const value = given[field];
    const list = typeof value === "number" ? [value] : value;
    if (list.length !== words) throw new RangeError(`${name}: ${field} has ${words} words, got ${list.length}`);
    list.forEach((v, i) => {
      const at = 4 * (first + i);
      if (element === "f32") block.setFloat32(at, v, true);
      else block.setInt32(at, v, true); // modulo 2³²: the same bits for i32 and u32
    });
  }
  return new Uint32Array(block.buffer);
}
