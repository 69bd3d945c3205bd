/**
 * @file Convolutions of tensors over the binding limit, as several smaller ones: over samples, groups, output channels, input channels (whose
 * contributions add up) and, for a single channel too large to bind, slabs of its first axis with the rows their taps reach.
 */

import { read, update } from "../tensor/kernel.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ConvGeometry } from "./conv_shape.ts";
import { bindable, eachPiece, fits, rows, tooLarge } from "./pieces.ts";
import { binary } from "./pointwise.ts";
import { concat, slice } from "./view.ts";

/** One run of the gather kernel: `y` from `x`, or added to what `y` holds. */
export interface Gather {
  readonly g: ConvGeometry;
  readonly transposed: boolean;
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly y: Tensor;
  readonly relu: boolean;
  readonly accumulate: boolean;
}

// Elements start … start + count of one axis.
const cut = (t: Tensor, axis: number, start: number, count: number): Tensor =>
  slice(
    t,
    t.shape.map((size, i) => (i === axis ? { start, count, step: 1 } : { start: 0, count: size, step: 1 })),
  );

/** `t` as `[1, …]` without its first axis, which has one element, and with the next one in its place. */
const inner = (t: Tensor, ...lead: number[]): Tensor => t.view([...lead, t.size / lead.reduce((a, b) => a * b, 1)]);

const channelsOf = (g: ConvGeometry, transposed: boolean): [input: number, output: number] =>
  transposed ? [g.smallChannels, g.largeChannels] : [g.largeChannels, g.smallChannels];

/** The geometry of a slab: `large` and `small` rows of `axis`, and the padding before them. */
function withSlab(g: ConvGeometry, axis: number, large: number, small: number, padding: number): ConvGeometry {
  const put = (t: ConvGeometry["large"], value: number) => t.with(axis, value) as unknown as ConvGeometry["large"];
  return { ...g, large: put(g.large, large), small: put(g.small, small), padding: put(g.padding, padding) };
}

const withChannels = (g: ConvGeometry, transposed: boolean, input: number, output: number): ConvGeometry =>
  transposed ? { ...g, smallChannels: input, largeChannels: output } : { ...g, smallChannels: output, largeChannels: input };

/** Runs `job`, in parts if its tensors cannot be bound. Throws `TensorTooLargeError` if a slab of one row is too large. */
export function gatherParts(job: Gather, run: (job: Gather) => void): void {
  const { g, transposed, x, y, weight, bias, relu, accumulate } = job;
  if (fits(x, y)) return run(job);
  const again = (part: Partial<Gather>) => gatherParts({ ...job, ...part }, run);
  const [inputs, outputs] = channelsOf(g, transposed);
  const [inAxis, outAxis] = transposed ? [0, 1] : [1, 0]; // of the weight
  if (g.samples > 1) {
    const one = ([x, y]: readonly Tensor[]) => again({ x, y, g: { ...g, samples: x.shape[0] } });
    eachPiece("conv", 1, [read(x), update(y)], one, one);
  } else if (g.groups > 1) {
    const [byGroup, toGroup] = [inner(x, g.groups), inner(y, g.groups)];
    const one = ([x, y]: readonly Tensor[], start: number) => {
      const groups = x.shape[0];
      const share = (n: number) => n / g.groups;
      const w = cut(weight, 0, start * share(weight.shape[0]), groups * share(weight.shape[0]));
      const b = bias && cut(bias, 0, start * share(outputs), groups * share(outputs));
      again({
        x,
        y,
        weight: w,
        bias: b,
        g: { ...withChannels(g, transposed, groups * share(inputs), groups * share(outputs)), groups },
      });
      w.dispose();
      b?.dispose();
    };
    eachPiece("conv", 1, [read(byGroup), update(toGroup)], one, one);
    byGroup.dispose();
    toGroup.dispose();
  } else if (outputs > 1 && (!fits(y) || inputs === 1)) {
    const flat = inner(y, outputs);
    const one = ([y]: readonly Tensor[], start: number) => {
      const w = cut(weight, outAxis, start, y.shape[0]);
      const b = bias && cut(bias, 0, start, y.shape[0]);
      again({ y, weight: w, bias: b, g: withChannels(g, transposed, inputs, y.shape[0]) });
      w.dispose();
      b?.dispose();
    };
    if (fits(y)) for (let c = 0; c < outputs; c++) withRow(flat, c, (row) => one([row], c));
    else eachPiece("conv", 1, [update(flat)], one, one);
    flat.dispose();
  } else if (inputs > 1) {
    const flat = inner(x, inputs);
    const one = ([x]: readonly Tensor[], start: number) => {
      const count = x.shape[0];
      const w = cut(weight, inAxis, start, count);
      const last = start + count === inputs;
      again({
        x,
        weight: w,
        bias: start === 0 ? bias : undefined,
        relu: relu && last,
        accumulate: accumulate || start > 0,
        g: withChannels(g, transposed, count, outputs),
      });
      w.dispose();
    };
    if (fits(x)) for (let c = 0; c < inputs; c++) withRow(flat, c, (row) => one([row], c));
    else eachPiece("conv", 1, [read(flat)], one, one);
    flat.dispose();
  } else slabs(job, run);
}

