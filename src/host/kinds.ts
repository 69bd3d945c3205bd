/** @file Kinds of arguments: plain JavaScript hands over anything, and a bare TypeError from deep inside tells nobody which argument was meant. */

import { className, isBlob } from "./class_name.ts";
import { ConfigError, DTypeError, ShapeError } from "./errors.ts";

/** `sound` throws for what is of the kind, but cannot be right. */
type Row = readonly [
  words: string,
  is: (value: unknown) => boolean,
  advice?: ((value: unknown) => string | undefined) | undefined,
  sound?: (op: string, name: string, value: unknown) => void,
];

const isObject = (v: unknown): v is object => typeof v === "object" && v !== null;
const isList = (v: unknown): v is readonly unknown[] => Array.isArray(v);
const isValues = (v: unknown): boolean => ArrayBuffer.isView(v) && !(v instanceof DataView);

const isNumbers = (v: unknown): boolean => isList(v) && v.every((n) => typeof n === "number");
/** Whether a value is a host array; its voxels are not looked at. */
export const isHostArray = (v: unknown): v is { readonly data: ArrayBufferView; readonly shape: readonly number[] } =>
  isObject(v) && "data" in v && isValues(v.data) && "shape" in v && isList(v.shape);
const isMatrix = (v: unknown): boolean => isList(v) && v.length === 4 && v.every(isNumbers);
const isFile = (v: unknown): boolean =>
  typeof fieldsOf(v).name === "string" && typeof fieldsOf(fieldsOf(v).blob).slice === "function";
const isVolume = (v: unknown): boolean => isHostArray(v) && isMatrix(fieldsOf(v).affine);
const isTransform = (v: unknown): boolean => (typeof v === "function" ? !isClass(v) : typeof fieldsOf(v).apply === "function");
/** Whether it is a class, which only `new` can call. */
export const isClass = (v: unknown): v is { readonly name: string } => typeof v === "function" && String(v).startsWith("class");
const fieldsOf = (v: unknown): Readonly<Record<string, unknown>> => (isObject(v) ? (v as Readonly<Record<string, unknown>>) : {});

/** Throws `DTypeError` for 64-bit integers, which no arithmetic mixes with other numbers. */
function expectNumeric(op: string, name: string, values: unknown): void {
  if (!className(values).startsWith("Big")) return;
  const advice = "convert them first: Float64Array.from(values, Number)";
  throw new DTypeError(`${op}: ${name} is a ${className(values)}, and 64-bit integers are not taken; ${advice}`);
}

/** Throws `ShapeError` unless a host array has as many values as its shape says, `DTypeError` for 64-bit integers. No value is looked at. */
export function expectFull(op: string, name: string, value: unknown): void {
  const { data, shape } = value as { readonly data: Uint8Array; readonly shape: readonly number[] };
  let size = 1;
  for (const n of shape) size *= Number.isSafeInteger(n) && n >= 0 ? n : NaN;
  if (size !== data.length) {
    const holds = Number.isNaN(size) ? "is none: sizes are whole and at least 0" : `holds ${size}`;
    throw new ShapeError(`${op}: ${name} has ${data.length} values, but its shape [${shape.join(", ")}] ${holds}`);
  }
  expectNumeric(op, name, data);
}
const expectAllFull = (op: string, name: string, list: unknown): void =>
  (list as readonly unknown[]).forEach((x, i) => expectFull(op, `${name}[${i}]`, x));

// What to do with what is mostly handed over by mistake.
const toArray = (v: unknown): string | undefined =>
  typeof v === "string"
    ? "read the file first, with readImage or LoadImage"
    : typeof fieldsOf(v).data === "function"
      ? "read the tensor back first: { data: await x.data(), shape: x.shape }"
      : undefined;
const toBytes = (v: unknown): string | undefined =>
  typeof v === "string"
    ? "read the file first, with readFile of node:fs/promises or fetch"
    : typeof fieldsOf(v).arrayBuffer === "function"
      ? "take new Uint8Array(await file.arrayBuffer())"
      : className(v) === "ArrayBuffer"
        ? "take new Uint8Array(buffer)"
        : undefined;
