/**
 * @file Reading PyTorch checkpoints: `torch.save`'s zip archives (1.6 and later, TorchScript too) and the stream of pickles before them. The
 * unpickler is a whitelist and executes nothing; every size is checked against the file, and memory stays within four times its size.
 */
import { expectArguments } from "../../host/kinds.ts";
import { sizeOf, type TypedArray } from "../../host/array.ts";
import { expectOptions } from "../../host/options.ts";
import { copyView } from "../../host/strided.ts";
import {
  decodeElements,
  ELEMENTS,
  type ElementType,
  InexactIntegerError,
  isElementType,
  type WeightTensor,
  widens,
} from "../elements.ts";
import { type Budget, type Fail, failing } from "../../host/bytes/budget.ts";
import { expectSomeRead, type SkippedEntry, type WeightsFile, weightsBudget } from "../file.ts";
import { unpickle } from "./pickle.ts";
import type { Unpickled } from "./pickle_values.ts";
import { findStateDict, type FoundState, withoutPrefixes } from "./state_dict.ts";
import { type StorageRef, type TensorRef, torchHost } from "./objects.ts";
import { isZip, readEntry, readZip } from "../../host/bytes/zip.ts";

/** Options of `readWeights`, `readTorch`. */
export interface ReadTorchOptions {
  /** What error messages call the file. */
  readonly source?: string;
  /** Path of names, joined by "/", to the state dict of a checkpoint that holds several. */
  readonly key?: string;
  /** Keep the prefixes `module.` and `_orig_mod.` of names; default false. */
  readonly keepPrefixes?: boolean;
}

// The first pickle of a legacy file, by `torch.serialization.MAGIC_NUMBER` and PROTOCOL_VERSION.
const legacyMagic = 0x1950a86a20f9469cfc6cn;
const legacyProtocol = 1001;

/** Whether the bytes look like a checkpoint of either kind. */
export const isTorch = (bytes: Uint8Array): boolean => isZip(bytes) || isLegacy(bytes);

// A pickle, and not the length of a safetensors header of 128, 384, … bytes.
const isLegacy = (bytes: Uint8Array): boolean => bytes[0] === 0x80 && bytes[1] <= 5 && bytes[2] >= 0x80;

/**
 * Reads the weights of a `.pt` or `.pth` file. `findStateDict` says where in it they are looked for.
 * @param bytes the whole file
 * @throws FormatError for a damaged or hostile file, one that needs code to be read, one without tensors, or a type that is not supported
 */
export async function readTorch(bytes: Uint8Array, options: ReadTorchOptions = {}): Promise<WeightsFile> {
  expectOptions("readTorch", options, "source:text key:text keepPrefixes:boolean");
  expectArguments("readTorch", "bytes", { bytes });
  const fail = failing(options.source ?? "checkpoint");
  const budget = weightsBudget(bytes.length, fail);
  if (!isZip(bytes) && !isLegacy(bytes)) throw fail("this is no PyTorch file; it is neither a zip archive nor a pickle");
  const { root, storages, format } = isZip(bytes) ? await openZip(bytes, budget, fail) : openLegacy(bytes, budget, fail);
  const found = findStateDict(root, options, budget, fail);
  const { tensors, skipped } = await materialize(found, storages, budget, fail);
  expectSomeRead(tensors, skipped, fail);
  return {
    format,
    tensors: options.keepPrefixes ? tensors : withoutPrefixes(tensors),
    metadata: plainEntries(root),
    skipped: [...found.skipped, ...skipped],
  };
}

/** The bytes of a storage, little-endian unless `bigEndian`; they are a part of the file unless they were `inflated`. */
type Storages = (
  storage: StorageRef,
) => Promise<{ readonly bytes: Uint8Array; readonly bigEndian: boolean; readonly inflated?: boolean }>;

interface Opened {
  readonly format: string;
  readonly root: unknown;
  readonly storages: Storages;
}

