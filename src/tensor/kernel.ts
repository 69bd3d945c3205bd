/** @file What a kernel wrapper hands to a stream: a pure description of one dispatch. */

import type { Shape } from "../host/shape.ts";
import type { Storage } from "./buffers.ts";

/** A compiled-once shader: assembled WGSL and override values under a readable key. */
export interface Program {
  /** Cache key, GPU label, profile row and error prefix, e.g. `conv.gather tp8 tc16`. */
  readonly key: string;
  readonly code: string;
  readonly overrides?: Readonly<Record<string, number>>;
}

export type Access = "read" | "write" | "readwrite";

/** Device memory with a shape: what a stream needs to know of a tensor. */
export interface Bound {
  /** The device it lives on, if it is a tensor. */
  readonly device?: object;
  readonly storage: Storage;
  readonly byteOffset: number;
  readonly bytes: number;
  readonly shape: Shape;
}

export interface Binding<T extends Bound = Bound> {
  readonly tensor: T;
  readonly access: Access;
}

/** One 32-bit word of the uniform block: an integer, or `{ f32 }` for a float. */
export type Param = number | { readonly f32: number };

export interface KernelCall {
  readonly program: Program;
  /** Storage bindings 1, 2, … in order; binding 0 is the uniform block. */
  readonly bindings: readonly Binding[];
  /** Words of the uniform block at binding 0, in the order of the shader's struct; absent if the shader declares none. */
  readonly params?: readonly Param[];
  readonly workgroups: readonly [number, number, number];
}

export const read = <T extends Bound>(tensor: T): Binding<T> => ({ tensor, access: "read" });
export const write = <T extends Bound>(tensor: T): Binding<T> => ({ tensor, access: "write" });
export const update = <T extends Bound>(tensor: T): Binding<T> => ({ tensor, access: "readwrite" });

const maxParams = 64; // streams keep 256 bytes for each call

/** Writes the uniform words of a call at byte `offset` of `view`. Throws `RangeError` above 64 words. */
export function writeParams(view: DataView, offset: number, params: readonly Param[]): void {
  if (params.length > maxParams) throw new RangeError(`${params.length} uniform words, at most ${maxParams} fit`);
  for (const p of params) {
    if (typeof p === "number") view.setInt32(offset, p | 0, true);
    else view.setFloat32(offset, p.f32, true);
    offset += 4;
  }
}
