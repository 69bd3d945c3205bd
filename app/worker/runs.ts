/** @file The runs that the browser keeps in the origin's private file system: a folder each, as the command line has them. */

import { ConfigError } from "voxgrad";
import { type ModelFiles, opfsStore, readConfig, readRunInfo, type Recipe, recipes, type RunStore, zipFiles } from "voxgrad/seg";
import type { DataSource, Download, EpochInfo, PickedFile, RunCurves, RunSummary } from "../protocol.ts";

const runsFolder = async (): Promise<FileSystemDirectoryHandle> =>
  (await navigator.storage.getDirectory()).getDirectoryHandle("runs", { create: true });

const isMissing = (error: unknown): boolean => (error as Partial<DOMException>).name === "NotFoundError";

async function folderOf(name: string, create = false): Promise<FileSystemDirectoryHandle> {
  try {
    return await (await runsFolder()).getDirectoryHandle(name, { create });
  } catch (error) {
    throw isMissing(error) ? new ConfigError(`there is no run "${name}"`) : error;
  }
}

/** Names that are no folder's, here or where a run is unpacked. */
const noName = /^\.{0,2}$|[/\\:*?"<>|]|[. ]$/;

/** The store of a run; of two tabs one may write to it. */
export async function storeOf(name: string, create = false): Promise<RunStore> {
  if (create && noName.test(name))
    throw new ConfigError(`"${name}" cannot be the name of a folder; use letters, digits, "-" and "_"`);
  return opfsStore(await folderOf(name, create));
}

/** Does something with the files of a run that no other tab writes to meanwhile. Throws `ConfigError` if one does. */
export async function holding<T>(store: RunStore, work: (files: RunStore) => Promise<T>): Promise<T> {
  const { lock, ...files } = store;
  const free = await lock?.();
  try {
    return await work(files);
  } finally {
    await free?.();
  }
}

/** Where the data of a run are, beside it; files that were dropped have to be given again. */
interface Page {
  readonly data:
    | { readonly kind: "synthetic"; readonly cases: number; readonly seed: number }
    | { readonly kind: "files"; readonly name: string };
}

const pageFile = "page.json";

export async function rememberData(store: RunStore, source: DataSource): Promise<void> {
  const data = source.kind === "synthetic" ? source : { kind: source.kind, name: source.name };
  await store.write(pageFile, JSON.stringify({ data } satisfies Page));
  if (source.kind === "files" && source.folder) await handles("readwrite", (s) => s.put(source.folder, store.name));
}

/** The data of a run, if they can be had: those that are made, and folders that the browser still lets us read. */
export async function rememberedData(name: string): Promise<DataSource | undefined> {
  const bytes = await (await storeOf(name)).read(pageFile);
  if (!bytes) return undefined;
  const { data } = JSON.parse(new TextDecoder().decode(bytes)) as Page;
  if (data.kind === "synthetic") return data;
  const folder = (await handles("readonly", (s) => s.get(name))) as FileSystemDirectoryHandle | undefined;
  if (!folder || (await permission(folder)) !== "granted") return undefined;
  return { kind: "files", name: data.name, files: await filesOf(folder), folder };
}

const permission = async (folder: FileSystemDirectoryHandle): Promise<string> =>
  (folder as { queryPermission?: (o: object) => Promise<string> }).queryPermission?.({ mode: "read" }) ?? "granted";

/** All files of a folder, by their paths under its name. */
async function filesOf(folder: FileSystemDirectoryHandle, path = folder.name): Promise<PickedFile[]> {
  const found: PickedFile[] = [];
  for await (const [name, handle] of folder.entries()) {
    const at = `${path}/${name}`;
    if (handle.kind === "file") found.push({ path: at, file: await (handle as FileSystemFileHandle).getFile() });
    else found.push(...(await filesOf(handle as FileSystemDirectoryHandle, at)));
  }
  return found;
}

/** A table of the browser's database: handles of folders can be kept nowhere else. */
function handles(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const open = indexedDB.open("voxgrad", 1);
    open.addEventListener("upgradeneeded", () => open.result.createObjectStore("folders"));
    open.addEventListener("error", () => reject(open.error));
    open.addEventListener("success", () => {
      const request = use(open.result.transaction("folders", mode).objectStore("folders"));
      request.addEventListener("error", () => reject(request.error));
      request.addEventListener("success", () => resolve(request.result));
      request.transaction!.addEventListener("complete", () => open.result.close());
    });
  });
}

/** A recipe of the library as a page has it: its data come from this thread, so it names no module. */
export function recipeNamed(name: string): Recipe {
  const found = recipes.find((r) => r.name === name);
  if (!found) throw new ConfigError(`there is no recipe "${name}"; known are ${recipes.map((r) => r.name).join(", ")}`);
  return Object.assign(Object.create(found) as Recipe, { module: undefined });
}

async function namesOf(): Promise<string[]> {
  const names: string[] = [];
  for await (const [name, handle] of (await runsFolder()).entries()) if (handle.kind === "directory") names.push(name);
  return names.sort();
}

