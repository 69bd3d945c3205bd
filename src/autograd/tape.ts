/**
 * @file The tape. An operation computes its result with kernels and notes how gradients flow back; `grad` walks the notes from a loss. A
 * note lives in the result tensor's `origin`, so the graph is garbage as soon as its tensors are.
 */

import { ConfigError, ShapeError } from "../host/errors.ts";
import { Ambient } from "../tensor/modes.ts";
import { keep, scope } from "../tensor/scope.ts";
import { sameShape, showShape } from "../host/shape.ts";
import { inputsFirst } from "../host/topological.ts";
import { cut, type Tensor } from "../tensor/tensor.ts";
import { asOf, now } from "../tensor/versions.ts";
import { binary } from "../kernels/pointwise.ts";
import { full } from "../kernels/view.ts";
import { expectKind, expectTensorList } from "../tensor/kind.ts";

/**
 * Gradients of the inputs from the gradient of the result. `needs[i]` tells whether input i's is wanted; others may be undefined. `sofar(i)` is what other
 * operations gave to input i's: who asks for it returns the sum, which saves a pass over both.
 */
export type Backward = (
  dy: Tensor,
  needs: readonly boolean[],
  sofar: (input: number) => Tensor | undefined,
) => readonly (Tensor | undefined)[];

interface Note {
  readonly op: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly backward: Backward;
  /** When it was taken: what `backward` reads must not have been written since. */
  readonly at: number;
}

const recording = new Ambient(true);

/** Runs `fn`, which must be synchronous, without noting gradients: for evaluation and for updates of parameters. Throws `ConfigError`. */
export function noGrad<T>(fn: () => T): T {
  return recording.with("noGrad", false, fn);
}

/** Runs `fn` with the tape on or off. */
export function withRecording<T>(on: boolean, fn: () => T): T {
  return recording.with("withRecording", on, fn);
}

/** The arguments of an operation that are no inputs of its note: numbers, options, and tensors without a gradient such as indices. */
export type Arguments = Readonly<Record<string, unknown>>;

/** Told of each operation, its inputs, its result, its other arguments and, of matrix products and convolutions, twice its multiply-adds. */
export type Observer = (
  op: string,
  inputs: readonly (Tensor | undefined)[],
  result: Tensor,
  args: Arguments,
  flops: number,
) => void;

let observer: Observer | undefined;

/** Runs `fn` telling `watch` of its operations, whether the tape is on or off. */
export function observing<T>(watch: Observer, fn: () => T): T {
  const before = observer;
  observer = watch;
  try {
    return fn();
  } finally {
    observer = before;
  }
}

/** Whether somebody watches: operations that do the work of two are then two. */
export const observed = (): boolean => observer !== undefined;

/** Tells the observer of an operation without a gradient. Returns `result`. */
export function report(op: string, inputs: readonly (Tensor | undefined)[], result: Tensor, args: Arguments = {}): Tensor {
  observer?.(op, inputs, result, args, 0);
  return result;
}

/** Runs `fn`, which is made of other operations, as one for the observer. */
export function composite(op: string, inputs: readonly (Tensor | undefined)[], args: Arguments, fn: () => Tensor): Tensor {
  return report(
    op,
    inputs,
    observing(() => {}, fn),
    args,
  );
}

const tracks = (t: Tensor | undefined): boolean => t !== undefined && (t.requiresGrad || t.origin !== undefined);

/** Whether `record` would note something for these inputs. */
export const noted = (inputs: readonly (Tensor | undefined)[]): boolean => recording.value && inputs.some(tracks);

/** Notes how `result` came from `inputs`, if any of them leads to a parameter; `args` and `flops` are for observers. Returns `result`. */
export function record(
  op: string,
  inputs: readonly (Tensor | undefined)[],
  result: Tensor,
  backward: Backward,
  args: Arguments = {},
  flops = 0,
): Tensor {
  observer?.(op, inputs, result, args, flops);
  if (noted(inputs)) result.origin = { op, inputs, backward, at: now() } satisfies Note;
  return result;
}

const inputsOf = ({ origin }: Tensor): Tensor[] =>
  ((origin as Note | undefined)?.inputs ?? []).filter((t): t is Tensor => t !== undefined && tracks(t));

// Results before inputs.
function order(loss: Tensor): Tensor[] {
  return inputsFirst([loss], inputsOf, () => new TypeError("a value cannot come of itself")).reverse();
}

