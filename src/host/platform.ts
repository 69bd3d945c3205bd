/**
 * @file Types of the platform as far as our declarations name them: those of the program that is compiled (TypeScript's DOM library, @types/node,
 * @webgpu/types), or unknown where it has none. Naming the globals themselves would make them errors there, and a dependency on @webgpu/types would
 * clash with the DOM library of TypeScript 6.
 */

/** The instances of a global class, if there is one. */
export type Global<Name extends string> = typeof globalThis extends { readonly [K in Name]: { prototype: infer T } }
  ? T
  : unknown;

export type AbortSignal = Global<"AbortSignal">;
export type Blob = Global<"Blob">;
export type FileSystemDirectoryHandle = Global<"FileSystemDirectoryHandle">;
export type MessagePort = Global<"MessagePort">;
export type URL = Global<"URL">;