async function openZip(bytes: Uint8Array, budget: Budget, fail: Fail): Promise<Opened> {
  const entries = await readZip(bytes, fail);
  const main = [...entries.keys()].find((name) => /^([^/]+\/)?data\.pkl$/.test(name));
  if (main === undefined) throw fail("the zip archive has no data.pkl; it is not one of torch.save");
  const folder = main.slice(0, -"data.pkl".length);
  const pickle = await readEntry(entries.get(main)!, budget, fail);
  const root = unpickle(pickle, 0, torchHost(fail), budget, fail).value;
  const order = entries.get(`${folder}byteorder`);
  const bigEndian = order !== undefined && new TextDecoder().decode(await readEntry(order, budget, fail)) === "big";
  const storages: Storages = async ({ key }) => {
    const entry = entries.get(`${folder}data/${key}`);
    if (!entry) throw fail(`storage data/${key.slice(0, 40)} is missing`);
    const bytes = await readEntry(entry, budget, fail);
    return { bytes, bigEndian, inflated: bytes !== entry.packed };
  };
  return { format: [...entries.keys()].some((n) => n.startsWith(`${folder}code/`)) ? "TorchScript" : "PyTorch", root, storages };
}

function openLegacy(bytes: Uint8Array, budget: Budget, fail: Fail): Opened {
  // Storages are met in the pickle with their types, which say how long each is after it.
  const types = new Map<string, StorageRef>();
  const host = torchHost(fail);
  const noting = {
    ...host,
    persistent(id: unknown) {
      const value = host.persistent(id) as StorageRef;
      if (value.key !== undefined && !types.has(value.key)) types.set(value.key, value);
      return value;
    },
  };
  let at = 0;
  const next = (): unknown => {
    const { value, end }: Unpickled = unpickle(bytes, at, noting, budget, fail);
    at = end;
    return value;
  };
  if (next() !== legacyMagic) throw fail("this pickle is not one of torch.save; only PyTorch's are read");
  const version = next();
  if (version !== legacyProtocol) throw fail(`version ${String(version)} of the legacy format is not known`);
  next(); // sys_info: storages are little-endian on every system
  const root = next();
  const keys = next();
  if (!Array.isArray(keys)) throw fail("the list of storages is damaged");
  const parts = new Map<string, Uint8Array>();
  for (const key of keys.map(String)) {
    const type = types.get(key);
    const size = type && elementBytes(type.dtype);
    if (!type || size === undefined)
      throw fail(`storage ${key.slice(0, 40)} has an unknown type${type ? `, ${type.dtype}` : ""}`);
    const length =
      at + 8 <= bytes.length ? Number(new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigInt64(0, true)) : -1;
    if (length !== type.length)
      throw fail(`storage ${key} has ${length} elements instead of ${type.length}; the file is damaged or cut short`);
    at += 8;
    if (at + length * size > bytes.length) throw fail(`storage ${key} ends after the file, which is cut short`);
    if (parts.has(key)) throw fail(`storage ${key} is listed twice`);
    parts.set(key, bytes.subarray(at, (at += length * size)));
  }
  const storages: Storages = async ({ key }) => {
    const part = parts.get(key);
    if (!part) throw fail(`storage ${key.slice(0, 40)} is missing`);
    return { bytes: part, bigEndian: false };
  };
  return { format: "PyTorch (legacy)", root, storages };
}

/** Bytes per element, also of types that are only passed over. */
function elementBytes(dtype: string): number | undefined {
  if (Object.hasOwn(ELEMENTS, dtype)) return ELEMENTS[dtype as ElementType].bytes;
  return { untyped: 1, QUInt8Storage: 1, QInt8Storage: 1, QInt32Storage: 4, ComplexFloatStorage: 8, ComplexDoubleStorage: 16 }[
    dtype
  ];
}