/**
 * Gradients of a scalar `loss` with respect to `wrt`, in its order; each has the shape of its tensor. Throws `ShapeError` if the loss is not
 * one element, `ConfigError` if it does not depend on one of the tensors, or if a value on the way was disposed, or changed in place, since.
 */
export function grad<const W extends readonly Tensor[]>(loss: Tensor, wrt: W): { -readonly [K in keyof W]: Tensor } {
  expectKind("grad", { loss });
  expectTensorList("grad", "wrt", wrt);
  if (loss.size !== 1)
    throw new ShapeError(`grad: the loss must be one element, got shape ${showShape(loss.shape)}; reduce it with mean or sum`);
  return noGrad(() =>
    scope(() =>
      backpropagate(loss, full(loss.device, loss.shape, 1), wrt).map((g, i) => {
        if (g) return g;
        const why = wrt[i].requiresGrad
          ? "set requiresGrad before the forward pass, keep it outside noGrad, and leave out what the pass does not use; gradients have none themselves"
          : "its requiresGrad is off: set it before the forward pass, or leave frozen parameters out of the optimizer";
        throw new ConfigError(`grad: the loss does not depend on tensor ${i} of shape ${showShape(wrt[i].shape)}; ${why}`);
      }),
    ),
  ) as { -readonly [K in keyof W]: Tensor };
}

/**
 * Gradients of Σ root · seed with respect to `wrt`; undefined where `root` does not depend on a tensor. Takes over `seed`. To be called
 * with the tape off and inside a scope.
 */
export function backpropagate(root: Tensor, seed: Tensor, wrt: readonly Tensor[]): (Tensor | undefined)[] {
  const gradients = new Map<Tensor, Tensor>([[root, seed]]);
  const wanted = new Set(wrt);
  const nodes = order(root);
  // What led to a disposed tensor may be any of `wrt` but those that came of it.
  const later = nodes.some((t) => t.origin === cut) ? wrt.map((w) => new Set(order(w))) : [];
  const hides = (t: Tensor): boolean => t.origin === cut && later.some((list) => !list.has(t));
  // Only tensors on a way from `wrt` to the root need a gradient.
  const useful = new Set<Tensor>();
  for (const t of nodes.toReversed()) {
    if (wanted.has(t) || hides(t) || inputsOf(t).some((i) => useful.has(i))) useful.add(t);
  }
  for (const t of nodes) {
    const note = t.origin as Note | undefined;
    const dy = gradients.get(t);
    if (!note || !dy || !useful.has(t)) continue;
    // Without its note the gradient of whatever it came of would silently lack a part.
    if (note === cut) {
      throw new ConfigError(
        `grad: the loss was computed from a tensor ${showShape(t.shape)} that has been disposed since, by \`dispose\` or at the end of the scope it was ` +
          "made in, so what it came of is not known; call grad before that, return it from the scope, or `detach` it if no gradient is to flow",
      );
    }
    const needs = note.inputs.map((i) => i !== undefined && useful.has(i));
    if (!needs.includes(true)) continue;
    const taken = new Set<number>();
    const sofar = (i: number): Tensor | undefined => {
      taken.add(i);
      return gradients.get(note.inputs[i]!);
    };
    const parts = asOf(note.at, note.op, () => note.backward(dy, needs, sofar));
    note.inputs.forEach((input, i) => {
      const part = parts[i];
      if (!input || !part || !needs[i]) return;
      if (!sameShape(part.shape, input.shape) || part.dtype !== input.dtype) {
        throw new ShapeError(
          `grad of ${note.op}: input ${i} is ${input.dtype} ${showShape(input.shape)}, its gradient ${part.dtype} ${showShape(part.shape)}`,
        );
      }
      const sum = gradients.get(input);
      // Each entry is a tensor of its own, so that one may be disposed while another still shares its memory.
      gradients.set(input, sum && !taken.has(i) ? binary("add", sum, part) : part.view(part.shape));
      sum?.dispose();
    });
    // An addition hands dy itself on; it may be wanted.
    for (const part of parts) if (part !== dy) part?.dispose();
    if (!wanted.has(t)) {
      gradients.delete(t);
      dy.dispose();
    }
  }
  return wrt.map((t) => gradients.get(t));
}

/** Marks a tensor of any shape as a parameter: it outlives scopes and gradients may be asked for it. */
export function parameter(t: Tensor): Tensor {
  expectKind("parameter", { t });
  t.requiresGrad = true;
  return keep(t);
}
