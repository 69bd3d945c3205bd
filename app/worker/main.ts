/** @file The worker of the page: it has the device, the files and voxgrad. What not everybody needs is loaded when it is asked for. */

import { device } from "./gpu.ts";
import { serve } from "./serve.ts";

/** Whoever reads images may meet packed ones. */
const reading = <T>(load: () => Promise<T>): Promise<T> => import("./codecs.ts").then(load);

const scans = () => reading(() => import("./scans.ts"));
const models = () => import("./models.ts");
const segmenting = () => import("./segment.ts");
const training = () => reading(() => import("./train.ts"));
const runs = () => import("./runs.ts");
const looking = () => reading(() => import("./look.ts"));

serve({
  device: async () => {
    const { name, software } = await device();
    return { name, software };
  },
  addScans: async ({ files }, { tell }) =>
    (await scans()).addScans(files, (done, total) => tell({ kind: "progress", what: "reading", done, total })),
  addSample: async () => (await scans()).addSample(),
  showScan: async ({ scan, asItIs }) => (await scans()).scanFacts(scan, asItIs),
  scanPicture: async ({ scan, channel }) => (await scans()).scanPicture(scan, channel),
  models: async ({ site }) => (await models()).listModels(site),
  addModel: async ({ files }) => (await models()).addModel(files),
  segment: async (args, context) => (await segmenting()).segmentScan(args, context),
  labelFile: async ({ result }) => (await segmenting()).labelFile(result),
  surfaceFile: async ({ result, structure }) => (await segmenting()).surfaceFile(result, structure),
  objectFile: async ({ result, kind }) => (await segmenting()).objectFile(result, kind),
  volumesFile: async ({ result }) => (await segmenting()).volumesFile(result),
  openData: async (args, context) => (await training()).openTrainingData(args, context),
  recipeOptions: async ({ recipe }) => (await training()).recipeOptions(recipe),
  configureRun: async (args, context) => (await training()).configureRun(args, context),
  planRun: async (_, context) => (await training()).planRun(context),
  startRun: async ({ name }, context) => (await training()).startRun(name, context),
  resumeRun: async (args, context) => (await training()).resumeRun(args, context),
  runs: async () => (await runs()).listRuns(),
  curves: async ({ name }) => (await runs()).curvesOf(name),
  deleteRun: async ({ name }) => (await runs()).deleteRun(name),
  runFile: async ({ name }, { tell }) =>
    (await runs()).runFile(name, (done, total) => tell({ kind: "progress", what: "packing", done, total })),
  reportRun: async (args, context) => (await looking()).reportRun(args, context),
  reportFile: async ({ name }) => (await runs()).reportFile(name),
  compareFolders: async (args, context) => (await looking()).compareFolders(args, context),
  comparedCase: async (args) => (await looking()).comparedCase(args),
});
