/**
 * @file What the host must know of a WGSL text: the fragments it uses, its uniform block, bindings, overrides and constants. This is no parser of
 * WGSL: it reads the forms that the shaders here are written in and refuses others of the same kind, naming file and line.
 */

/** Throws with the place in front, as compilers print it. */
function fail({ file, line }, text) {
  throw new Error(`${file}:${line}: ${text}`);
}

const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, " "));

const lineAt = (text, at) => text.slice(0, at).split("\n").length;

/** Declarations of module scope, each with its first line. */
function declarations(text) {
  const list = [];
  let start = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if ("{([".includes(c)) depth++;
    if ("})]".includes(c)) depth--;
    if (depth > 0 || (c !== ";" && c !== "}")) continue;
    const whole = text.slice(start, i + 1);
    const body = whole.trim();
    if (body !== ";") list.push({ text: body, line: lineAt(text, start + whole.indexOf(body)) });
    start = i + 1;
  }
  return list;
}

/** A list split at commas that are not inside `<…>`. */
function split(list) {
  const parts = [""];
  let depth = 0;
  for (const c of list) {
    if (c === "<") depth++;
    if (c === ">") depth--;
    if (c === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += c;
  }
  return parts;
}

function readFields(at, body) {
  let { line } = at;
  return split(body).flatMap((part) => {
    const first = line + lineAt(part, part.search(/\S|$/)) - 1;
    line += part.split("\n").length - 1;
    if (part.trim() === "") return [];
    const field = /^(\w+)\s*:\s*([\w<>,\s]+)$/.exec(part.trim());
    if (!field) fail({ ...at, line: first }, `"${part.trim()}" is not of the form "name: type"; attributes are not read`);
    return [{ file: at.file, line: first, name: field[1], type: field[2].replace(/\s+/g, "") }];
  });
}

function readBinding(at, text) {
  const form = /^@group\(0\)\s*@binding\((\d+)\)\s*var<(uniform|storage,\s*read|storage,\s*read_write)>\s*(\w+)\s*:\s*([^;]+);$/;
  const match = form.exec(text);
  if (!match) fail(at, `"${text}" is not of the form "@group(0) @binding(1) var<storage, read> name: type;"`);
  const [, index, space, name, type] = match;
  const access = space === "uniform" ? space : space.split(/,\s*/)[1];
  return { ...at, index: Number(index), access, name, type: type.replace(/\s+/g, "") };
}

/** `// uses lib/a lib/b` and `// chooses lib/a lib/b`. */
function readDirectives(file, text) {
  const found = { uses: [], chooses: [] };
  text.split("\n").forEach((content, i) => {
    const word = /^\/\/ (uses|chooses)\b/.exec(content)?.[1];
    if (!word) return;
    const at = { file, line: i + 1 };
    const names = content.slice(`// ${word} `.length).split(" ");
    const odd = names.find((name) => !/^lib\/\w+$/.test(name));
    if (odd !== undefined) fail(at, `"${content}" must name fragments like "// ${word} lib/grid lib/tree"`);
    if (word === "chooses" && found.chooses.length > 0) fail(at, "a shader has one choice of fragments");
    found[word].push(...names.map((name) => ({ ...at, name })));
  });
  return found;
}

/** What one file says. */
export function readWgsl(file, text) {
  const bare = withoutComments(text);
  const read = { file, ...readDirectives(file, text), structs: [], aliases: {}, bindings: [], overrides: [], constants: {} };
  const declared = new Set();
  for (const { text, line } of declarations(bare)) {
    const at = { file, line };
    const [, kind, name] =
      /\b(struct|alias|override|const|fn|var(?:<[^>]*>)?)\s+(\w+)/.exec(text) ?? fail(at, `"${text}" is not known`);
    declared.add(name);
    if (text.startsWith("@group") || text.startsWith("@binding")) read.bindings.push(readBinding(at, text));
    else if (kind === "struct") {
      const open = text.indexOf("{") + 1;
      read.structs.push({ ...at, name, fields: readFields(at, text.slice(open, text.lastIndexOf("}"))) });
    } else if (kind === "alias") read.aliases[name] = /=\s*([^;]+);/.exec(text)[1].replace(/\s+/g, "");
    else if (kind === "override") read.overrides.push({ ...at, name, needed: !text.includes("=") });
    else if (kind === "const") {
      const value = /=\s*(\d+)[iu]?;$/.exec(text)?.[1];
      if (value !== undefined) read.constants[name] = Number(value);
    }
  }
  for (const [, name] of bare.matchAll(/\b(?:const|let|var)\s+(\w+)/g)) declared.add(name); // inside functions too
  const lines = bare.split("\n").map((line) => line.trim());
  // Names of constants are in capitals: those that nobody declares are the prelude's.
  const capitals = new Set(bare.match(/\b[A-Z][A-Z0-9_]*\b/g));
  return { ...read, declared, capitals, code: lines.filter((line) => line !== "").join("\n") };
}

const scalars = { u: "u32", i: "i32", f: "f32" };

/** Element type, words and alignment of a type in a uniform block, or undefined. */
function typeLayout(type) {
  const array = /^array<(.+),(\d+)u?>$/.exec(type);
  if (array) {
    const element = typeLayout(array[1]);
    // Elements begin at multiples of 16 bytes; what leaves gaps between them has no plain list of words.
    return element?.words === 4 ? { ...element, words: 4 * Number(array[2]) } : undefined;
  }
  if (Object.values(scalars).includes(type)) return { element: type, words: 1, align: 1 };
  const vector = /^vec([234])(?:([uif])|<(u32|i32|f32)>)$/.exec(type);
  if (!vector) return undefined;
  const words = Number(vector[1]);
  return { element: scalars[vector[2]] ?? vector[3], words, align: words === 2 ? 2 : 4 };
}

/** Streams keep this many words for each call. */
const maxWords = 64;

/** The fields of a struct in a uniform block as `[element type, words, first word]`, by WGSL's rules. */
export function layoutOf({ file, line, name, fields }) {
  let end = 0;
  const layout = {};
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
export function fragmentsOf(uses, fragments, found = new Set(), waiting = []) {
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

// A type with its aliases written out.
function resolved(type, aliases) {
  const next = type.replace(/\w+/g, (word) => aliases[word] ?? word);
  return next === type ? type : resolved(next, aliases);
}

function once(list, what) {
  const names = new Set();
  for (const item of list) {
    if (names.has(item.name)) fail(item, `a second ${what} ${item.name}`);
    names.add(item.name);
  }
  return list;
}

/** What a shader and its fragments, `parts`, are together: everything that a call has to give. */
export function describe(parts) {
  const all = (key) => parts.flatMap((part) => part[key]);
  const structs = once(all("structs"), "struct");
  const aliases = Object.assign({}, ...parts.map((part) => part.aliases));
  const [uniform, ...storage] = readBindings(all("bindings"));
  let params;
  if (uniform) {
    const struct = structs.find((s) => s.name === uniform.type);
    if (!struct) fail(uniform, `${uniform.type} is no struct; a uniform block is one`);
    params = layoutOf(struct);
  }
  const declared = new Set(["E", ...parts.flatMap((part) => [...part.declared])]);
  const types = storage.map((b) => resolved(b.type, aliases));
  const mentions = (word) => types.some((type) => new RegExp(`\\b${word}\\b`).test(type));
  return {
    params,
    bind: Object.fromEntries(storage.map((b) => [b.name, b.access])),
    consts: [...new Set(parts.flatMap((part) => [...part.capitals]))].filter((name) => !declared.has(name)),
    overrides: Object.fromEntries(once(all("overrides"), "override").map((o) => [o.name, o.needed ? "needed" : "optional"])),
    half: mentions("f16") ? "always" : mentions("E") ? "option" : undefined,
  };
}

/** The uniform block, or undefined, then the storage bindings in order. */
function readBindings(list) {
  const sorted = once(list, "binding").toSorted((a, b) => a.index - b.index);
  const uniform = sorted[0]?.index === 0 ? sorted.shift() : undefined;
  if (uniform && uniform.access !== "uniform") fail(uniform, "binding 0 is for the uniform block");
  sorted.forEach((binding, i) => {
    if (binding.access === "uniform") fail(binding, "the uniform block is at binding 0");
    if (binding.index === i + 1) return;
    fail(binding, `binding ${binding.index} follows binding ${i}: storage bindings are 1, 2, … without gaps and repeats`);
  });
  return [uniform, ...sorted];
}