async function materialize(
  found: FoundState,
  storages: Storages,
  budget: Budget,
  fail: Fail,
): Promise<Pick<WeightsFile, "tensors" | "skipped">> {
  const arrays = new Map<string, TypedArray | string>();
  const views = new Map<string, WeightTensor>();
  const numpy = new Map<Uint8Array, number>();
  const tensors = new Map<string, WeightTensor>();
  const skipped: SkippedEntry[] = [];
  for (const [name, ref] of found.tensors) {
    const { storage, shape, stride, offset, dtype } = ref;
    const failure: Fail = (problem) => fail(`tensor "${name.slice(0, 200)}": ${problem}`);
    const pass = (reason: string) => skipped.push({ name, dtype, shape, reason });
    if (!isElementType(dtype)) {
      pass(`its type ${dtype} is not supported; supported are ${Object.keys(ELEMENTS).join(", ")}`);
      continue;
    }
    // Arrays of NumPy have no key: the place of their bytes tells them apart.
    if (storage.bytes && !numpy.has(storage.bytes)) numpy.set(storage.bytes, numpy.size);
    const id = `${storage.bytes ? `numpy ${numpy.get(storage.bytes)}` : storage.key} ${dtype}`;
    let array = arrays.get(id);
    if (!array) arrays.set(id, (array = await readStorage(ref, dtype, storages, budget, failure)));
    if (typeof array === "string") {
      pass(array);
      continue;
    }
    const viewId = `${id} ${offset} ${shape} ${stride}`;
    let tensor = views.get(viewId);
    if (!tensor) views.set(viewId, (tensor = { dtype, shape: [...shape], data: view(array, ref, budget, failure) }));
    tensors.set(name, tensor);
  }
  return { tensors, skipped };
}

/** The values of a storage; a text that says why they cannot be held. */
async function readStorage(
  ref: TensorRef,
  dtype: ElementType,
  storages: Storages,
  budget: Budget,
  fail: Fail,
): Promise<TypedArray | string> {
  const { storage } = ref;
  const found = storage.bytes ? { bytes: storage.bytes, bigEndian: storage.bigEndian } : await storages(storage);
  const { bytes: raw, bigEndian, inflated = false } = found as Awaited<ReturnType<Storages>>;
  const element = ELEMENTS[dtype];
  const wanted = storage.length * (elementBytes(storage.dtype) ?? NaN);
  if (raw.length !== wanted) throw fail(`its storage has ${raw.length} bytes instead of ${wanted}; the file is damaged`);
  if (raw.length % element.bytes !== 0) throw fail(`its storage of ${raw.length} bytes does not hold whole ${dtype} elements`);
  const reuse = inflated && !widens(dtype);
  if (!reuse) budget.take((raw.length / element.bytes) * element.hostBytes, "a storage");
  try {
    return decodeElements(dtype, bigEndian ? swapped(raw, element.bytes) : raw, inflated || bigEndian);
  } catch (error) {
    if (error instanceof InexactIntegerError) return error.message;
    throw error;
  } finally {
    if (inflated && !reuse) budget.give(raw.length);
  }
}

/** The tensor's elements in row-major order: a part of its storage, or a copy if it is strided. */
function view(array: TypedArray, { offset, shape, stride }: TensorRef, budget: Budget, fail: Fail): TypedArray {
  const size = sizeOf(shape);
  if (size === 0) return array.subarray(0, 0);
  if (!Number.isSafeInteger(size)) throw fail(`shape [${shape}] is damaged`);
  const last = shape.reduce((at, n, i) => at + (n - 1) * stride[i], offset);
  if (!(last < array.length))
    throw fail(`shape [${shape}] with strides [${stride}] at ${offset} reaches beyond its storage of ${array.length}`);
  let expected = 1;
  let contiguous = true;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && stride[i] !== expected) contiguous = false;
    expected *= shape[i];
  }
  if (contiguous) return array.subarray(offset, offset + size);
  budget.take(size * array.BYTES_PER_ELEMENT, "a strided tensor");
  return copyView(array, shape, stride, offset).data;
}

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(bytes);
  for (let i = 0; i < out.length; i += width) out.subarray(i, i + width).reverse();
  return out;
}

/** Texts and numbers of a dictionary, of the dictionaries in it under dotted names, and short lists of numbers as JSON. */
function plainEntries(root: unknown): Map<string, string> {
  const found = new Map<string, string>();
  const add = (key: string, value: unknown, depth: number): void => {
    if (found.size === 64) return;
    if (value instanceof Map && depth > 0) {
      for (const [k, v] of value) if (typeof k === "string") add(`${key}${key && "."}${k}`, v, depth - 1);
      return;
    }
    const text = plainText(value);
    if (text !== undefined && text.length <= 200) found.set(key, text);
  };
  add("", root, 2);
  return found;
}

function plainText(value: unknown): string | undefined {
  if (Array.isArray(value))
    return value.length <= 16 && value.every((v) => typeof v === "number") ? JSON.stringify(value) : undefined;
  return ["string", "number", "boolean", "bigint"].includes(typeof value) ? String(value) : undefined;
}
