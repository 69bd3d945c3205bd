/** @file What embed.mjs reads of WGSL: the layout of uniform blocks by the rules of the language, and errors with file and line. */

import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { describe, layoutOf, readWgsl } from "../../src/kernels/lib/wgsl.ts";

const load = (file: string): Promise<unknown> => import(new URL(`../../shaders/${file}`, import.meta.url).href);
const { embedShaders, shaderModules } = (await load("embed.mjs")) as {
  embedShaders: () => void;
  shaderModules: (texts: ReadonlyMap<string, string>) => ReadonlyMap<string, string>;
};

const layout = (fields: string): unknown => layoutOf(readWgsl("a.wgsl", `struct Params {\n${fields}\n}\n`).structs[0]);

test("fields follow each other, vectors at multiples of their alignment", () => {
  expect(layout("a: u32, b: f32, c: i32")).toEqual({ a: ["u32", 1, 0], b: ["f32", 1, 1], c: ["i32", 1, 2] });
  expect(layout("a: u32, b: vec2f, c: u32, d: vec4<i32>, e: u32,")).toEqual({
    a: ["u32", 1, 0],
    b: ["f32", 2, 2],
    c: ["u32", 1, 4],
    d: ["i32", 4, 8],
    e: ["u32", 1, 12],
  });
});

test("a scalar takes the place behind a vector of three; arrays of vectors of four are one list", () => {
  expect(layout("a: vec3u, b: f32, c: vec3u, d: vec4f")).toEqual({
    a: ["u32", 3, 0],
    b: ["f32", 1, 3],
    c: ["u32", 3, 4],
    d: ["f32", 4, 8],
  });
  expect(layout("a: u32, b: array<vec4u, 2>, c: u32")).toEqual({ a: ["u32", 1, 0], b: ["u32", 8, 4], c: ["u32", 1, 12] });
});

test("comments, also inside lists, count for nothing but their lines", () => {
  expect(layout("  a: u32, // b: u32,\n  /* c: u32,\n */ d: u32")).toEqual({ a: ["u32", 1, 0], d: ["u32", 1, 1] });
  const { code } = readWgsl("a.wgsl", "// head\n\nfn f() {\n  // why\n  let a = 1; // what\n  let b = 2;\n}\n");
  expect(code).toBe("fn f(){let a=1;\nlet b=2;}");
});

const tokens = (text: string): readonly string[] =>
  text
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, " ")
    .match(/[A-Za-z_]\w*|\.?\d[\w.]*(?:e[-+]?\d+f?)?|->|<<=|>>=|[-+*/%&|^=!<>]=|<<|>>|\+\+|--|&&|\|\||\S/g) ?? [];

test("spaces go only where no two tokens become one", () => {
  expect(readWgsl("a.wgsl", "const a: vec4<f32> = b - -c + d / *e;\n").code).toBe("const a:vec4<f32> =b- -c+d/ *e;");
  for (const file of globSync("shaders/**/*.wgsl")) {
    const text = readFileSync(file, "utf8");
    expect(tokens(readWgsl(file, text).code), file).toEqual(tokens(text));
  }
});

test.each([
  ["a: u32,\nb: bool", "a.wgsl:3: Params.b: bool is none of"],
  ["a: mat2x2f", "a.wgsl:2: Params.a: mat2x2f is none of"],
  ["a: u32,\n\nb: array<u32, 4>", "a.wgsl:4: Params.b: array<u32,4> is none of"],
  ["a: array<vec3f, 2>", "a.wgsl:2: Params.a: array<vec3f,2> is none of"],
  ["a: u32,\n@size(16) b: u32", 'a.wgsl:3: "@size(16) b: u32" is not of the form'],
  ["a: array<vec4u, 17>", "a.wgsl:1: Params takes 68 words, at most 64"],
])("no layout for %j", (fields, message) => {
  expect(() => layout(fields)).toThrow(message);
});

