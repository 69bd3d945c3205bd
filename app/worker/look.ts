/** @file Truth and predictions side by side: of a run's validation cases, or of two folders; worst cases first. */

import { ConfigError } from "voxgrad";
import { imageStem, isImageName, type LabelClass, readImage, type Volume, withGeometryOf } from "voxgrad/data";
import { diceOfLabels, openRun, readEpochs, report, type RunStore } from "voxgrad/seg";
import type { Calls, ComparedCase, Comparison, DataSource, PickedFile, ScoredCaseInfo } from "../protocol.ts";
import { outlineOf, overlayOf } from "./display.ts";
import { alone, device } from "./gpu.ts";
import { closeModel } from "./models.ts";
import { blackOf, pictureOf } from "./picture.ts";
import { meanOf, rememberData } from "./runs.ts";
import { pairs, readOne } from "./scans.ts";
import type { CallContext } from "./serve.ts";
import { structuresOf, valuesOf } from "./structures.ts";
import { openRunData } from "./train.ts";

interface Loaded {
  readonly image?: Volume | undefined;
  readonly truth: Volume;
  readonly prediction: Volume;
}

interface Compared {
  readonly values: readonly number[];
  load(id: string): Promise<Loaded>;
}

const compared = new Map<string, Compared>();

const nullable = (d: number): number | null => (Number.isNaN(d) ? null : d);
const worstFirst = (a: ScoredCaseInfo, b: ScoredCaseInfo): number => (a.mean ?? 2) - (b.mean ?? 2);

const scored = (id: string, dice: readonly number[]): ScoredCaseInfo => ({
  id,
  dice: dice.map(nullable),
  mean: nullable(meanOf(dice)),
});

/** Segments the validation cases of a run with its best weights and writes its report, as the command line does when a training ends. */
export function reportRun(
  { name, source }: { readonly name: string; readonly source?: DataSource },
  context: CallContext<"reportRun">,
): Promise<Comparison> {
  return alone(async () => {
    closeModel();
    context.tell({ kind: "progress", what: "reading", done: 0, total: 1 });
    const { store, info, recipe, opened, fold } = await openRunData(name, source);
    if (source) await rememberData(store, source);
    const { val, read } = opened.fold(fold);
    const run = await openRun(await device(), store, recipe, (await store.has("best.safetensors")) ? "best" : undefined);
    try {
      const { evaluation } = await report(store, run, await readEpochs(store), val, read, {
        signal: context.signal,
        onProgress: (done, total) => context.tell({ kind: "progress", what: "reporting", done, total }),
      });
      const cases = new Map(val.map((c) => [c.id, c]));
      const values = valuesOf(info.labels);
      compared.set(name, {
        values,
        async load(id) {
          const { image, label } = await read(cases.get(id)!);
          if (!label) throw new ConfigError(`case "${id}" has no label`);
          return { image, truth: label, prediction: await predictionIn(store, id) };
        },
      });
      const list = evaluation.cases.map(({ id, dice }) => scored(id, dice)).sort(worstFirst);
      return { key: name, name, structures: structuresOf(info.labels), cases: list, failed: [] };
    } finally {
      run.dispose();
    }
  }, context);
}

async function predictionIn(store: RunStore, id: string): Promise<Volume> {
  const bytes = await store.read(`predictions/${id}.nii.gz`);
  if (!bytes) throw new ConfigError(`the run has no prediction of "${id}"`);
  return readImage(bytes, { name: id });
}

const visible = (files: readonly PickedFile[]): PickedFile[] =>
  files.filter((f) => isImageName(f.path) && !f.path.split("/").some((p) => p.startsWith(".")));

/** The images of a folder by the names of their cases; a suffix that all of them have does not count. Throws `ConfigError` where two are of one name. */
function byName(files: readonly PickedFile[]): Map<string, PickedFile> {
  const found = new Map<string, PickedFile>();
  for (const file of pairs(visible(files))) {
    const id = imageStem(file.path).replace(/_(0000|seg|pred|gt|label|mask)$/i, "");
    const other = found.get(id);
    if (other) throw new ConfigError(`${other.path} and ${file.path} have one name; choose a folder with one image of each case`);
    found.set(id, file);
  }
  return found;
}

/** By how many mm a voxel of two grids of one size lies apart at most. */
function distance(a: Volume, b: Volume): number {
  const [, nx, ny, nz] = a.shape;
  const corners = [0, nx - 1].flatMap((x) => [0, ny - 1].flatMap((y) => [0, nz - 1].map((z) => [x, y, z, 1])));
  const apart = corners.map((at) =>
    Math.hypot(...[0, 1, 2].map((r) => at.reduce((sum, v, c) => sum + v * (a.affine[r][c] - b.affine[r][c]), 0))),
  );
  return Math.max(...apart);
}

