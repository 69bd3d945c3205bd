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

/** A binding that a kernel may write. */
export interface Written<T extends Bound = Bound> extends Binding<T> {
  readonly access: "write" | "readwrite";
}

export interface KernelCall {
  readonly program: Program;
  /** Storage bindings 1, 2, … in order; binding 0 is the uniform block. */
  readonly bindings: readonly Binding[];
  /** The uniform block at binding 0, at most 64 words; absent if the shader declares none. */
  readonly params?: Uint32Array<ArrayBuffer>;
  readonly workgroups: readonly [number, number, number];
  /** For each binding the word of the block, if there is one, that says how many elements its samples are apart: a plan may let them lie in larger ones. */
  readonly pitches?: readonly (number | undefined)[];
}

export const read = <T extends Bound>(tensor: T): Binding<T> => ({ tensor, access: "read" });
export const write = <T extends Bound>(tensor: T): Written<T> => ({ tensor, access: "write" });
export const update = <T extends Bound>(tensor: T): Written<T> => ({ tensor, access: "readwrite" });