const read = (text: string) => readWgsl("op/a.wgsl", text);
const uniform = "struct Params {\n  n: u32,\n}\n@group(0) @binding(0) var<uniform> p: Params;\n";

test("a shader is what it and its fragments declare", () => {
  const fragment = read(
    `${uniform}const A = 3u;\noverride MODE: u32;\nalias S = vec4<E>;\n@group(0) @binding(1) var<storage, read> x: array<S>;`,
  );
  const body = read(
    "override SIZE: u32 = 4u;\nconst HALF = TP / 2u;\n@group(0) @binding(2) var<storage, read_write> y: array<f32>;\n" +
      "@compute @workgroup_size(SIZE)\nfn main() {\n  const INNER = 1u;\n  y[0] = f32(x[A][HALF]) + f32(0xFFu + BLOCK);\n}\n",
  );
  expect(fragment.constants).toEqual({ A: 3 });
  expect(describe([fragment, body])).toEqual({
    params: { n: ["u32", 1, 0] },
    bind: { x: "read", y: "read_write" },
    types: { x: "array<vec4<E>>", y: "array<f32>" },
    consts: ["TP", "BLOCK"],
    overrides: { MODE: "needed", SIZE: "optional" },
    half: "option",
  });
});

test("f16 is the caller's option only for arrays of E", () => {
  const half = (type: string, aliases = "") =>
    describe([read(`${aliases}\n@group(0) @binding(1) var<storage, read> x: array<${type}>;`)]).half;
  expect(half("f32", "alias V = E;")).toBeUndefined();
  expect(half("E")).toBe("option");
  expect(half("W", "alias W = vec4<S>;\nalias S = E;")).toBe("option");
  expect(half("word", "alias word = vec4<f16>;")).toBe("always");
});

const x = (index: number, name = "x", access = "read") =>
  `@group(0) @binding(${index}) var<storage, ${access}> ${name}: array<f32>;\n`;

test.each([
  [x(2), "op/a.wgsl:1: binding 2 follows binding 0"],
  [x(1) + x(3, "y"), "op/a.wgsl:2: binding 3 follows binding 1"],
  [x(1) + x(1, "y"), "op/a.wgsl:2: binding 1 follows binding 1"],
  [x(1) + x(2), "op/a.wgsl:2: a second binding x"],
  [x(0), "op/a.wgsl:1: binding 0 is for the uniform block"],
  [uniform.replace("binding(0)", "binding(1)"), "op/a.wgsl:4: the uniform block is at binding 0"],
  ["\n@group(0) @binding(0) var<uniform> n: u32;", "op/a.wgsl:2: u32 is no struct"],
  ["@group(1) @binding(1) var<storage, read> x: array<f32>;", "op/a.wgsl:1: "],
  ["override A: u32;\noverride A: u32;", "op/a.wgsl:2: a second override A"],
  ["\nenable f16;", 'op/a.wgsl:2: "enable f16;" is not known'],
])("refuses %j", (text, message) => {
  expect(() => describe([read(text)])).toThrow(message);
});

test.each([
  ["// head\n// uses lib/none\n", "shaders/op/a.wgsl:2: there is no fragment shaders/lib/none.wgsl"],
  ["// uses lib/one, lib/two\n", 'shaders/op/a.wgsl:1: "// uses lib/one, lib/two" must name fragments'],
  ["// uses one\n", "must name fragments"],
  ["// chooses lib/one\n// chooses lib/two\n", "shaders/op/a.wgsl:2: a shader has one choice"],
  ["// uses lib/circle\n", "shaders/lib/circle.wgsl:1: lib/round uses lib/circle uses lib/round, a circle"],
  ["// uses lib/choosing\n", "shaders/lib/choosing.wgsl:1: only a shader chooses"],
])("refuses the fragments of %j", (text, message) => {
  const texts = new Map([
    ["lib/one", "fn one() {}\n"],
    ["lib/two", "fn two() {}\n"],
    ["lib/circle", text.includes("circle") ? "// uses lib/round\n" : ""],
    ["lib/round", "// uses lib/circle\n"],
    ["lib/choosing", "// chooses lib/one lib/two\n"],
    ["op/a", text],
  ]);
  expect(() => shaderModules(texts)).toThrow(message);
});