/** What is there, those that were touched last first. */
export async function listRuns(): Promise<RunSummary[]> {
  const names = await namesOf();
  const found = await Promise.all(
    names.map(async (name) => ({ touched: await touchedAt(name), summary: await summaryOf(name).catch(() => undefined) })),
  );
  return found.toSorted((a, b) => b.touched - a.touched).flatMap(({ summary }) => summary ?? []);
}

/** When something of a run was last written, in ms since 1970. */
async function touchedAt(name: string): Promise<number> {
  const folder = await folderOf(name);
  const times = ["run.json", "metrics.jsonl"].map(async (file) => {
    const handle = await folder.getFileHandle(file).catch(() => undefined);
    return (await handle?.getFile())?.lastModified ?? 0;
  });
  return Math.max(...(await Promise.all(times)));
}

async function summaryOf(name: string): Promise<RunSummary> {
  const store = await storeOf(name);
  const info = await readRunInfo(store);
  const config = await readConfig(store, recipeNamed(info.recipe.name));
  const epochs = await epochsOf(store);
  const means = epochs.flatMap((e) => (e.dice ? [meanOf(e.dice)] : [])).filter((d) => !Number.isNaN(d));
  const hasWeights = (await store.has("weights.safetensors")) || (await store.has("best.safetensors"));
  return {
    name,
    recipe: info.recipe.name,
    data: config.data,
    structures: structureNames(info.labels),
    epochs: config.epochs,
    epochsDone: epochs.length,
    finished: epochs.length >= config.epochs,
    ...(means.length > 0 && { dice: Math.max(...means) }),
    hasWeights: hasWeights || (await store.has("checkpoint.safetensors")),
    hasReport: await store.has("report.html"),
    dataReady: (await rememberedData(name)) !== undefined,
  };
}

const structureNames = (
  labels: readonly { readonly name: string; readonly values: readonly number[]; readonly ignore?: true }[],
): string[] => labels.filter((l) => !l.ignore && !l.values.includes(0)).map((l) => l.name);

export function meanOf(dice: readonly (number | null)[]): number {
  const known = dice.filter((d): d is number => d !== null && !Number.isNaN(d));
  return known.reduce((a, b) => a + b, 0) / known.length;
}

interface MetricLine {
  readonly epoch: number;
  readonly step?: number;
  readonly loss: number;
  readonly seconds?: number;
  readonly dice?: readonly (number | null)[];
}

async function linesOf(store: RunStore): Promise<MetricLine[]> {
  const bytes = await store.read("metrics.jsonl");
  const lines = bytes ? new TextDecoder().decode(bytes).split("\n") : [];
  return lines.flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as MetricLine];
    } catch {
      return []; // the last line may be cut short
    }
  });
}

/** Epochs and the step that each ended with. */
async function epochsOf(store: RunStore): Promise<EpochInfo[]> {
  let step = 0;
  return (await linesOf(store)).flatMap((line) => {
    if (line.step !== undefined) step = line.step;
    return line.step === undefined
      ? [{ epoch: line.epoch, step, loss: line.loss, dice: line.dice, seconds: line.seconds ?? 0 }]
      : [];
  });
}

/** What a run has learned so far. */
export async function curvesOf(name: string): Promise<RunCurves> {
  const store = await storeOf(name);
  const steps = (await linesOf(store)).flatMap((l): [number, number][] => (l.step === undefined ? [] : [[l.step, l.loss]]));
  return { steps, epochs: await epochsOf(store), structures: structureNames((await readRunInfo(store)).labels) };
}

/** Throws `ConfigError` while another tab trains it. */
export async function deleteRun(name: string): Promise<null> {
  await holding(await storeOf(name), async () => {
    await (await runsFolder()).removeEntry(name, { recursive: true });
    await handles("readwrite", (s) => s.delete(name));
  });
  return null;
}

/** The whole folder as a ZIP archive, which the command line resumes and predicts with once it is unpacked. */
export async function runFile(name: string, onProgress: (done: number, total: number) => void): Promise<Download> {
  const files = (await filesOf(await folderOf(name))).filter((f) => !f.path.endsWith(`/${pageFile}`));
  return { name: `${name}.zip`, blob: await zipFiles(new Map(files.map((f) => [f.path, f.file])), { onProgress }) };
}

export async function reportFile(name: string): Promise<Download> {
  const bytes = await (await storeOf(name)).read("report.html");
  if (!bytes) throw new ConfigError(`the run "${name}" has no report yet`);
  return { name: `${name}.html`, blob: new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "text/html" }) };
}

/** Runs that can segment, as models. */
export async function runModels(): Promise<{ readonly name: string; readonly files: ModelFiles }[]> {
  const runs = (await listRuns()).filter((r) => r.hasWeights);
  return Promise.all(
    runs.map(async ({ name }) => {
      const folder = await folderOf(name);
      const byPath = new Map((await filesOf(folder, "")).map((f) => [f.path.slice(1), f.file]));
      const read = async (path: string): Promise<Uint8Array> => new Uint8Array(await byPath.get(path)!.arrayBuffer());
      return { name, files: { name, paths: [...byPath.keys()], read } };
    }),
  );
}