const toFile = (v: unknown): string | undefined =>
  typeof fieldsOf(v).slice === "function" && !isList(v) ? "take { name: file.name, blob: file }" : undefined;
const toFiles = (v: unknown): string | undefined =>
  className(v) === "FileList" || (isList(v) && v.every(isBlob))
    ? "take Array.from(files, (file) => ({ name: file.webkitRelativePath || file.name, blob: file }))"
    : toFile(v);
const toInstance = (v: unknown): string | undefined =>
  typeof v === "function" ? (isClass(v) ? `make one: new ${v.name}({ … })` : "wrap it: new Lambda({ func })") : undefined;
const isInstance = (v: unknown): boolean => typeof v !== "function" && isTransform(v);
const isPairs = (v: unknown): boolean =>
  typeof v === "number" || (isList(v) && v.every((n) => n === null || typeof n === "number" || isNumbers(n)));
const toList = (v: unknown): string | undefined => (isList(v) || v === undefined || v === null ? undefined : "put it in a list");

const rows = {
  number: ["a number", (v) => typeof v === "number"],
  boolean: ["true or false", (v) => typeof v === "boolean"],
  text: ["a text", (v) => typeof v === "string"],
  function: ["a function", (v) => typeof v === "function"],
  object: ["an object", (v) => isObject(v) && !isList(v) && !ArrayBuffer.isView(v)],
  list: ["a list", isList],
  numbers: ["a list of numbers", isNumbers, toList],
  texts: ["a list of texts", (v) => isList(v) && v.every((t) => typeof t === "string"), toList],
  objects: ["a list of objects", (v) => isList(v) && v.every(isObject), toList],
  lists: ["a list of lists", (v) => isList(v) && v.every(isList), toList],
  values: ["a typed array", isValues, undefined, expectNumeric],
  weights: ["a list of numbers", (v) => isNumbers(v) || isValues(v), toList, expectNumeric],
  bytes: ["a Uint8Array", (v) => className(v) === "Uint8Array", toBytes],
  array: ["a host array { data, shape }", isHostArray, toArray, expectFull],
  arrays: ["a list of host arrays", (v) => isList(v) && v.every(isHostArray), toList, expectAllFull],
  matrix: ["a matrix, a list of rows", (v) => isList(v) && v.every(isNumbers)],
  affine: ["a 4×4 matrix, a list of rows", isMatrix],
  volume: ["a volume { data, shape, affine }", isVolume, toArray, expectFull],
  volumes: ["a list of volumes", (v) => isList(v) && v.every(isVolume), toList, expectAllFull],
  mesh: ["a mesh { vertices, triangles }", (v) => isValues(fieldsOf(v).vertices) && isValues(fieldsOf(v).triangles)],
  file: ["a file { name, blob }", isFile, toFile],
  files: ["a list of files { name, blob }", (v) => isList(v) && v.every(isFile), toFiles],
  dataset: [
    "a list of items or a dataset",
    (v) => isList(v) || (isObject(v) && "length" in v && typeof fieldsOf(v).get === "function"),
  ],
  transform: ["a transform or a function", isTransform, toInstance],
  instance: ["a transform", isInstance, toInstance],
  transforms: [
    "a list of transforms",
    (v) => isList(v) && v.every(isInstance),
    (v) => (isList(v) ? toInstance(v.find((t) => !isInstance(t))) : toList(v)),
  ],
  steps: [
    "a list of transforms",
    (v) => isList(v) && v.every(isTransform),
    (v) => (isList(v) ? toInstance(v.find((t) => !isTransform(t))) : toList(v)),
  ],
  spread: ["a number or a list of numbers", (v) => typeof v === "number" || isNumbers(v)],
  random: ["a source of random numbers such as new RandomState(0)", (v) => typeof fieldsOf(v).randint === "function"],
  sizes: [
    "a number or a list of numbers",
    (v) => typeof v === "number" || (isList(v) && v.every((n) => n === null || typeof n === "number")),
  ],
  pairs: ["a number, or a list of numbers and pairs", isPairs],
  names: ["a text or a list of texts", (v) => typeof v === "string" || (isList(v) && v.every((t) => typeof t === "string"))],
  map: ["a Map", (v) => v instanceof Map],
  // What is written into images, or compared with them: of transforms, NaN too.
  voxel: ["a number", (v) => typeof v === "number"],
  voxels: ["a number, or a list of numbers and pairs", isPairs],
} as const satisfies Readonly<Record<string, Row>>;

