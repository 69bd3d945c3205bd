/** @file Operations of the user's own: WGSL that describes itself, a rule for the shape, and how gradients flow back. */

import { type DType, sizeOf } from "../host/array.ts";
import { ConfigError } from "../host/errors.ts";
import { expectNames } from "../host/options.ts";
import { expectShape, type Shape } from "../host/shape.ts";
import { expectTensors } from "../kernels/lib/args.ts";
import { type KernelRun, type KernelValues, type OwnKernel, ownKernel, type Workgroups } from "../kernels/lib/own_kernel.ts";
import { eachPiece } from "../kernels/lib/pieces.ts";
import { read, write } from "../tensor/kernel.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32 } from "./precision.ts";
import { noGrad, record } from "./tape.ts";
import { expectArguments } from "../host/kinds.ts";

export type { KernelRun, KernelValues, Workgroups };

/** Tensors or shapes by the names of the inputs, `K`. */
export type ByName<T, K extends string = string> = Readonly<Record<K, T>>;

/** Runs one of the kernels of an operation, by its name. `kernel` is its key in `kernels`, or the one kernel there is. */
export type RunKernel = (kernel: string, call: KernelRun) => void;

/** What flows back through an operation. */
export interface OpBackward<A, K extends string = string> {
  /** Gradient of the loss with respect to the result, of its shape and type. */
  readonly dy: Tensor;
  /** What the forward pass was given, by name, of the shapes it had there. */
  readonly inputs: ByName<Tensor, K>;
  /** What the forward pass gave; of the shape that `shape` tells. */
  readonly result: Tensor;
  /** Arguments of the call that stand behind its tensors. */
  readonly args: A;
  /** Inputs whose gradients are wanted; others may be left out. */
  readonly needs: ReadonlySet<string>;
  /** Runs a kernel of the operation, for gradients that WGSL computes. */
  readonly run: RunKernel;
}

/**
 * What all operations of one's own have. `A` is the record of arguments that stands behind the tensors in a call, if any; `K` are the names of its inputs, for
 * programs checked with `noUncheckedIndexedAccess`.
 */
export interface OpDefinition<A, K extends string = string> {
  /** Letters, digits and underscores. Pipelines, profiles, errors and ONNX know the operation as `own.<name>`. */
  readonly name: string;
  /**
   * Shape of the result from the shapes of the inputs, by their names. Throw `ShapeError` for what does not fit. `args` are the arguments behind the
   * tensors.
   */
  readonly shape: (shapes: ByName<Shape, K>, args: A) => Shape;
  /**
   * Gradients of the inputs by name, each of the shape and type of its input; an input that is left out has none. It may use any operation: nothing is
   * recorded, and temporaries are freed. Without it a gradient through the operation is a `ConfigError`; `() => ({})` says that there is none.
   */
  readonly backward?: (call: OpBackward<A, K>) => Partial<ByName<Tensor, NoInfer<K>>>;
  /** Floating-point operations of the forward pass, for `summary`, from `shapes` and `args` as `shape` has them; default 0. */
  readonly flops?: (shapes: ByName<Shape, K>, args: A) => number;
}

/** An operation of one dispatch. The inputs are what the WGSL binds as `read`, in its order; the result is the one `read_write`. */
export interface OneKernelOp<A, K extends string = string> extends OpDefinition<A, K> {
  /** A compute shader with the entry point `main`; see `defineOp` for what is read of it. */
  readonly wgsl: string;
  /** What the WGSL asks for by name, from the shapes of inputs and result: uniform words, overrides, constants in capitals. `args` as in `shape`. */
  readonly values?: (shapes: ByName<Shape, K>, args: A) => KernelValues;
  /** Default: a thread for each element of the result. `args` as in `shape`. */
  readonly workgroups?: (shapes: ByName<Shape, K>, args: A) => Workgroups;
  /** Whether all tensors share the first axis and its rows are independent: tensors over the binding limit then run in pieces. Default false. */
  readonly splits?: boolean;
}

/** An operation of several dispatches. */
export interface KernelsOp<A, K extends string = string> extends OpDefinition<A, K> {
  /** WGSL by name; pipelines are called `own.<operation>.<kernel>`. */
  readonly kernels: Readonly<Record<string, string>>;
  /** Names of the inputs, in the order of a call. */
  readonly inputs: readonly NoInfer<K>[];
  /**
   * Fills `result` with the kernels; temporaries made by `device.empty` are freed behind it. It is given `inputs` by name, the empty `result` of the shape
   * that `shape` tells, the arguments `args` and `run`, which runs a kernel by its name.
   */
  readonly forward: (call: {
    readonly inputs: ByName<Tensor, K>;
    readonly result: Tensor;
    readonly args: A;
    readonly run: RunKernel;
  }) => void;
  /** Element type of the result; default that of the first input. */
  readonly dtype?: DType;
  /** Whether the kernels take f16 tensors, as arrays of `E`; by default f16 inputs are cast to f32. */
  readonly half?: boolean;
}

