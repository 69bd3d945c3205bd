/**
 * @file The kinds of models: a row each. No `import()` here: esbuild without splitting then takes the networks for modules to be started later, and
 * never starts them for who imports them from the package's index ("UNet is not a constructor").
 */

import { openBundle } from "./bundle.ts";
import { openNnunet } from "./nnunet.ts";
import { openOnnx } from "./onnx.ts";
import { openRunModel } from "./run.ts";
import { openTfjs } from "./tfjs.ts";
import type { ModelKind } from "./model.ts";

const named = (name: string) => (path: string) => path === name;

/** Every kind that the library opens. */
export const modelKinds: readonly ModelKind[] = [
  {
    name: "run",
    files: "config.json, run.json and weights of a run of voxgrad",
    matches: (paths) => ["config.json", "run.json"].every((name) => paths.includes(name)),
    open: openRunModel,
  },
  {
    name: "nnunet",
    files: "plans.json, dataset.json and fold_*/checkpoint_final.pth of nnU-Net v2",
    matches: (paths) => paths.some(named("plans.json")) && paths.some((p) => /^fold_\w+\/.*\.pth$/.test(p)),
    open: openNnunet,
  },
  {
    name: "bundle",
    files: "configs/inference.json, configs/metadata.json and models/model.pt of a MONAI bundle",
    matches: (paths) => paths.some((p) => /^configs\/inference\.(json|ya?ml)$/.test(p)),
    open: openBundle,
  },
  {
    name: "tfjs",
    files: "model.json and weight shards of a TensorFlow.js model",
    matches: (paths) => paths.some(named("model.json")) && paths.some((p) => p.endsWith(".bin")),
    open: openTfjs,
  },
  {
    name: "onnx",
    files: "one .onnx file",
    matches: (paths) => paths.filter((p) => p.endsWith(".onnx")).length === 1,
    open: openOnnx,
  },
];
