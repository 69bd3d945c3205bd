/**
 * @file Single samples over the binding limit. A kernel that is independent along an axis inside, such as the positions of all channels, runs once per
 * range of that axis. Its tensors are cut there into copies, because what belongs together lies apart; where nothing is before the axis, into views.
 */

import type { Binding } from "../../tensor/kernel.ts";
import { stridesOf } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { bindable, eachPiece, fits, rows, tooLarge } from "./pieces.ts";
import { gather, scatter } from "./strided.ts";

/** How tensors are seen: `[samples, any number, length, rest]`. */
export interface Axis {
  /** Default 1. */
  readonly samples?: number;
  /** Of the axis that may be cut. */
  readonly length: number;
  /** Elements behind it. Default 1. */
  readonly rest?: number;
}

/** What tensors are a part of: all positions of some samples, or some of one. */
export interface Part {
  /** The first sample, and how many there are. */
  readonly sample: number;
  readonly samples: number;
  /** The first place along the axis, and how many there are. */
  readonly start: number;
  readonly length: number;
}

// Ranges of so many places leave the slabs of a sum where they are without a limit, and so its bits; of 64, at least the starts of bindings.
const even = [16384, 64];

/**
 * Runs `body` on parts of the tensors of `bindings`, which are seen as `axis` tells: on all of it if that can be bound, else on some samples, else on ranges
 * of one. A tensor of too few elements is the same for all samples. If one place is too large, `deeper` has the sample, or that is a `TensorTooLargeError`.
 */
export function eachPart(
  op: string,
  { samples = 1, length, rest = 1 }: Axis,
  bindings: readonly Binding<Tensor>[],
  body: (tensors: readonly Tensor[], part: Part) => void,
  deeper?: (tensors: readonly Tensor[], sample: number) => void,
): void {
  const given = bindings.map((b) => b.tensor);
  if (fits(...given)) return body(given, { sample: 0, samples, start: 0, length });
  const own = given.map((t) => t.size >= samples * length * rest);
  const views = given.map((t, i) => t.view(own[i] ? [samples, t.size / samples] : [1, t.size]));
  const all = (cut: readonly Tensor[]) => {
    const next = cut.values();
    return views.map((t, i) => (own[i] ? next.next().value! : t));
  };
  eachPiece(
    op,
    1,
    bindings.map(({ access }, i) => ({ tensor: views[i], access })).filter((_, i) => own[i]),
    (cut, sample) => body(all(cut), { sample, samples: cut[0].shape[0], start: 0, length }),
    (cut, sample) => {
      const one = all(cut).map((tensor, i) => ({ tensor, access: bindings[i].access }));
      const step = placesPerRange(one, length);
      if (step < 1 && !deeper) throw tooLarge(op, given.toSorted((a, b) => b.bytes - a.bytes)[0]);
      if (step < 1) return deeper!(all(cut), sample);
      for (let start = 0; start < length; start += step) {
        const count = Math.min(step, length - start);
        const ranges = one.map((b) => range(op, b, length, rest, start, count));
        body(
          ranges.map((r) => r.tensor),
          { sample, samples: 1, start, length: count },
        );
        for (const r of ranges) r.done();
      }
    },
  );
  for (const t of views) t.dispose();
}

function placesPerRange(bindings: readonly Binding<Tensor>[], length: number): number {
  const most = Math.min(...bindings.map(({ tensor: t }) => Math.floor(t.device.maxBindingSize / (t.bytes / length))));
  return most - (most % (even.find((n) => n <= most) ?? 1));
}

// `count` places of a sample from `start` on; `done` writes them back.
function range(
  op: string,
  { tensor, access }: Binding<Tensor>,
  length: number,
  rest: number,
  start: number,
  count: number,
): { tensor: Tensor; done: () => void } {
  const outer = tensor.size / (length * rest);
  const view = tensor.view([outer, length, rest]);
  if (outer === 1) {
    const line = view.view([length, rest]);
    const cut = bindable(rows(line, start, count), access);
    for (const t of [view, line]) t.dispose();
    return cut;
  }
  const strides = stridesOf(view.shape);
  const shape = [outer, count, rest];
  const part = access === "write" ? tensor.device.empty(shape, tensor.dtype) : gather(op, view, shape, strides, start * rest);
  const done = () => {
    if (access !== "read") scatter(op, part, view, strides, start * rest);
    for (const t of [part, view]) t.dispose();
  };
  return { tensor: part, done };
}
