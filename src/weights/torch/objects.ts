/**
 * @file What the names in a PyTorch checkpoint mean: storages, tensors, and the plain data that training scripts keep beside them. This is the
 * whole whitelist; see `callable` for what becomes of other names.
 */
import { sizeOf, viewOf } from "../../host/array.ts";
import { type ElementName, elements, elementsBy } from "../../host/elements.ts";
import type { ElementType } from "../elements.ts";
import type { Fail } from "../../host/bytes/budget.ts";
import { PickledGlobal, PickledObject, type PickleHost } from "./pickle_values.ts";

/** A tensor as the pickle describes it: a strided view of a storage. Nothing of it is checked or read yet. */
export class TensorRef {
  readonly storage: StorageRef;
  readonly dtype: string;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];

  constructor(storage: StorageRef, dtype: string, offset: number, shape: readonly number[], stride: readonly number[]) {
    this.storage = storage;
    this.dtype = dtype;
    this.offset = offset;
    this.shape = shape;
    this.stride = stride;
  }
}

/** A storage as the pickle describes it; `bytes` if they lie in the pickle itself, as those of NumPy arrays do. */
export class StorageRef {
  readonly key: string;
  /** An `ElementType`, or the name of a type that is not supported. */
  readonly dtype: string;
  /** Elements; bytes of an untyped storage. */
  readonly length: number;
  /** First element, of a legacy view of a larger storage. */
  readonly start: number;
  readonly bytes: Uint8Array | undefined;
  readonly bigEndian: boolean;

  constructor(
    key: string,
    dtype: string,
    length: number,
    more: { start?: number; bytes?: Uint8Array; bigEndian?: boolean } = {},
  ) {
    this.key = key;
    this.dtype = dtype;
    this.length = length;
    this.start = more.start ?? 0;
    this.bytes = more.bytes;
    this.bigEndian = more.bigEndian ?? false;
  }
}

const byStorage = elementsBy("storage");
const byDtype = elementsBy("numpy");
const byNumpy = elementsBy("short");
const typeOf = (name: ElementName | undefined): ElementType | undefined => name && elements[name].safetensors;

const untyped = "untyped";

/** Persistent ids and callables of a checkpoint. */
export function torchHost(fail: Fail): PickleHost {
  return {
    persistent: (id) => persistent(id, fail),
    call: (name, args) => (Object.hasOwn(calls, name) ? calls[name](args, fail) : callable(name, args)),
    build(object, state) {
      if (object instanceof TensorRef) return true; // attributes of a Python subclass
      if (!(object instanceof Unfilled)) return false;
      object.array = numpyArray(state, fail);
      return true;
    },
  };
}

/** `('storage', type, key, location, length[, view])`, or `('module', class, …)` of a pickled module. */
function persistent(id: unknown, fail: Fail): unknown {
  const [kind, type, key, , length, view] = Array.isArray(id) ? (id as unknown[]) : [];
  if (kind === "module" && type instanceof PickledGlobal) return type;
  if (kind !== "storage" || !(type instanceof PickledGlobal) || !isText(key) || !isCount(length))
    throw fail("a persistent id is no storage");
  const name = type.name.split(".").at(-1)!;
  const dtype = typeOf(byStorage.get(name)) ?? (name.endsWith("UntypedStorage") ? untyped : name);
  if (!Array.isArray(view)) return new StorageRef(String(key), dtype, length);
  const [, start, size] = view as unknown[];
  if (!isCount(start) || !isCount(size) || start + size > length) throw fail(`storage ${key}: the view of it lies outside`);
  return new StorageRef(String(key), dtype, length, { start });
}

const isText = (v: unknown): v is string | number => typeof v === "string" || typeof v === "number";
const isCount = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;
// PyTorch's own limit on axes; without one, many tensors could share one endless shape.
const isCounts = (v: unknown): v is number[] => Array.isArray(v) && v.length <= 64 && v.every(isCount);

type Call = (args: readonly unknown[], fail: Fail) => unknown;

function rebuildTensor(args: readonly unknown[], fail: Fail, dtype?: unknown, metadata?: unknown): TensorRef {
  const [storage, offset, shape, stride] = args;
  if (!(storage instanceof StorageRef)) throw fail("a tensor has no storage");
  if (!isCount(offset) || !isCounts(shape) || !isCounts(stride) || shape.length !== stride.length)
    throw fail("a tensor's offset, shape and strides are damaged");
  // A lazily negated or conjugated view: its bytes are not its values.
  const lazy = metadata instanceof Map && metadata.size <= 16 && [...metadata.values()].some((v) => v === true);
  const name = dtype instanceof PickledGlobal ? dtype.name.replace(/^torch\./, "") : undefined;
  const own = name === undefined ? storage.dtype : (typeOf(byDtype.get(name)) ?? name);
  return new TensorRef(storage, lazy ? `${own} (negated view)` : own, offset + storage.start, shape, stride);
}

