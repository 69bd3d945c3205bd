/**
 * @file What the host must know of a WGSL text: the fragments it uses, its uniform block, bindings, overrides and constants. This is no parser of
 * WGSL: it reads the forms that the shaders here are written in and refuses others of the same kind, naming file and line. `shaders/embed.mjs` reads our own
 * shaders with it when they are embedded, `defineOp` those of a user when the program runs.
 */

import { ConfigError } from "../../host/errors.ts";
import { declarations, lineAt, split, tight, withoutComments } from "./wgsl_text.ts";

/** Where something stands. */
interface Place {
  readonly file: string;
  readonly line: number;
}

interface Named extends Place {
  readonly name: string;
}

interface StructField extends Named {
  readonly type: string;
}

export interface Struct extends Named {
  readonly fields: readonly StructField[];
}

interface BindingText extends Named {
  readonly index: number;
  readonly access: "uniform" | "read" | "read_write";
  readonly type: string;
}

interface Override extends Named {
  readonly needed: boolean;
}

/** What one file says. */
export interface WgslFile {
  readonly file: string;
  readonly uses: readonly Named[];
  readonly chooses: readonly Named[];
  readonly twin: readonly Named[];
  readonly structs: readonly Struct[];
  readonly aliases: Readonly<Record<string, string>>;
  readonly bindings: readonly BindingText[];
  readonly overrides: readonly Override[];
  /** Whole numbers by name. */
  readonly constants: Readonly<Record<string, number>>;
  readonly declared: ReadonlySet<string>;
  readonly capitals: ReadonlySet<string>;
  /** Threads of a workgroup, where the text says it in numbers. */
  readonly threads: readonly [number, number, number] | undefined;
  /** Without comments, indentation and spaces that part nothing; lines stay, for the messages of compilers. */
  readonly code: string;
}

/** Element type, number of words and first word of a field of a uniform block. */
export type WordLayout = readonly [element: "f32" | "i32" | "u32", words: number, first: number];

/** Everything that a call of a shader has to give. */
export interface WgslDescription {
  readonly params: Readonly<Record<string, WordLayout>> | undefined;
  readonly bind: Readonly<Record<string, "read" | "read_write">>;
  /** WGSL types of the bindings, aliases written out. */
  readonly types: Readonly<Record<string, string>>;
  readonly consts: readonly string[];
  readonly overrides: Readonly<Record<string, "needed" | "optional">>;
  readonly half: "option" | "always" | undefined;
}

/** Throws with the place in front, as compilers print it. */
function fail({ file, line }: Place, text: string): never {
  throw new ConfigError(`${file}:${line}: ${text}`);
}

function readFields(at: Place, body: string): StructField[] {
  let { line } = at;
  return split(body).flatMap((part) => {
    const first = line + lineAt(part, part.search(/\S|$/)) - 1;
    line += part.split("\n").length - 1;
    if (part.trim() === "") return [];
    const place = { file: at.file, line: first };
    const field = /^(\w+)\s*:\s*([\w<>,\s]+)$/.exec(part.trim());
    if (!field) fail(place, `"${part.trim()}" is not of the form "name: type"; attributes are not read`);
    return [{ ...place, name: field[1], type: field[2].replace(/\s+/g, "") }];
  });
}

function readBinding(at: Place, text: string): BindingText {
  const form = /^@group\(0\)\s*@binding\((\d+)\)\s*var<(uniform|storage,\s*read|storage,\s*read_write)>\s*(\w+)\s*:\s*([^;]+);$/;
  const match = form.exec(text);
  if (!match) fail(at, `"${text}" is not of the form "@group(0) @binding(1) var<storage, read> name: type;"`);
  const [, index, space, name, type] = match;
  const access = (space === "uniform" ? space : space.split(/,\s*/)[1]) as BindingText["access"];
  return { ...at, index: Number(index), access, name, type: type.replace(/\s+/g, "") };
}

type Directive = "uses" | "chooses" | "twin";

/** `// uses lib/a lib/b`, `// chooses lib/a lib/b` and `// twin lib/a`. */
function readDirectives(file: string, text: string): Record<Directive, Named[]> {
  const found: Record<Directive, Named[]> = { uses: [], chooses: [], twin: [] };
  text.split("\n").forEach((content, i) => {
    const word = /^\s*\/\/ (uses|chooses|twin)\b/.exec(content)?.[1] as Directive | undefined;
    if (!word) return;
    const at = { file, line: i + 1 };
    const names = content.trim().slice(`// ${word} `.length).split(" ");
    const odd = names.find((name) => !/^lib\/\w+$/.test(name));
    if (odd !== undefined) fail(at, `"${content.trim()}" must name fragments like "// ${word} lib/grid lib/tree"`);
    if (word === "chooses" && found.chooses.length > 0) fail(at, "a shader has one choice of fragments");
    found[word].push(...names.map((name) => ({ ...at, name })));
  });
  return found;
}

