/** @file What stands beyond the ends of an axis: the position of a padded index, by the modes of numpy.pad. */

import { expectWord } from "./words.ts";

/**
 * "constant": a fill value; "edge": the border element, repeated; "reflect": mirrored at the middle of the border element; "symmetric": mirrored
 * at its outer face; "wrap": from the other end.
 */
export type EdgeMode = "constant" | "edge" | "reflect" | "symmetric" | "wrap";

/** The modes that PyTorch has, by its names; ours are those of NumPy and ONNX. */
export const torchEdges = {
  constant: "constant",
  reflect: "reflect",
  replicate: "edge",
  circular: "wrap",
} as const satisfies Readonly<Record<string, EdgeMode>>;

/** The mode of a name among those that an operation takes. @throws ConfigError for another name */
export function edgeMode<N extends string>(op: string, option: string, name: N, names: Readonly<Record<N, EdgeMode>>): EdgeMode {
  expectWord(op, option, name, names);
  return names[name];
}

const modulo = (i: number, n: number): number => ((i % n) + n) % n;

/** The position in an axis of `size` elements that position `i` of its extension shows; −1 for a fill value, and for any of an empty axis. */
export function edgeIndex(mode: EdgeMode, i: number, size: number): number {
  if (i >= 0 && i < size) return i;
  if (size === 0) return -1;
  switch (mode) {
    case "constant":
      return -1;
    case "edge":
      return i < 0 ? 0 : size - 1;
    case "wrap":
      return modulo(i, size);
    case "symmetric": {
      const at = modulo(i, 2 * size);
      return at < size ? at : 2 * size - 1 - at;
    }
    case "reflect": {
      if (size === 1) return 0;
      const at = modulo(i, 2 * (size - 1));
      return at < size ? at : 2 * (size - 1) - at;
    }
  }
}

/** `edgeIndex` of every position from `start` on, `count` of them. */
export function edgeIndices(mode: EdgeMode, start: number, count: number, size: number): Int32Array {
  const out = new Int32Array(count);
  for (let k = 0; k < count; k++) out[k] = edgeIndex(mode, start + k, size);
  return out;
}
