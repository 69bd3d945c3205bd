/**
 * @file A kernel whose WGSL comes from the user when the program runs: read by the reader that embeds ours, and called by the names that the text
 * gives to things. What the type checker tells of ours is an error here.
 */

import type { DType } from "../../host/array.ts";
import { ConfigError, DTypeError } from "../../host/errors.ts";
import { nearest } from "../../host/options.ts";
import { update, write, type Written } from "../../tensor/kernel.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { code as gridCode } from "../shaders/lib/grid.gen.ts";
import { shader, type ShaderCall, type ShaderInfo } from "./shader.ts";
import { describe, fragmentsOf, readWgsl, type WgslDescription, type WgslFile } from "./wgsl.ts";
import { fold } from "./workgroups.ts";

/** Numbers by the names that the WGSL gives them: words of the uniform block (lists for vectors), `override`s, constants in capitals that it does not declare. */
export type KernelValues = Readonly<Record<string, number | readonly number[]>>;

/** Workgroups of a dispatch: on the three axes, or how many in all; `lib/grid` in the WGSL gives the number of each. */
export type Workgroups = number | readonly [number, number, number];

/** What one dispatch of a kernel is given. */
export interface KernelRun {
  /** Tensors that the WGSL binds as `read`, by its names. Of any shape: the kernel sees flat elements. */
  readonly read?: Readonly<Record<string, Tensor>>;
  /** Tensors bound as `read_write` of which the kernel writes every element without reading it before. */
  readonly write?: Readonly<Record<string, Tensor>>;
  /** Tensors bound as `read_write` whose old values matter: they are read, or stay where the kernel does not write. Of any shape. */
  readonly update?: Readonly<Record<string, Tensor>>;
  /** What the WGSL asks for by name: uniform words, overrides, constants in capitals. */
  readonly values?: KernelValues;
  /** Default: a thread for each element of the first tensor that is written. */
  readonly workgroups?: Workgroups;
}

/** Fragments that a user's text may name in `// uses`. */
const fragments: ReadonlyMap<string, string> = new Map([["lib/grid", gridCode]]);

const plural = (list: readonly string[]): string => (list.length === 0 ? "none" : list.join(", "));

/** The type of tensors that an array in WGSL holds; undefined for arrays of structs, which hold what the user says. "E" is f32 or f16. */
function elementOf(type: string): DType | "E" | undefined {
  const word = /\b(?:E|f32|f16|i32|u32|vec[234][fihu])\b/.exec(type)?.[0];
  const letters: Readonly<Record<string, DType>> = { f: "f32", h: "f16", i: "i32", u: "u32" };
  return word?.startsWith("vec") ? letters[word[4]] : (word as DType | undefined);
}

/** A kernel by its own text. Throws `ConfigError` with the line of what cannot be read. */
export class OwnKernel {
  readonly name: string;
  readonly about: WgslDescription;
  private readonly file: WgslFile;
  private readonly call: (call: ShaderCall<ShaderInfo>) => ReturnType<ReturnType<typeof shader>>;