function readThreads(text: string): WgslFile["threads"] {
  const sizes = /@workgroup_size\(([^)]*)\)/
    .exec(text)?.[1]
    .split(",")
    .map((n) => n.trim())
    .filter(Boolean);
  if (!sizes?.every((n) => /^\d+[iu]?$/.test(n))) return undefined;
  const [x, y = 1, z = 1] = sizes.map((n) => Number.parseInt(n, 10));
  return [x, y, z];
}

type Draft<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

/** What one file says. Throws `ConfigError` with file and line for a form that is not read. */
export function readWgsl(file: string, text: string): WgslFile {
  const bare = withoutComments(text);
  const read: Draft<Pick<WgslFile, "structs" | "bindings" | "overrides">> = { structs: [], bindings: [], overrides: [] };
  const aliases: Record<string, string> = {};
  const constants: Record<string, number> = {};
  const declared = new Set<string>();
  let threads: WgslFile["threads"];
  for (const { text, line } of declarations(bare)) {
    const at = { file, line };
    const [, kind, name] =
      /\b(struct|alias|override|const|fn|var(?:<[^>]*>)?)\s+(\w+)/.exec(text) ?? fail(at, `"${text}" is not known`);
    declared.add(name);
    if (text.startsWith("@group") || text.startsWith("@binding")) read.bindings.push(readBinding(at, text));
    else if (kind === "struct") {
      const open = text.indexOf("{") + 1;
      read.structs.push({ ...at, name, fields: readFields(at, text.slice(open, text.lastIndexOf("}"))) });
    } else if (kind === "alias") aliases[name] = /=\s*([^;]+);/.exec(text)![1].replace(/\s+/g, "");
    else if (kind === "override") read.overrides.push({ ...at, name, needed: !text.includes("=") });
    else if (kind === "fn" && text.includes("@compute")) threads = readThreads(text);
    else if (kind === "const") {
      const value = /=\s*(\d+)[iu]?;$/.exec(text)?.[1];
      if (value !== undefined) constants[name] = Number(value);
    }
  }
  for (const [, name] of bare.matchAll(/\b(?:const|let|var)\s+(\w+)/g)) declared.add(name); // inside functions too
  const lines = bare.split("\n").map((line) => tight(line.trim()));
  // Names of constants are in capitals: those that nobody declares are the prelude's.
  const capitals = new Set(bare.match(/\b[A-Z][A-Z0-9_]*\b/g));
  // A statement stays on a line of its own, which errors count.
  const code = lines
    .filter((line) => line !== "")
    .join("\n")
    .replaceAll(/(?<=[{},(])\n|\n(?=[{}),])/g, "");
  return { file, ...readDirectives(file, text), ...read, aliases, constants, declared, capitals, threads, code };
}

const scalars: Readonly<Record<string, WordLayout[0]>> = { u: "u32", i: "i32", f: "f32" };

interface TypeLayout {
  readonly element: WordLayout[0];
  readonly words: number;
  readonly align: number;
}

/** Element type, words and alignment of a type in a uniform block, or undefined. */
function typeLayout(type: string): TypeLayout | undefined {
  const array = /^array<(.+),(\d+)u?>$/.exec(type);
  if (array) {
    const element = typeLayout(array[1]);
    // Elements begin at multiples of 16 bytes; what leaves gaps between them has no plain list of words.
    return element?.words === 4 ? { ...element, words: 4 * Number(array[2]) } : undefined;
  }
  const scalar = Object.values(scalars).find((name) => name === type);
  if (scalar) return { element: scalar, words: 1, align: 1 };
  const vector = /^vec([234])(?:([uif])|<(u32|i32|f32)>)$/.exec(type);
  if (!vector) return undefined;
  const words = Number(vector[1]);
  return { element: scalars[vector[2]] ?? vector[3], words, align: words === 2 ? 2 : 4 };
}

/** Streams keep this many words for each call. */
const maxWords = 64;

/** The fields of a struct in a uniform block as `[element type, words, first word]`, by WGSL's rules. */
export function layoutOf({ file, line, name, fields }: Struct): Record<string, WordLayout> {
  let end = 0;
  const layout: Record<string, WordLayout> = {};
  for (const field of fields) {
    const type = typeLayout(field.type);
    if (!type) {
      fail(
        field,
        `${name}.${field.name}: ${field.type} is none of u32, i32, f32, vectors of these and arrays of vectors of four`,
      );
    }
    const first = Math.ceil(end / type.align) * type.align;
    layout[field.name] = [type.element, type.words, first];
    end = first + type.words;
  }
  if (end > maxWords)
    fail({ file, line }, `${name} takes ${end} words, at most ${maxWords} fit into the uniform block of a call`);
  return layout;
}