/** An array that NumPy makes first and fills by BUILD. */
class Unfilled {
  array: TensorRef | undefined;
}

/** The tensor that a value is; undefined if it is none. */
export function asTensor(value: unknown): TensorRef | undefined {
  if (value instanceof TensorRef) return value;
  return value instanceof Unfilled ? value.array : undefined;
}

/** `(version, shape, dtype, fortran order, bytes)`; undefined for arrays of objects, texts or records. */
function numpyArray(state: unknown, fail: Fail): TensorRef | undefined {
  const [, shape, type, fortran, bytes] = Array.isArray(state) ? (state as unknown[]) : [];
  const { dtype, bigEndian } = numpyType(type);
  if (!isCounts(shape) || !(bytes instanceof Uint8Array) || dtype === undefined) return undefined;
  const axes = fortran ? shape.map((_, i) => i) : shape.map((_, i) => shape.length - 1 - i);
  const stride: number[] = [];
  let step = 1;
  for (const axis of axes) {
    stride[axis] = step;
    step *= shape[axis];
  }
  if (!Number.isSafeInteger(step)) throw fail("a NumPy array's shape is damaged");
  return new TensorRef(new StorageRef("numpy", dtype, sizeOf(shape), { bytes, bigEndian }), dtype, 0, shape, stride);
}

/** Element type and byte order of a pickled `numpy.dtype`. */
function numpyType(type: unknown): { dtype: ElementType | undefined; bigEndian: boolean } {
  const isType = type instanceof PickledObject && type.type === "numpy.dtype";
  const name = isType ? type.args[0] : undefined;
  const order = isType && Array.isArray(type.state) ? (type.state as unknown[])[1] : "<";
  return { dtype: typeOf(byNumpy.get(name)), bigEndian: order === ">" };
}

/** `numpy.float64(0.5)` and the like as numbers. */
function numpyScalar([type, bytes]: readonly unknown[]): unknown {
  const { dtype, bigEndian } = numpyType(type);
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) return new PickledObject("numpy.scalar", []);
  const view = viewOf(bytes);
  if (dtype === "F64" && bytes.length === 8) return view.getFloat64(0, !bigEndian);
  if (dtype === "F32" && bytes.length === 4) return view.getFloat32(0, !bigEndian);
  if (dtype === "I64" && bytes.length === 8) return Number(view.getBigInt64(0, !bigEndian));
  if (dtype === "I32" && bytes.length === 4) return view.getInt32(0, !bigEndian);
  if (dtype === "BOOL") return bytes[0] !== 0;
  return new PickledObject("numpy.scalar", []);
}

const inert =
  (name: string): Call =>
  (args) =>
    new PickledObject(name, args);

const mapOf: Call = ([pairs]) =>
  new Map(Array.isArray(pairs) ? (pairs as unknown[]).filter((p): p is [unknown, unknown] => Array.isArray(p)) : []);

const listOf: Call = ([items = []]) => (Array.isArray(items) ? items.slice() : []);

/** Makes a tensor subclass's tensor: `(function, type, args, state)` or `(type, function …)` of known functions alone. */
const rebuildFromType: Call = ([rebuild, , args], fail) => {
  if (!(rebuild instanceof PickledGlobal) || !Array.isArray(args)) throw fail("a tensor subclass is damaged");
  const call =
    rebuild.name.startsWith("torch._utils._rebuild_") && Object.hasOwn(calls, rebuild.name) ? calls[rebuild.name] : undefined;
  return call?.(args, fail);
};