  constructor(name: string, wgsl: string) {
    this.name = name;
    this.file = readWgsl(name, wgsl);
    if (!/@compute\b[^{]*\bfn\s+main\b/.test(this.file.code)) {
      throw new ConfigError(`${name}: the WGSL has no entry point "@compute @workgroup_size(64) fn main(…)"`);
    }
    const [choice] = this.file.chooses;
    if (choice) throw new ConfigError(`${name}:${choice.line}: "// chooses" is for shaders that are embedded; write two kernels`);
    const known = new Map([...fragments].map(([key, text]) => [key, readWgsl(key, text)]));
    const used = fragmentsOf(this.file.uses, known).map((key) => known.get(key)!);
    this.about = describe([...used, this.file]);
    const { types: _, ...info } = this.about;
    const call = shader([...used.map((part) => part.code), this.file.code], { name, ...info } as ShaderInfo);
    // A user's word of such a name may mean something else.
    this.call = (given) => ({ ...call(given), pitches: [] });
  }

  /** Names of the bindings that are only read, or of the others, in order. */
  names(access: "read" | "read_write"): string[] {
    return Object.entries(this.about.bind).flatMap(([name, a]) => (a === access ? [name] : []));
  }

  /** What tensors at a binding must hold; undefined if the text does not say. */
  element(binding: string): DType | "E" | undefined {
    return elementOf(this.about.types[binding]);
  }

  /** Sends one dispatch to the device of its tensors. Throws `ConfigError`, `DTypeError`, and `ShapeError` for more workgroups than there can be. */
  run({ read = {}, write: written = {}, update: updated = {}, values = {}, workgroups }: KernelRun): void {
    const targets = { ...written, ...updated };
    this.expectNames("tensor to read", Object.keys(read), this.names("read"));
    this.expectNames("tensor to write", Object.keys(targets), this.names("read_write"));
    const half = this.expectTypes({ ...read, ...targets });
    const first = Object.values(targets)[0] ?? Object.values(read)[0];
    const call = {
      bind: { ...read, ...marked(written, write), ...marked(updated, update) },
      ...this.sorted(values),
      workgroups: this.workgroups(first, workgroups),
      half,
    };
    first.device.run(this.call(call as unknown as ShaderCall<ShaderInfo>));
  }

  // Element types against those of the text; whether E is f16.
  private expectTypes(tensors: Readonly<Record<string, Tensor>>): boolean {
    let half: string | undefined;
    let full: string | undefined;
    for (const [key, { dtype }] of Object.entries(tensors)) {
      const element = this.element(key);
      if (element === "E" && dtype === "f16") half ??= key;
      else if (element === "E" && dtype === "f32") full ??= key;
      else if (element !== undefined && element !== dtype) {
        const wanted = element === "E" ? "f32 or f16" : element;
        throw new DTypeError(`${this.name}: ${key} has type ${dtype}, expected ${wanted} for ${this.about.types[key]}`);
      }
    }
    if (half === undefined || full === undefined) return half !== undefined;
    throw new DTypeError(
      `${this.name}: ${half} has type f16 and ${full} f32; both are arrays of E, which is one of them: cast one`,
    );
  }

  // A value goes where its name is declared.
  private sorted(values: KernelValues): Pick<ShaderCall<Required<ShaderInfo>>, "params" | "consts" | "overrides"> {
    const { params, consts, overrides } = this.about;
    const optional = Object.keys(overrides).filter((key) => overrides[key] === "optional");
    const places = { params: Object.keys(params ?? {}), consts, overrides: Object.keys(overrides) };
    const known = Object.values(places).flat();
    this.expectNames("value", [...new Set([...Object.keys(values), ...optional])], known);
    const pick = (names: readonly string[]) =>
      Object.fromEntries(names.filter((key) => Object.hasOwn(values, key)).map((key) => [key, values[key]]));
    return {
      ...(params && { params: pick(places.params) }),
      ...(consts.length > 0 && { consts: pick(consts) }),
      ...(places.overrides.length > 0 && { overrides: pick(places.overrides) }),
    } as ReturnType<OwnKernel["sorted"]>;
  }

  private expectNames(what: string, given: readonly string[], known: readonly string[]): void {
    const odd = given.find((key) => !known.includes(key));
    if (odd !== undefined) {
      const near = nearest(odd, known);
      throw new ConfigError(
        `${this.name}: the WGSL declares no ${what} ${JSON.stringify(odd)}; ${near === undefined ? "" : `did you mean ${near}? `}known: ${plural(known)}`,
      );
    }
    const missing = known.find((key) => !given.includes(key));
    if (missing !== undefined)
      throw new ConfigError(`${this.name}: the ${what} ${missing} was not given; the WGSL declares ${plural(known)}`);
  }

  private workgroups(target: Tensor, given: Workgroups | undefined): readonly [number, number, number] {
    if (typeof given === "object") return given;
    const { threads } = this.file;
    if (given === undefined && (threads === undefined || threads[1] * threads[2] !== 1)) {
      throw new ConfigError(
        `${this.name}: give \`workgroups\`: there is a default only for "@workgroup_size(n)" with a number, a thread per element`,
      );
    }
    const groups = given ?? Math.ceil(target.size / threads![0]);
    const folded = fold(target.device, this.name, groups);
    if (folded[1] > 1 && !/\bnum_workgroups\b/.test(this.file.code)) {
      throw new ConfigError(
        `${this.name}: ${groups} workgroups are more than one axis has (${folded[0]}): they lie in rows, so number them with "// uses lib/grid" and ` +
          "`linear_group(group, groups)` of workgroup_id and num_workgroups",
      );
    }
    return folded;
  }
}

const marked = (tensors: Readonly<Record<string, Tensor>>, mark: (t: Tensor) => Written): Record<string, Written> =>
  Object.fromEntries(Object.entries(tensors).map(([key, t]) => [key, mark(t)]));

const kernels = /* @__PURE__ */ new Map<string, { readonly wgsl: string; readonly kernel: OwnKernel }>();

/** The kernel of this name, which `check` may refuse. Throws `ConfigError` if the name has another text: pipelines are known by it. */
export function ownKernel(name: string, wgsl: string, check?: (kernel: OwnKernel) => void): OwnKernel {
  const known = kernels.get(name);
  if (known && known.wgsl !== wgsl) {
    throw new ConfigError(
      `defineOp: ${name} was defined before with other WGSL; pipelines are known by their names, so take another`,
    );
  }
  const kernel = known?.kernel ?? new OwnKernel(name, wgsl);
  check?.(kernel);
  kernels.set(name, { wgsl, kernel });
  return kernel;
}