/** The fragments of a text before those that use them, each once. */
export function fragmentsOf(
  uses: readonly Named[],
  fragments: ReadonlyMap<string, WgslFile>,
  found = new Set<string>(),
  waiting: readonly string[] = [],
): string[] {
  for (const use of uses) {
    const fragment = fragments.get(use.name);
    if (!fragment) fail(use, `there is no fragment shaders/${use.name}.wgsl`);
    if (waiting.includes(use.name)) fail(use, `${[...waiting, use.name].join(" uses ")}, a circle`);
    if (found.has(use.name)) continue;
    if (fragment.chooses.length > 0) fail(fragment.chooses[0], "only a shader chooses, not a fragment");
    fragmentsOf(fragment.uses, fragments, found, [...waiting, use.name]);
    found.add(use.name);
  }
  return [...found];
}

/** The fragment that a device with subgroups gets in the place of this one, which it has to be without a difference to others. */
export function twinOf(file: WgslFile, fragments: ReadonlyMap<string, WgslFile>): string | undefined {
  const [use] = file.twin;
  if (!use) return undefined;
  const twin = fragments.get(use.name);
  if (!twin) fail(use, `there is no fragment shaders/${use.name}.wgsl`);
  const facts = (f: WgslFile) =>
    JSON.stringify([describe([f]), f.uses.map(({ name }) => name), f.constants, f.structs.map(({ name }) => name)]);
  if (facts(twin) !== facts(file)) fail(use, `${use.name} uses, asks for or declares something else than what it stands for`);
  return use.name;
}

// A type with its aliases written out.
function resolved(type: string, aliases: Readonly<Record<string, string>>): string {
  const next = type.replace(/\w+/g, (word) => aliases[word] ?? word);
  return next === type ? type : resolved(next, aliases);
}

function once<T extends Named>(list: readonly T[], what: string): readonly T[] {
  const names = new Set<string>();
  for (const item of list) {
    if (names.has(item.name)) fail(item, `a second ${what} ${item.name}`);
    names.add(item.name);
  }
  return list;
}

/** What a shader and its fragments, `parts`, are together. Throws `ConfigError` with file and line for what does not fit together. */
export function describe(parts: readonly WgslFile[]): WgslDescription {
  const structs = once(
    parts.flatMap((part) => part.structs),
    "struct",
  );
  const aliases: Record<string, string> = Object.assign({}, ...parts.map((part) => part.aliases));
  const { uniform, storage } = readBindings(parts.flatMap((part) => part.bindings));
  let params: WgslDescription["params"];
  if (uniform) {
    const struct = structs.find((s) => s.name === uniform.type);
    if (!struct) fail(uniform, `${uniform.type} is no struct; a uniform block is one`);
    params = layoutOf(struct);
  }
  const overrides = once(
    parts.flatMap((part) => part.overrides),
    "override",
  );
  const declared = new Set(["E", ...parts.flatMap((part) => [...part.declared])]);
  const types = Object.fromEntries(storage.map((b) => [b.name, resolved(b.type, aliases)]));
  const mentions = (word: string) => Object.values(types).some((type) => new RegExp(`\\b${word}\\b`).test(type));
  return {
    params,
    bind: Object.fromEntries(storage.map((b) => [b.name, b.access as "read" | "read_write"])),
    types,
    consts: [...new Set(parts.flatMap((part) => [...part.capitals]))].filter((name) => !declared.has(name)),
    overrides: Object.fromEntries(overrides.map((o) => [o.name, o.needed ? "needed" : "optional"])),
    half: parts.some(({ code }) => /\bf16\b/.test(code)) ? "always" : mentions("E") ? "option" : undefined,
  };
}

/** The uniform block, or undefined, and the storage bindings in order. */
function readBindings(list: readonly BindingText[]): { uniform: BindingText | undefined; storage: BindingText[] } {
  const storage = once(list, "binding").toSorted((a, b) => a.index - b.index);
  const uniform = storage[0]?.index === 0 ? storage.shift() : undefined;
  if (uniform && uniform.access !== "uniform") fail(uniform, "binding 0 is for the uniform block");
  storage.forEach((binding, i) => {
    if (binding.access === "uniform") fail(binding, "the uniform block is at binding 0");
    if (binding.index === i + 1) return;
    fail(binding, `binding ${binding.index} follows binding ${i}: storage bindings are 1, 2, … without gaps and repeats`);
  });
  return { uniform, storage };
}