// What is called with a meaning. All of it makes plain values.
const calls: Readonly<Record<string, Call>> = {
  "collections.OrderedDict": mapOf,
  "collections.defaultdict": () => new Map(),
  "collections.Counter": ([items]) => (items instanceof Map ? items : new Map()),
  "builtins.dict": mapOf,
  "builtins.list": listOf,
  "builtins.tuple": listOf,
  "builtins.set": listOf,
  "builtins.frozenset": listOf,
  "collections.deque": listOf,
  "torch.Size": listOf,
  "torch._utils._rebuild_tensor": (args, fail) => rebuildTensor(args, fail),
  "torch._utils._rebuild_tensor_v2": (args, fail) => rebuildTensor(args, fail, undefined, args[6]),
  "torch._utils._rebuild_tensor_v3": (args, fail) => rebuildTensor(args, fail, args[6], args[7]),
  "torch._utils._rebuild_parameter": ([data]) => data ?? null,
  "torch._utils._rebuild_parameter_with_state": ([data]) => data ?? null,
  "torch._utils._rebuild_device_tensor_from_numpy": ([data]) => data ?? null,
  "torch._tensor._rebuild_from_type_v2": rebuildFromType,
  "torch._tensor._rebuild_from_type": ([rebuild, type, ...rest], fail) => rebuildFromType([rebuild, type, ...rest], fail),
  "numpy.core.multiarray._reconstruct": () => new Unfilled(),
  "numpy._core.multiarray._reconstruct": () => new Unfilled(),
  "numpy.core.multiarray.scalar": numpyScalar,
  "numpy._core.multiarray.scalar": numpyScalar,
  "_codecs.encode": ([text]) => (typeof text === "string" ? Uint8Array.from(text, (c) => c.charCodeAt(0)) : new Uint8Array(0)),
  // Objects of Python's library that scripts keep: carried along, not made.
  "numpy.dtype": inert("numpy.dtype"),
  "copyreg._reconstructor": ([type]) => (type instanceof PickledGlobal ? new PickledObject(type.name, []) : undefined),
  "builtins.object": inert("builtins.object"),
  "builtins.slice": inert("builtins.slice"),
  "builtins.range": inert("builtins.range"),
  "builtins.xrange": inert("builtins.range"), // Python 2's name, which protocol 2 writes
  "builtins.complex": inert("builtins.complex"),
  "builtins.bytearray": inert("builtins.bytearray"),
  "datetime.datetime": inert("datetime.datetime"),
  "datetime.date": inert("datetime.date"),
  "datetime.timedelta": inert("datetime.timedelta"),
  "types.SimpleNamespace": inert("types.SimpleNamespace"),
  "torch.device": inert("torch.device"),
  "torch._utils._rebuild_sparse_tensor": inert("a sparse tensor"),
  "torch._utils._rebuild_qtensor": inert("a quantized tensor"),
  "torch._utils._rebuild_meta_tensor_no_storage": inert("a tensor without values"),
  "torch._utils._rebuild_nested_tensor": inert("a nested tensor"),
  "torch._utils._rebuild_wrapper_subclass": inert("a wrapped tensor"),
  "torch.storage._load_from_bytes": inert("a storage inside the pickle"),
  "torch.serialization._get_layout": inert("torch.layout"),
  "torch.random.get_rng_state": inert("random state"),
  "numpy.random.bit_generator.__pyx_unpickle_SeedSequence": inert("random state"),
  ...Object.fromEntries(
    ["__randomstate_ctor", "__generator_ctor", "__bit_generator_ctor"].map((n) => [
      `numpy.random._pickle.${n}`,
      inert("random state"),
    ]),
  ),
  ...Object.fromEntries(
    ["build_intlist", "build_doublelist", "build_boollist", "build_tensorlist", "restore_type_tag"].map((n) => [
      `torch.jit._pickle.${n}`,
      ([value]: readonly unknown[]) => value ?? null,
    ]),
  ),
};

// Modules of Python through which a call reaches the system, the interpreter or other code.
const reaching =
  /^(_?posix|nt|os|sys|_?io|builtins|subprocess|_posixsubprocess|shutil|socket|importlib|_?imp|runpy|pty|commands|popen2|ctypes|_ctypes|code|codeop|pickle|_?pickle|marshal|types|functools|operator|_operator|webbrowser|asyncio|multiprocessing|threading|_thread|signal|tempfile|timeit|pdb|bdb|cProfile|profile|trace|platform|site|zipimport|ensurepip|pip|setuptools|distutils|doctest|unittest|test|idlelib|urllib|http|ftplib|smtplib|telnetlib|xmlrpc|nturl2path|turtle|venv|pydoc|inspect|gc|atexit|sched|concurrent|torch\.hub|torch\.jit|torch\.utils\.cpp_extension|numpy\.testing|numpy\.f2py)(\.|$)/;

/**
 * Any other callable. A class by its name, of a module that cannot reach the system, is carried along as an inert record: enums and paths among
 * the options of a run. A function, or anything of a module that can, is refused wherever it stands.
 */
function callable(name: string, args: readonly unknown[]): unknown {
  const last = name.split(".").at(-1)!;
  return /^_*[A-Z]/.test(last) && !reaching.test(name) ? new PickledObject(name, args) : undefined;
}
