/** @file Cases of one PyTorch operation: the results, and the gradients of Σ out · wave(1, 0.53, 1, 0) for the inputs that a case names. */
import { type Device, type DType, grad, mul, scope, sum, type Tensor } from "../../src/index.ts";
import type { HostArray } from "../../src/host/array.ts";
import { type Adapter, type Case, UnknownOption, wave } from "./format.ts";
import { camel } from "../lib/names.ts";
import { device } from "./device.ts";

export type Tensors = Readonly<Record<string, Tensor>>;
/** `out`, or what the case calls its results; `list` has the inputs in the case's order. */
type Forward = (
  inputs: Tensors,
  options: any,
  device: Device,
  list: readonly Tensor[],
) => Tensor | { readonly out: Tensor; readonly [name: string]: Tensor };

/** Arguments of a case and voxgrad's names of them, where those are not the same in camelCase. `null`: tells about the case, not an option. */
export type Names = Readonly<Record<string, string | null>>;

export interface OperationOptions {
  /** Lists among the arguments that are inputs too. */
  readonly vectors?: readonly string[];
  /** Gradients are of Σ out. */
  readonly plain?: boolean;
  /** Inputs that the operation changes and the case asks for. */
  readonly changes?: readonly string[];
}

const isArray = (v: any): v is HostArray => ArrayBuffer.isView(v?.data);
const isList = (v: unknown): v is number[] => Array.isArray(v) && v.length > 0 && v.flat(Infinity).every(Number.isFinite);

/** A list where the case has an array. */
const plainValue = (v: any): any => (isArray(v) ? (v.shape.length === 0 ? v.data[0] : Array.from(v.data as Float32Array)) : v);

/** Upstream's options under voxgrad's names; None is an option left out. Throws `UnknownOption` for one that is not among `names`. */
export function optionsOf(op: string, args: Case["args"], names: Names): Record<string, any> {
  const result: Record<string, any> = {};
  for (const [key, value] of Object.entries(args)) {
    if (!(key in names)) throw new UnknownOption(key, op);
    const name = names[key];
    if (name !== null && value !== null) result[name || camel(key)] = plainValue(value);
  }
  return result;
}

/** Option names of which nothing but the spelling changes. */
export const same = (...keys: readonly string[]): Names => Object.fromEntries(keys.map((k) => [k, ""]));

/** Options that tell about the case: what they say is in the shapes of its inputs, or changes no number. */
export const told = (...keys: readonly string[]): Names => Object.fromEntries(keys.map((k) => [k, null]));

function nested(list: any[]): HostArray {
  const shape: number[] = [];
  for (let v: any = list; Array.isArray(v); v = v[0]) shape.push(v.length);
  return { data: Float32Array.from(list.flat(Infinity) as number[]), shape };
}

const upload = (dev: Device, value: HostArray | number[]): Tensor => {
  const array = Array.isArray(value) ? nested(value) : value;
  const dtype: DType = array.data instanceof Int32Array ? "i32" : "f32";
  return dev.tensor(array, dtype);
};

/** Long and short names of the same input. */
const aliases = [
  ["input", "x"],
  ["weight", "w"],
  ["bias", "b"],
] as const;

function withAliases(tensors: Record<string, Tensor>): Tensors {
  const all = { ...tensors };
  for (const [long, short] of aliases) {
    if (long in tensors) all[short] ??= tensors[long];
    if (short in tensors) all[long] ??= tensors[short];
  }
  // The input of an operation that has one, whatever its name.
  const [first] = Object.values(tensors);
  if (first) {
    all.x ??= first;
    all.input ??= first;
  }
  return all;
}

const host = async (t: Tensor): Promise<HostArray> => ({ data: await t.data(), shape: t.shape });

const readAll = async (tensors: Tensors): Promise<Record<string, HostArray>> =>
  Object.fromEntries(await Promise.all(Object.entries(tensors).map(async ([name, t]) => [name, await host(t)] as const)));

/** What is a tensor of the operation, and what one of its options: lists among the inputs and `vectors` among the options are tensors. */
function sorted({ args, inputs }: Case, vectors: readonly string[]) {
  const tensors: Record<string, HostArray | number[]> = {};
  const options: Record<string, unknown> = {};
  for (const [name, v] of Object.entries(inputs)) (isArray(v) || isList(v) ? tensors : options)[name] = v;
  for (const [name, v] of Object.entries(args)) {
    const several = isList(v) || (isArray(v) && v.shape.length > 0);
    if (vectors.includes(name) && several) tensors[name] = v;
    else if (!(vectors.includes(name) && v === null)) options[name] = v;
  }
  return { tensors, options };
}

/** Names that case files give to the one result. */
const results = ["output", "y", "result", "value", "values", "loss"];

/** An adapter that runs `forward` and answers with what the case asks for. */
export function operation(names: Names, forward: Forward, settings: OperationOptions = {}): Adapter {
  const { vectors = [], plain = false, changes = [] } = settings;
  return async (test) => {
    const { op, expected } = test;
    const given = sorted(test, vectors);
    const options = optionsOf(op, given.options, names);
    const dev = await device();
    const { grads, ...outcome } = scope(() => {
      const tensors: Record<string, Tensor> = Object.fromEntries(
        Object.entries(given.tensors).map(([name, value]) => [name, upload(dev, value)]),
      );
      const all = withAliases(tensors);
      const wanted = Object.keys(expected?.grads ?? {});
      for (const name of wanted) all[name].requiresGrad = true;
      const answer = forward(all, options, dev, Object.values(tensors));
      const { out, ...others } = "dtype" in answer ? { out: answer as Tensor } : answer;
      const probe = () => dev.tensor(wave({ shape: [...out.shape], a: 1, b: 0.53, c: 1, d: 0 }));
      const gradients =
        wanted.length > 0
          ? grad(
              sum(plain ? out : mul(out, probe())),
              wanted.map((name) => all[name]),
            )
          : [];
      const changed = Object.fromEntries(changes.flatMap((name) => (tensors[name] ? [[name, tensors[name]]] : [])));
      return { out, ...others, ...changed, grads: Object.fromEntries(wanted.map((name, i) => [name, gradients[i]])) };
    });
    const read = await readAll(outcome as Tensors);
    if (Array.isArray(expected)) return Object.values(read);
    const asked = typeof expected === "object" && expected !== null && !isArray(expected) && !expected.error;
    if (!asked) return read.out; // the case is the bare result
    const other = results.find((name) => name in expected && !(name in read));
    return { ...read, ...(other && !("out" in expected) && { [other]: read.out }), grads: await readAll(grads) };
  };
}
