/** @file What a pickle holds beside plain data: names and objects that stand for nothing, and who decides what they mean. */

/** A name of a Python module, `module.name`: a class, a function or a constant. It stands for nothing. */
export class PickledGlobal {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** An object of a class that is not known here: what the file says about it, and nothing else. */
export class PickledObject {
  /** `module.name` of its class. */
  readonly type: string;
  readonly args: readonly unknown[];
  /** What `__setstate__` would be given. */
  state: unknown;
  /** Entries, if the class is a kind of dict. */
  items: Map<unknown, unknown> | undefined;

  constructor(type: string, args: readonly unknown[]) {
    this.type = type;
    this.args = args;
  }
}

/** Decides what the names and references of a pickle mean. */
export interface PickleHost {
  /** The value of a call, or undefined if the host does not know the callable. */
  call(name: string, args: readonly unknown[]): unknown;
  /** The value of a persistent id. */
  persistent(id: unknown): unknown;
  /** Takes the state of an object that `call` made. False if it knows nothing of it. */
  build(object: unknown, state: unknown): boolean;
}

/** A value and where the pickle ends. Lists and tuples are arrays, dicts are Maps, sets are arrays. */
export interface Unpickled {
  readonly value: unknown;
  readonly end: number;
}