/** Of files that say nothing of where they lie, as pictures. */
const placeless = ({ affine }: Volume): boolean => affine.every((row, r) => row.every((v, c) => v === (r === c ? 1 : 0)));

/** A prediction on the grid of its truth. Throws `ConfigError` where its header says that it lies elsewhere: voxel would be compared with the wrong voxel. */
function onGridOf(truth: Volume, prediction: Volume): Volume {
  const moved = withGeometryOf(truth, prediction);
  const mm = placeless(truth) || placeless(prediction) ? 0 : distance(truth, prediction);
  if (mm > Math.min(...truth.spacing) / 2)
    throw new ConfigError(
      `the prediction lies up to ${mm.toPrecision(3)} mm from the truth, as their headers say; bring both on one grid`,
    );
  return moved;
}

/** Names that the other folder lacks, as a line of what cannot be scored. */
function lacking(ids: Iterable<string>, other: ReadonlyMap<string, PickedFile>, reason: string) {
  const alone = [...ids].filter((id) => !other.has(id)).sort();
  return alone.length > 0
    ? [{ id: alone.slice(0, 5).join(", ") + (alone.length > 5 ? ` … (${alone.length})` : ""), reason }]
    : [];
}

const mostLabels = 256;

/** Scores the label maps of a folder by those of another with the same names. */
export async function compareFolders(
  {
    truth,
    prediction,
    images,
  }: {
    readonly truth: readonly PickedFile[];
    readonly prediction: readonly PickedFile[];
    readonly images: readonly PickedFile[];
  },
  { signal, tell }: CallContext<"compareFolders">,
): Promise<Comparison> {
  const [truths, predictions, pictures] = [truth, prediction, images].map(byName);
  const ids = [...truths.keys()].filter((id) => predictions.has(id)).sort();
  if (ids.length === 0)
    throw new ConfigError(`no name is in both folders: truth has ${namesOf(truths)}, predictions have ${namesOf(predictions)}`);
  const load = async (id: string): Promise<Loaded> => {
    const picture = pictures.get(id);
    const [a, b] = [await readOne(truths.get(id)!, truth), await readOne(predictions.get(id)!, prediction)];
    return { truth: a, prediction: onGridOf(a, b), image: picture && (await readOne(picture, images)) };
  };
  const rows: { readonly id: string; readonly dice: Map<number, number> }[] = [];
  const failed = [
    ...lacking(truths.keys(), predictions, "no prediction has this name"),
    ...lacking(predictions.keys(), truths, "no truth has this name"),
  ];
  const seen = new Set<number>();
  for (const [i, id] of ids.entries()) {
    signal.throwIfAborted();
    tell({ kind: "progress", what: "measuring", done: i, total: ids.length });
    try {
      const { truth: a, prediction: b } = await load(id);
      const values = labelsIn([a, b]);
      for (const v of values) seen.add(v);
      const dice = diceOfLabels(b, a, classesOf(values));
      rows.push({ id, dice: new Map(values.map((v, k) => [v, dice[k]])) });
    } catch (error) {
      failed.push({ id, reason: (error as Error).message });
    }
  }
  const values = [...seen].sort((a, b) => a - b);
  const key = `folders ${ids.length} ${compared.size}`;
  compared.set(key, { values, load });
  const cases = rows
    .map(({ id, dice }) =>
      scored(
        id,
        values.map((v) => dice.get(v) ?? NaN),
      ),
    )
    .sort(worstFirst);
  return { key, name: "", structures: structuresOf(classesOf(values)), cases, failed };
}

const classesOf = (values: readonly number[]): LabelClass[] => values.map((v) => ({ name: String(v), values: [v] }));

function labelsIn(volumes: readonly Volume[]): number[] {
  const found = new Set<number>();
  for (const { data, meta } of volumes) {
    let last = 0;
    for (let i = 0; i < data.length; i++) {
      if (data[i] === last) continue;
      last = data[i];
      found.add(last);
      if (found.size > mostLabels)
        throw new ConfigError(`${meta.source ?? "the file"} has more than ${mostLabels} values: it is no label map`);
    }
  }
  found.delete(0);
  return [...found].sort((a, b) => a - b);
}

const namesOf = (files: ReadonlyMap<string, PickedFile>): string =>
  files.size === 0 ? "no images" : [...files.keys()].slice(0, 3).join(", ");

/** What the viewer shows of a case. */
export async function comparedCase({ key, id, channel }: Calls["comparedCase"]["args"]): Promise<ComparedCase> {
  const found = compared.get(key);
  if (!found) throw new ConfigError("this comparison is no longer there; make it again");
  const { image, truth, prediction } = await found.load(id);
  return {
    picture: image ? pictureOf(image, { channel }) : blackOf(truth),
    truth: overlayOf(truth, found.values),
    outline: outlineOf(truth, found.values),
    prediction: overlayOf(prediction, found.values),
  };
}
