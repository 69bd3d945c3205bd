/** @file The models that one can choose from: those of the site, those trained here, those from the user's disk. Opened when one segments. */

import { type Device, FormatError } from "voxgrad";
import type { ModelFiles, OpenModelOptions, SegmentationModel } from "voxgrad/seg";
import type { ModelInfo, PickedFile } from "../protocol.ts";
import { device } from "./gpu.ts";

/** What opens models brings every network along: not before there is one to open. */
const opening = () => import("./opening.ts");

interface Known {
  readonly info: ModelInfo;
  readonly files: ModelFiles;
}

const known = new Map<string, Known>();
let counter = 0;
let opened: { readonly key: string; readonly gpu: Device; readonly model: SegmentationModel } | undefined;

/** An entry of `models/index.json`. */
interface SiteModel {
  readonly folder: string;
  readonly name: string;
  /** Of `modelKinds` in voxgrad/seg. */
  readonly kind: string;
  /** By language. */
  readonly description?: Readonly<Record<string, string>>;
  readonly files: readonly string[];
}

async function fetched(url: URL): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new FormatError(`${url.pathname}: the site answers ${response.status}`);
  return response;
}

async function siteModels(site: string): Promise<Known[]> {
  const base = new URL("models/", site);
  const list = (await (await fetched(new URL("index.json", base))).json()) as readonly SiteModel[];
  return list.map(({ folder, name, kind, description, files }) => ({
    info: { key: `site:${folder}`, name, from: "site", kind, description },
    files: {
      name,
      paths: files,
      read: async (path) => new Uint8Array(await (await fetched(new URL(`${folder}/${path}`, base))).arrayBuffer()),
    },
  }));
}

/** Those that were trained here; who has none needs nothing of runs. */
async function trainedModels() {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("runs").catch(() => undefined);
  const first = folder && (await folder.keys().next());
  return first && !first.done ? (await import("./runs.ts")).runModels() : [];
}

/** All of them; a site without a list has none of its own. */
export async function listModels(site: string): Promise<ModelInfo[]> {
  const fromSite = await siteModels(site).catch(() => []);
  const trained = (await trainedModels()).map(({ name, files }): Known => ({
    info: { key: `run:${name}`, name, from: "trained", kind: "run" },
    files,
  }));
  for (const row of [...fromSite, ...trained]) known.set(row.info.key, row);
  const here = [...fromSite, ...trained];
  const mine = [...known.values()].filter((k) => k.info.from === "disk");
  return [...here, ...mine].map((k) => k.info);
}

/** Of the folder that holds all of them, or of the file that the others belong to. */
function nameOf(paths: readonly string[]): string {
  const [top, ...inner] = paths[0].split("/");
  if (inner.length > 0 && paths.length > 1) return top;
  const main = paths.find((path) => /\.onnx$|(^|\/)model\.json$/i.test(path)) ?? paths[0];
  return main.slice(main.lastIndexOf("/") + 1);
}

/** Takes a model's files, which are read when it is opened. */
export async function addModel(picked: readonly PickedFile[]): Promise<ModelInfo> {
  const files = picked.filter((f) => !f.path.split("/").some((p) => p.startsWith(".")));
  if (files.length === 0) throw new FormatError("no files were given");
  const byPath = new Map(files.map((f) => [f.path, f.file]));
  const name = nameOf(files.map((f) => f.path));
  const key = `disk:${++counter}`;
  const read = async (path: string): Promise<Uint8Array> => new Uint8Array(await byPath.get(path)!.arrayBuffer());
  const modelFiles: ModelFiles = { name, paths: [...byPath.keys()], read };
  const info: ModelInfo = { key, name, from: "disk", kind: (await opening()).modelKindOf(modelFiles).name };
  known.set(key, { info, files: modelFiles });
  return info;
}

export const modelName = (key: string): string => known.get(key)?.info.name ?? key;

/** The model, opened; the last one stays so. */
export async function modelOf(model: string, options: OpenModelOptions): Promise<SegmentationModel> {
  const gpu = await device();
  const key = JSON.stringify([model, options]);
  if (opened?.key === key && opened.gpu === gpu) return opened.model;
  const row = known.get(model);
  if (!row) throw new FormatError("this model is no longer there; choose it again");
  closeModel();
  const { openModel } = await opening();
  opened = { key, gpu, model: await openModel(gpu, row.files, options) };
  return opened.model;
}

/** Frees what the last model holds on the device. */
export function closeModel(): void {
  const model = opened?.model;
  opened = undefined;
  model?.dispose();
}