test("a module has its fragments once, those that others use first, and a function for each choice", () => {
  const modules = shaderModules(
    new Map([
      ["lib/one", "alias word = u32;\n"],
      ["lib/two", "alias word = vec2u;\n"],
      ["lib/base", "const RELU = 0u;\nfn base() {}\n"],
      ["lib/more", "// uses lib/base\nfn more() {}\n"],
      [
        "op/to_do",
        "// chooses lib/one lib/two\n// uses lib/more lib/base\n@group(0) @binding(1) var<storage, read_write> y: array<word>;",
      ],
    ]),
  );
  expect(modules.get("lib/base")).toContain("export const RELU = 0;");
  const source = modules.get("op/to_do")!;
  expect(source).toContain('import { code as libMore } from "../lib/more.gen.ts";');
  expect(source).toContain("export const toDoShader = {");
  expect(source).toContain(
    'one: /* @__PURE__ */ shader([libOne, libBase, libMore, code], { name: "op.to_do", bind: { y: "read_write" } })',
  );
  expect(source).toContain("two: /* @__PURE__ */ shader([libTwo, libBase, libMore, code], ");
});

test("a fragment with a twin is both texts, and its twin may be nothing else to others", () => {
  const modules = (twin: string) =>
    shaderModules(
      new Map([
        ["lib/one", "// twin lib/two\nvar<workgroup> all: array<f32, LANES>;\nfn one() {}\n"],
        ["lib/two", twin],
        ["op/a", "// uses lib/one\n@group(0) @binding(1) var<storage, read_write> y: array<f32>;"],
      ]),
    );
  const read = modules("var<workgroup> all: array<f32, LANES>;\nfn one() { subgroupBarrier(); }\n");
  expect(read.get("lib/one")).toContain('import { code as subgroups } from "./two.gen.ts";');
  expect(read.get("lib/one")).toMatch(/export const code = \{\n {2}plain:\n.*fn one\(\)\{\}",\n {2}subgroups,\n\} as const;/);
  expect(read.get("op/a")).toContain("shader([libOne, code], {");
  const message = "shaders/lib/one.wgsl:1: lib/two uses, asks for or declares something else";
  for (const twin of ["fn one() {}", "// uses lib/more\nvar<workgroup> all: array<f32, LANES>;"])
    expect(() => modules(twin)).toThrow(message);
  expect(() => shaderModules(new Map([["lib/one", "// twin lib/none\n"]]))).toThrow("there is no fragment shaders/lib/none.wgsl");
});

test("constants are exported as they are, structs that end in State as the place of each word", () => {
  const text =
    "const SUM = 1u;\nconst FAR = 1e30;\nconst TWICE = 2u * SUM;\nstruct AnyState {\n  lr: f32,\n  beta: vec2f,\n  steps: f32,\n}\n";
  const source = shaderModules(new Map([["lib/any", text]])).get("lib/any")!;
  expect(source).toContain("export const SUM = 1;\nexport const AnyState = { lr: 0, beta: 2, steps: 4 } as const;\n");
  expect(source).not.toMatch(/export const (FAR|TWICE)/);
});

test("modules of shaders that are there are left alone, others go with their folder", () => {
  const folder = fileURLToPath(new URL("../../src/kernels/shaders/", import.meta.url));
  const kept = () => statSync(`${folder}lib/grid.gen.ts`).mtimeMs;
  const before = kept();
  mkdirSync(`${folder}gone`);
  writeFileSync(`${folder}gone/none.gen.ts`, "export const noneShader = 0;\n");
  embedShaders();
  expect(existsSync(`${folder}gone`)).toBe(false);
  expect(kept()).toBe(before);
});