/**
 * What `defineOp` gives: a function of the inputs in order, then the arguments if there are any. Shapes are those that the definition's `shape` takes and
 * tells.
 */
export type OwnOp<A> = (...call: A extends undefined ? Tensor[] : [...inputs: Tensor[], args: A]) => Tensor;

const common = "name shape backward flops";

/** How the two kinds differ. */
interface Body<A> {
  readonly inputs: readonly string[];
  readonly run: RunKernel;
  /** Types, as the kernels take them. */
  take(tensors: ByName<Tensor>): ByName<Tensor>;
  forward(inputs: ByName<Tensor>, shape: Shape, args: A): Tensor;
}

/**
 * An operation of one's own, with the same standing as voxgrad's: it runs eagerly and in `capture` with planned memory, on the tape, under `profile`,
 * `summary`, mixed precision and ONNX export (`ownOps`).
 *
 *     const softsign = defineOp({
 *       name: "softsign",
 *       shape: ({ x }) => x,
 *       wgsl: `
 *         @group(0) @binding(1) var<storage, read> x: array<E>;
 *         @group(0) @binding(2) var<storage, read_write> y: array<E>;
 *         @compute @workgroup_size(64)
 *         fn main(@builtin(global_invocation_id) at: vec3u, @builtin(num_workgroups) groups: vec3u) {
 *           let i = at.y * groups.x * 64u + at.x;
 *           if (i < arrayLength(&y)) { y[i] = x[i] / (1 + abs(x[i])); }
 *         }`,
 *       backward: ({ dy, inputs: { x } }) => ({ x: div(dy, square(add(abs(x), 1))) }),
 *     });
 *     const y = softsign(device.tensor({ data: [-1, 2], shape: [2] }));
 *
 * The WGSL describes itself: bindings 1, 2, … are storage arrays, read or read_write; binding 0, if there is one, is a uniform struct whose words are given by
 * name (`values`), as are `override`s and names in capitals that nobody declares (`const TILE = 8u;` stands before the text). Arrays of `E`
 * hold f32 or f16, as the tensors are; a text without `E` gets f16 inputs as f32. `// uses lib/grid` brings `linear_group`. More than 65,535 workgroups lie
 * in rows along y, which the text has to unfold, as above.
 *
 * @throws ConfigError for WGSL that cannot be read, with its line, for a name that was taken by other WGSL, and for options that are not known; calls throw
 *   `DTypeError`, `ShapeError` and `ConfigError` as all operations do. What the device does not compile is a `WebGPUError` with the numbered text
 */
export function defineOp<A = undefined, K extends string = string>(definition: OneKernelOp<A, K> | KernelsOp<A, K>): OwnOp<A> {
  expectArguments("defineOp", "object", { definition });
  return operation(definition as OneKernelOp<A> | KernelsOp<A>);
}

function operation<A>(definition: OneKernelOp<A> | KernelsOp<A>): OwnOp<A> {
  const several = "kernels" in definition;
  expectNames(
    "defineOp",
    definition,
    several ? `${common} kernels inputs forward dtype half` : `${common} wgsl values workgroups splits`,
  );
  const { name, shape, backward, flops } = definition;
  if (!/^[A-Za-z]\w*$/.test(name)) {
    throw new ConfigError(`defineOp: the name must be letters, digits and underscores, got ${JSON.stringify(name)}`);
  }
  if (typeof shape !== "function")
    throw new ConfigError(`defineOp: ${name} needs \`shape\`, a function that gives the shape of the result`);
  const op = `own.${name}`;
  const body = several ? severalKernels(op, definition) : oneKernel(op, definition);
  const names = body.inputs;
  return (...call) => {
    const given = call.slice(0, names.length) as Tensor[];
    const args = call[names.length] as A;
    if (call.length > names.length + 1) {
      throw new ConfigError(`${op}: ${call.length} arguments, expected ${names.join(", ")} and perhaps a record of arguments`);
    }
    const inputs = body.take(named(names, given));
    const shapes = shapesOf(inputs);
    const size = shape(shapes, args);
    expectShape(op, size);
    const result = noGrad(() => scope(() => body.forward(inputs, size, args)));
    const flow = (dy: Tensor, needs: readonly boolean[]) => {
      if (!backward) throw new ConfigError(`grad: ${op} has no gradient: give defineOp \`backward\``);
      const wanted = new Set(names.filter((_, i) => needs[i]));
      const gradients = backward({ dy, inputs, result, args, needs: wanted, run: body.run }) as ByName<Tensor>;
      expectNames(`${op}: backward`, gradients, names);
      // The tape frees what it is given, so what is not the operation's to give away goes as a view.
      const kept = new Set([...Object.values(inputs), result]);
      return names.map((key) => (kept.has(gradients[key]) ? gradients[key].view(gradients[key].shape) : gradients[key]));
    };
    const rest = (args ?? {}) as Readonly<Record<string, unknown>>;
    return record(
      op,
      names.map((key) => inputs[key]),
      result,
      flow,
      rest,
      flops?.(shapes, args) ?? 0,
    );
  };
}

