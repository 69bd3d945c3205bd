/** @file Kinds of arguments: plain JavaScript hands over anything, and a bare TypeError from deep inside tells nobody which argument was meant. */

import { ConfigError } from "./errors.ts";

type Row = readonly [words: string, is: (value: unknown) => boolean];

const isObject = (v: unknown): v is object => typeof v === "object" && v !== null;
const isList = (v: unknown): v is readonly unknown[] => Array.isArray(v);
const isNumbers = (v: unknown): boolean => isList(v) && v.every((n) => typeof n === "number");
const isArray = (v: unknown): v is object => isObject(v) && "data" in v && isValues(v.data) && "shape" in v && isNumbers(v.shape);
const isValues = (v: unknown): boolean => ArrayBuffer.isView(v) && !(v instanceof DataView);

const rows = {
  number: ["a number", (v) => typeof v === "number"],
  boolean: ["true or false", (v) => typeof v === "boolean"],
  text: ["a text", (v) => typeof v === "string"],
  function: ["a function", (v) => typeof v === "function"],
  object: ["an object", (v) => isObject(v) && !isList(v) && !ArrayBuffer.isView(v)],
  list: ["a list", isList],
  numbers: ["a list of numbers", isNumbers],
  texts: ["a list of texts", (v) => isList(v) && v.every((t) => typeof t === "string")],
  objects: ["a list of objects", (v) => isList(v) && v.every(isObject)],
  values: ["a typed array", isValues],
  bytes: ["a Uint8Array", (v) => v instanceof Uint8Array],
  array: ["a host array { data, shape }", isArray],
  volume: ["a volume, such as readImage or makeVolume gives", (v) => isArray(v) && "affine" in v && "meta" in v],
  size: ["a number, or a list of one per axis", (v) => typeof v === "number" || isNumbers(v)],
  map: ["a Map", (v) => v instanceof Map],
} as const satisfies Readonly<Record<string, Row>>;

/** What an argument must be; with a question mark it may be left out. */
export type Kind = keyof typeof rows | `${keyof typeof rows}?`;

/** Whether it is a class, which only `new` can call. */
export const isClass = (value: unknown): value is { readonly name: string } =>
  typeof value === "function" && Function.prototype.toString.call(value).startsWith("class");

/** What came, in a few words. */
export function described(value: unknown): string {
  if (value === undefined || value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "string") return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  if (isClass(value)) return `the class ${value.name}; make one with new ${value.name}(…)`;
  if (typeof value !== "object") return `a ${typeof value}`;
  if (rows.numbers[1](value) || isValues(value)) return "a list of numbers";
  if (isList(value)) return "a list";
  if ("data" in value && "shape" in value && value.constructor === Object) return "a host array";
  const name = value.constructor?.name ?? "Object";
  return name === "Object" ? "an object" : `a ${name}`;
}

/** `expectArguments("spline", "numbers", { size, spacing })` throws `ConfigError` for the first that is of another kind. */
export function expectArguments(op: string, kind: Kind, values: Readonly<Record<string, unknown>>): void {
  const optional = kind.endsWith("?");
  const [words, is] = rows[(optional ? kind.slice(0, -1) : kind) as keyof typeof rows];
  for (const [name, value] of Object.entries(values)) {
    if (!(is as (v: unknown) => boolean)(value) && !(optional && value === undefined)) refused(op, name, words, value);
  }
}

/** As `expectArguments`, for a record that a function takes apart, and for its fields. */
export function expectFields(op: string, name: string, value: unknown, fields: Readonly<Record<string, Kind>>): void {
  expectArguments(op, "object", { [name]: value });
  for (const [key, kind] of Object.entries(fields)) {
    expectArguments(op, kind, { [`${name}.${key}`]: (value as Readonly<Record<string, unknown>>)[key] });
  }
}

/** The error of an argument that is not what it must be. */
export function refused(op: string, name: string, words: string, value: unknown): never {
  throw new ConfigError(`${op}: ${name} must be ${words}, got ${described(value)}`);
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

/** `expectOptionKinds("SGD", options, { "boolean?": "nesterov maximize" })`: as `expectFields`, for many options of few kinds. */
export function expectOptionKinds(op: string, options: unknown, kinds: Readonly<Partial<Record<Kind, string>>>): void {
  // Whether there are any is for others to say.
  if (!isObject(options)) return;
  for (const [kind, names] of Object.entries(kinds)) {
    for (const name of names.split(" ")) {
      const value = (options as Readonly<Record<string, unknown>>)[name];
      if (value !== undefined) expectArguments(op, kind as Kind, { [`options.${name}`]: value });
    }
  }
}