/** What an argument must be; with a question mark it may be left out. */
export type Kind = keyof typeof rows | `${keyof typeof rows}?`;

/** What came, in a few words. */
export function described(value: unknown): string {
  if (value === undefined || value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "string") return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  if (typeof value === "function" && isClass(value)) return `the class ${value.name}`;
  if (typeof value !== "object") return `a ${typeof value}`;
  if (isNumbers(value)) return "a list of numbers";
  if (isList(value)) return "a list";
  if ("data" in value && "shape" in value && value.constructor === Object) return "a host array";
  const name = value.constructor?.name ?? "Object";
  return name === "Object" ? "an object" : `a ${name}`;
}

/**
 * `expectArguments("spline", "numbers", { size, spacing })` throws `ConfigError` for the first that is of another kind, `ShapeError` for arrays that do not
 * fill their shape, and `DTypeError` for 64-bit integers.
 */
export function expectArguments(op: string, kind: Kind, values: Readonly<Record<string, unknown>>): void {
  const optional = kind.endsWith("?");
  const [words, is, advice, sound]: Row = rows[(optional ? kind.slice(0, -1) : kind) as keyof typeof rows];
  for (const [name, value] of Object.entries(values)) {
    if (optional && value === undefined) continue;
    if (!is(value)) refused(op, name, words, value, advice?.(value));
    sound?.(op, name, value);
  }
}

/** `expectKinds("cropAndPad", { array: { x }, numbers: { start, size } })`: `expectArguments` for arguments of several kinds. */
export function expectKinds(op: string, kinds: { readonly [K in Kind]?: Readonly<Record<string, unknown>> }): void {
  for (const [kind, values] of Object.entries(kinds)) expectArguments(op, kind as Kind, values);
}

/** As `expectArguments`, for a record that a function takes apart, and for its fields. */
export function expectFields(op: string, name: string, value: unknown, fields: Readonly<Record<string, Kind>>): void {
  expectArguments(op, "object", { [name]: value });
  for (const [key, kind] of Object.entries(fields)) {
    expectArguments(op, kind, { [`${name}.${key}`]: (value as Readonly<Record<string, unknown>>)[key] });
  }
}

/** The error of an argument that is not what it must be. */
export function refused(op: string, name: string, words: string, value: unknown, advice?: string): never {
  const help = advice ?? (isClass(value) ? `make one: new ${value.name}(…)` : undefined);
  throw new ConfigError(`${op}: ${name} must be ${words}, got ${described(value)}${help === undefined ? "" : `; ${help}`}`);
}

/** Throws `ConfigError` unless all that is given are of this class; `words` say what it is. */
export function expectInstance(
  op: string,
  kind: abstract new (...args: never[]) => unknown,
  words: string,
  values: Readonly<Record<string, unknown>>,
): void {
  for (const [name, value] of Object.entries(values)) if (!(value instanceof kind)) refused(op, name, words, value);
}

/** As `expectFields`, for each of a list of records. */
export function expectItems(op: string, name: string, items: unknown, fields: Readonly<Record<string, Kind>> = {}): void {
  expectArguments(op, "objects", { [name]: items });
  (items as readonly unknown[]).forEach((item, i) => expectFields(op, `${name}[${i}]`, item, fields));
}