const named = <T>(names: readonly string[], values: readonly T[]): ByName<T> =>
  Object.fromEntries(names.map((key, i) => [key, values[i]]));

const shapesOf = (tensors: ByName<Tensor>): ByName<Shape> =>
  Object.fromEntries(Object.entries(tensors).map(([key, t]) => [key, t.shape]));

function oneKernel<A>(op: string, { wgsl, values, workgroups, splits = false }: OneKernelOp<A>): Body<A> {
  if (typeof wgsl !== "string")
    throw new ConfigError(`defineOp: ${op} needs \`wgsl\`, or \`kernels\` with \`inputs\` and \`forward\``);
  const kernel = ownKernel(op, wgsl, expectOneResult);
  const inputs = kernel.names("read");
  const [target] = kernel.names("read_write");
  const run = (tensors: ByName<Tensor>, result: Tensor, args: A): void => {
    const shapes = { ...shapesOf(tensors), [target]: result.shape };
    const groups = workgroups?.(shapes, args);
    kernel.run({
      read: tensors,
      write: { [target]: result },
      values: values?.(shapes, args) ?? {},
      ...(groups !== undefined && { workgroups: groups }),
    });
  };
  return {
    inputs,
    run: (name, call) => {
      if (name !== op && name !== "wgsl")
        throw new ConfigError(`${op}: there is no kernel ${JSON.stringify(name)}; give \`kernels\` to have several`);
      kernel.run(call);
    },
    take: (tensors) => taken(op, kernel, tensors),
    forward(tensors, shape, args) {
      const { device } = tensors[inputs[0]];
      const result = device.empty(shape, resultType(op, kernel, target, tensors));
      if (sizeOf(shape) === 0) return result;
      if (!splits) run(tensors, result, args);
      else {
        const bindings = [...inputs.map((key) => read(tensors[key])), write(result)];
        eachPiece(op, 1, bindings, (parts) => run(named(inputs, parts), parts.at(-1)!, args));
      }
      return result;
    },
  };
}

function expectOneResult(kernel: OwnKernel): void {
  const [inputs, results] = [kernel.names("read").length, kernel.names("read_write").length];
  if (inputs > 0 && results === 1) return;
  throw new ConfigError(
    `defineOp: the WGSL of ${kernel.name} reads ${inputs} and writes ${results} arrays; \`wgsl\` is for at least one input and one result, \`kernels\` for the rest`,
  );
}

// Inputs alive, on one device, and of the types that the WGSL says.
function taken(op: string, kernel: OwnKernel, tensors: ByName<Tensor>): ByName<Tensor> {
  for (const [key, t] of Object.entries(tensors)) expectTensors(op, { [key]: t }, t?.dtype);
  expectOneDevice(op, tensors);
  return Object.fromEntries(
    Object.entries(tensors).map(([key, t]) => {
      const element = kernel.element(key);
      return [key, element === "E" || element === "f16" ? t : float32(t)];
    }),
  );
}

function resultType(op: string, kernel: OwnKernel, target: string, tensors: ByName<Tensor>): DType {
  const element = kernel.element(target);
  if (element === undefined)
    throw new ConfigError(`${op}: the type of the result does not follow from ${kernel.about.types[target]}; use \`kernels\``);
  if (element !== "E") return element;
  return Object.entries(tensors).some(([key, t]) => kernel.element(key) === "E" && t.dtype === "f16") ? "f16" : "f32";
}

function expectOneDevice(op: string, tensors: ByName<Tensor>): void {
  const [first, ...others] = Object.values(tensors);
  if (others.some((t) => t.device !== first.device)) throw new ConfigError(`${op}: the inputs are on different devices`);
}

function severalKernels<A>(op: string, definition: KernelsOp<A>): Body<A> {
  const { inputs, forward, dtype, half = false } = definition;
  if (!Array.isArray(inputs) || inputs.length === 0 || typeof forward !== "function") {
    throw new ConfigError(`defineOp: ${op} with \`kernels\` needs \`inputs\`, their names, and \`forward\``);
  }
  const kernels = new Map(Object.entries(definition.kernels).map(([key, wgsl]) => [key, ownKernel(`${op}.${key}`, wgsl)]));
  const run: RunKernel = (name, call) => {
    const kernel = kernels.get(name);
    if (!kernel)
      throw new ConfigError(`${op}: there is no kernel ${JSON.stringify(name)}; known are ${[...kernels.keys()].join(", ")}`);
    kernel.run(call);
  };
  return {
    inputs,
    run,
    take(tensors) {
      for (const [key, t] of Object.entries(tensors)) expectTensors(op, { [key]: t }, t?.dtype);
      expectOneDevice(op, tensors);
      return half ? tensors : Object.fromEntries(Object.entries(tensors).map(([key, t]) => [key, float32(t)]));
    },
    forward(tensors, shape, args) {
      const first = tensors[inputs[0]];
      const result = first.device.empty(shape, dtype ?? first.dtype);
      if (result.size > 0) forward({ inputs: tensors, result, args, run });
      return result;
    },
  };
}
