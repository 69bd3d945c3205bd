/**
 * @file Resampling along one axis: from which inputs, with which weights, an output is made; as torch.nn.functional.interpolate has it. Only
 * the rules that hold wherever the arithmetic runs are here. How an output's position follows from sizes or factors differs in the last bit between
 * libraries, and stays with those who follow one.
 */

/** An input and its weight. */
export type Tap = readonly [index: number, weight: number];

/** The window of an adaptive average, inputs ⌊o·from/to⌋ … ⌈(o+1)·from/to⌉ − 1; each has the weight 1 / count. */
export function areaWindow(o: number, from: number, to: number): { readonly start: number; readonly count: number } {
  const start = Math.floor((o * from) / to);
  return { start, count: Math.ceil(((o + 1) * from) / to) - start };
}

/** Input ⌊o·scale⌋, or ⌊(o + ½)·scale⌋ with `exact`; in float32 as in PyTorch, where that rounding decides. */
export function nearestIndex(o: number, from: number, scale: number, exact: boolean): number {
  return Math.min(Math.floor(Math.fround((exact ? o + 0.5 : o) * Math.fround(scale))), from - 1);
}

/** Position of an output when the centers of the corner elements stay in place. */
export const cornerPosition = (o: number, from: number, to: number): number => (to > 1 ? (o * (from - 1)) / (to - 1) : 0);

/** The two neighbors of a position, which is held inside the axis. */
export function linearTaps(position: number, from: number): Tap[] {
  const at = Math.min(from - 1, Math.max(0, position));
  const low = Math.floor(at);
  return [
    [low, 1 - (at - low)],
    [low + 1, at - low],
  ];
}

/** Cubic convolution (Keys 1981) at distance `d` from an element; PyTorch's and ONNX's `a` is −0.75. */
export function cubicWeight(d: number, a = -0.75): number {
  const x = Math.abs(d);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/** The four neighbors of a position; beyond the ends the border element is repeated, so that an index may come more than once. */
export function cubicTaps(position: number, from: number): Tap[] {
  const low = Math.floor(position);
  return [-1, 0, 1, 2].map((k) => [Math.min(from - 1, Math.max(0, low + k)), cubicWeight(position - low - k)]);
}