// Row by row: another tensor of the same job has to be split further.
function withRow(t: Tensor, at: number, body: (row: Tensor) => void): void {
  const { tensor, done } = bindable(rows(t, at, 1), "readwrite");
  body(tensor);
  done();
}

// One channel to one channel of one sample, along the first axis that is longer than 1.
function slabs(job: Gather, run: (job: Gather) => void): void {
  const { g, transposed, x, y } = job;
  const axis = [0, 1, 2].find((i) => g.large[i] > 1 || g.small[i] > 1) ?? 2;
  const [input, output] = transposed ? [g.small[axis], g.large[axis]] : [g.large[axis], g.small[axis]];
  const [from, to] = [inner(x, input), inner(y, output)];
  const limit = x.device.maxBindingSize;
  const rule = transposed ? g.stride[axis] : 1; // phases begin anew at multiples of the stride
  let step = Math.floor((limit * output) / to.bytes / rule) * rule;
  const reach = (start: number, count: number) => slabReach(g, transposed, axis, input, start, count);
  const tooTall = (count: number) => ((reach(Math.max(0, output - count) >> 1, count).count + 1) * from.bytes) / input > limit;
  while (step >= rule && tooTall(step)) step = Math.floor(step / 2 / rule) * rule;
  if (step < rule) throw tooLarge("conv", x.bytes > y.bytes ? x : y);
  for (let start = 0; start < output; start += step) {
    const count = Math.min(step, output - start);
    const near = reach(start, count);
    const source = bindable(rows(from, near.start, near.count), "read");
    const target = bindable(rows(to, start, count), "readwrite");
    const [large, small] = transposed ? [count, near.count] : [near.count, count];
    run({ ...job, x: source.tensor, y: target.tensor, g: withSlab(g, axis, large, small, near.padding) });
    source.done();
    target.done();
  }
  from.dispose();
  to.dispose();
}

// Input rows that outputs start … start + count see, and the padding as seen from the first of them; it may be negative.
function slabReach(g: ConvGeometry, transposed: boolean, axis: number, size: number, start: number, count: number) {
  const [s, d, p, k] = [g.stride[axis], g.dilation[axis], g.padding[axis], g.taps[axis]];
  const clamp = (v: number) => Math.min(size - 1, Math.max(0, v));
  const [low, high] = transposed
    ? [Math.floor((start + p - d * (k - 1)) / s), Math.floor((start + count - 1 + p) / s)]
    : [start * s - p, (start + count - 1) * s - p + d * (k - 1)];
  const first = clamp(low);
  const rest = { start: first, count: clamp(high) - first + 1 };
  return { ...rest, padding: transposed ? p + (start / s - first) * s : p + first - start * s };
}

type WeightGradient = (small: Tensor, large: Tensor, g: ConvGeometry, weightShape: Shape) => Tensor;

