/** @file Cases of one PyTorch operation: the results, and the gradients of Σ out · wave(1, 0.53, 1, 0) for the inputs that a case names. */
import { type Device, type DType, grad, mul, scope, sum, type Tensor } from "../../src/index.ts";
import type { HostArray } from "../../src/host/array.ts";
import { type Adapter, type Case, NotCovered, wave } from "./format.ts";
import { camel } from "../lib/names.ts";
import { device } from "./device.ts";

export type Tensors = Readonly<Record<string, Tensor>>;
/** `out`, or what the case calls its results. */
type Forward = (
  inputs: Tensors,
  options: any,
  device: Device,
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

/** A list where the case has an array. */
const plainValue = (v: any): any =>
  ArrayBuffer.isView(v?.data) ? (v.shape.length === 0 ? v.data[0] : Array.from(v.data as Float32Array)) : v;

/** Upstream's options under voxgrad's names; None is an option left out. Throws `NotCovered` for one that is not among `names`. */
export function optionsOf(args: Case["args"], names: Names): Record<string, any> {
  const result: Record<string, any> = {};
  for (const [key, value] of Object.entries(args)) {
    if (!(key in names)) throw new NotCovered(`option ${key}`);
    const name = names[key];
    if (name !== null && value !== null) result[name || camel(key)] = plainValue(value);
  }
  return result;
}

/** Option names of which nothing but the spelling changes. */
export const same = (...keys: readonly string[]): Names => Object.fromEntries(keys.map((k) => [k, ""]));

const upload = (dev: Device, value: HostArray | number[]): Tensor => {
  const array = Array.isArray(value) ? { data: Float32Array.from(value), shape: [value.length] } : value;
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
  return all;
}

const host = async (t: Tensor): Promise<HostArray> => ({ data: await t.data(), shape: t.shape });

const readAll = async (tensors: Tensors): Promise<Record<string, HostArray>> =>
  Object.fromEntries(await Promise.all(Object.entries(tensors).map(async ([name, t]) => [name, await host(t)] as const)));

/** An adapter that runs `forward` and answers with what the case asks for. */
export function operation(names: Names, forward: Forward, settings: OperationOptions = {}): Adapter {
  const { vectors = [], plain = false, changes = [] } = settings;
  return async ({ args, inputs, expected }) => {
    const given = { ...inputs, ...Object.fromEntries(vectors.flatMap((k) => (args[k] ? [[k, args[k]]] : []))) };
    const options = optionsOf(Object.fromEntries(Object.entries(args).filter(([k]) => !vectors.includes(k))), names);
    const dev = await device();
    const { grads, ...results } = scope(() => {
      const tensors: Record<string, Tensor> = Object.fromEntries(
        Object.entries<HostArray | number[]>(given).map(([name, value]) => [name, upload(dev, value)]),
      );
      const wanted = Object.keys(expected?.grads ?? {});
      for (const name of wanted) tensors[name].requiresGrad = true;
      const answer = forward(withAliases(tensors), options, dev);
      const { out, ...others } = "dtype" in answer ? { out: answer as Tensor } : answer;
      const probe = () => dev.tensor(wave({ shape: [...out.shape], a: 1, b: 0.53, c: 1, d: 0 }));
      const gradients =
        wanted.length > 0
          ? grad(
              sum(plain ? out : mul(out, probe())),
              wanted.map((name) => tensors[name]),
            )
          : [];
      const changed = Object.fromEntries(changes.flatMap((name) => (tensors[name] ? [[name, tensors[name]]] : [])));
      return { out, ...others, ...changed, grads: Object.fromEntries(wanted.map((name, i) => [name, gradients[i]])) };
    });
    const read = await readAll(results as Tensors);
    if (!("out" in (expected ?? {})) && !expected?.error) return read.out; // the case is the bare result
    return { ...read, grads: await readAll(grads) };
  };
}