/** `run`, in parts if the tensors cannot be bound. */
export function weightGradientParts(
  small: Tensor,
  large: Tensor,
  g: ConvGeometry,
  weightShape: Shape,
  run: WeightGradient,
): Tensor {
  if (fits(small, large)) return run(small, large, g, weightShape);
  const again = (s: Tensor, l: Tensor, part: Partial<ConvGeometry>) => {
    const next = { ...g, ...part };
    return weightGradientParts(s, l, next, [next.smallChannels, next.largeChannels / next.groups, ...weightShape.slice(2)], run);
  };
  const parts: Tensor[] = [];
  if (g.samples > 1) {
    const one = ([s, l]: readonly Tensor[]) => parts.push(again(s, l, { samples: s.shape[0] }));
    eachPiece("conv", 1, [read(small), read(large)], one, one);
    return added(parts);
  }
  if (g.groups > 1) {
    const views = [inner(small, g.groups), inner(large, g.groups)];
    const one = ([s, l]: readonly Tensor[]) => {
      const groups = s.shape[0];
      const share = (n: number) => (groups * n) / g.groups;
      parts.push(again(s, l, { groups, smallChannels: share(g.smallChannels), largeChannels: share(g.largeChannels) }));
    };
    eachPiece("conv", 1, views.map(read), one, one);
    for (const v of views) v.dispose();
    return joined(parts, 0);
  }
  if (g.smallChannels > 1 && (!fits(small) || g.largeChannels === 1)) {
    const flat = inner(small, g.smallChannels);
    const one = ([s]: readonly Tensor[]) => parts.push(again(s, large, { smallChannels: s.shape[0] }));
    if (fits(small)) for (let c = 0; c < g.smallChannels; c++) withRow(flat, c, (row) => one([row]));
    else eachPiece("conv", 1, [read(flat)], one, one);
    flat.dispose();
    return joined(parts, 0);
  }
  if (g.largeChannels > 1) {
    const flat = inner(large, g.largeChannels);
    const one = ([l]: readonly Tensor[]) => parts.push(again(small, l, { largeChannels: l.shape[0] }));
    if (fits(large)) for (let c = 0; c < g.largeChannels; c++) withRow(flat, c, (row) => one([row]));
    else eachPiece("conv", 1, [read(flat)], one, one);
    flat.dispose();
    return joined(parts, 1);
  }
  return weightSlabs(small, large, g, weightShape, run);
}

function weightSlabs(small: Tensor, large: Tensor, g: ConvGeometry, weightShape: Shape, run: WeightGradient): Tensor {
  const axis = [0, 1, 2].find((i) => g.large[i] > 1 || g.small[i] > 1) ?? 2;
  const [from, to] = [inner(large, g.large[axis]), inner(small, g.small[axis])];
  const limit = small.device.maxBindingSize;
  const reach = (start: number, count: number) => slabReach(g, false, axis, g.large[axis], start, count);
  const tooTall = (count: number) =>
    ((reach(Math.max(0, g.small[axis] - count) >> 1, count).count + 1) * from.bytes) / g.large[axis] > limit;
  let step = Math.floor((limit * g.small[axis]) / to.bytes);
  while (step >= 1 && tooTall(step)) step = Math.floor(step / 2);
  if (step < 1) throw tooLarge("conv", small.bytes > large.bytes ? small : large);
  const parts: Tensor[] = [];
  for (let start = 0; start < g.small[axis]; start += step) {
    const count = Math.min(step, g.small[axis] - start);
    const near = reach(start, count);
    const [l, s] = [bindable(rows(from, near.start, near.count), "read"), bindable(rows(to, start, count), "read")];
    parts.push(run(s.tensor, l.tensor, withSlab(g, axis, near.count, count, near.padding), weightShape));
    s.done();
    l.done();
  }
  from.dispose();
  to.dispose();
  return added(parts);
}

function added(parts: readonly Tensor[]): Tensor {
  return parts.reduce((sum, part) => {
    const next = binary("add", sum, part);
    sum.dispose();
    part.dispose();
    return next;
  });
}

function joined(parts: readonly Tensor[], axis: 0 | 1): Tensor {
  const whole = concat(parts, axis);
  for (const part of parts) part.dispose();
  return whole;
}
