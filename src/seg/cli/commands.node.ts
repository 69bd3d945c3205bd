/** @file What each subcommand of `voxgrad` does. Each takes its arguments and gives an exit code. */

import { join, resolve } from "node:path";
import { readNiftiFile } from "../../data/formats/nifti/nifti.node.ts";
import { tune } from "../../kernels/tune.ts";
import { type Device, openDevice } from "../../tensor/device.ts";
import { ConfigError } from "../../host/errors.ts";
import { type Command, flag, parse, say, text } from "./command_line.node.ts";
import { checkConfig, type RunConfig } from "../recipes/config.ts";
import { defaultConfig } from "../recipes/slices2d/suggest.node.ts";
import {
  casesOfFiles,
  evaluateFolder,
  evaluateSegmented,
  evaluationLines,
  type LoadedRun,
  loadRun,
  predictCases,
  writeEvaluation,
} from "../run/predict.node.ts";
import { ProgressLine } from "../training/progress.ts";
import { writeCurves, writeOverlays } from "../run/report.node.ts";
import { syntheticConfig, writeSynthetic } from "../run/synthetic.node.ts";
import { readConfig, runData, train, type TrainResult } from "../run/train.node.ts";
import { readTuning, tuningFile, writeTuning } from "../run/tuning.node.ts";
import { convertCommand, inspectCommand } from "./weights.node.ts";

const size = (bytes: number) => (bytes < 2 ** 20 ? `${bytes / 2 ** 10} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`);

function number(name: string, value: string): number {
  const n = Number(value);
  if (value.trim() === "" || !Number.isFinite(n)) throw new ConfigError(`--${name} must be a number, got "${value}"`);
  return n;
}

const numbers = (name: string, value: string): number[] => value.split(",").map((v) => number(name, v));

/** Command-line options of a training run and how their text is read. */
const runOptions: {
  [K in keyof RunConfig]?: readonly [flag: string, read: (name: string, value: string) => unknown, help: string];
} = {
  fold: ["fold", (n, v) => (v === "all" ? v : number(n, v)), 'fold of splits_final.json, or "all"'],
  seed: ["seed", number, "of weights, data order and augmentation"],
  epochs: ["epochs", number, "passes over the training cases"],
  batchSize: ["batch-size", number, "slices per step"],
  samplesPerVolume: ["samples-per-volume", number, "slices taken from each volume per epoch"],
  foreground: ["foreground", number, "share of slices centred on foreground; 0 takes them uniformly"],
  sliceAxis: ["slice-axis", number, "array axis across the slices: 0, 1 or 2"],
  patchSize: ["patch-size", numbers, "height,width of a slice"],
  fit: ["fit", (_, v) => v, "resize or crop slices to the patch size"],
  normalize: ["normalize", (_, v) => v, "intensities per volume: scale or zscore"],
  augment: ["augment", (_, v) => v, "none, rotate or mild"],
  channels: ["channels", numbers, "of each level of the UNet, e.g. 16,32,64,128"],
  numResUnits: ["num-res-units", number, "convolutions per residual unit; 0 for plain ones"],
  lr: ["lr", number, "Adam's learning rate"],
  schedule: ["schedule", (_, v) => v, "constant or poly"],
  precision: ["precision", (_, v) => v, "of activations in training: f32 or f16"],
  numWorkers: ["workers", number, "threads that prepare data"],
  validateEvery: ["validate-every", number, "epochs between validations"],
  checkpointSeconds: ["checkpoint-seconds", number, "between checkpoints inside an epoch"],
};

const runFlags = Object.fromEntries(Object.values(runOptions).map(([name]) => [name, text]));

function applyOptions(base: RunConfig, values: Record<string, unknown>): RunConfig {
  const changes = Object.entries(runOptions).flatMap(([key, [name, read]]) =>
    values[name] === undefined ? [] : [[key, read(name, values[name] as string)]],
  );
  const empty = values["allow-empty"] ? { allowEmpty: true } : {};
  return checkConfig({ ...base, ...Object.fromEntries(changes), ...empty }, "options");
}

// A terminal sends Ctrl-C to the whole group and a launcher may pass it on: signals within a second are one.
function interruptible(folder: string): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController();
  let first = 0;
  const onSignal = () => {
    if (first === 0) {
      first = performance.now();
      process.stderr.write(`\nstopping after this step and saving a checkpoint in ${folder} (again to stop at once)\n`);
      controller.abort();
    } else if (performance.now() - first > 1000) {
      process.exit(130);
    }
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  const done = () => {
    // After an interrupt the rest is brief, and the second of two signals may come only now.
    if (!controller.signal.aborted) process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  };
  return { signal: controller.signal, done };
}

interface DeviceUse {
  /** Use what `voxgrad tune` measured for the adapter, if it did; default true. */
  readonly tuned?: boolean;
  /** f16 in shaders; default false. */
  readonly half?: boolean;
}

const optionsOf = (values: Record<string, unknown>, config?: RunConfig): DeviceUse => ({
  tuned: values["no-tune"] !== true,
  half: config?.precision === "f16",
});

async function withDevice<T>(work: (device: Device) => Promise<T>, { tuned = true, half = false }: DeviceUse = {}): Promise<T> {
  const device = await openDevice(half ? { toggles: halfToggles } : {});
  const hints = [device.software && "software: a GPU is many times faster", tuned && readTuning(device) && "tuned"].filter(
    Boolean,
  );
  say(`adapter: ${device.name}${hints.length > 0 ? ` (${hints.join("; ")})` : ""}`);
  try {
    return await work(device);
  } finally {
    device.close();
  }
}

type Start = { readonly resume: true } | { readonly resume: false; readonly init?: string };

// NVIDIA's driver has f16 in shaders, but Dawn asks to be told so.
const halfToggles = ["enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia"];

async function trainIn(device: Device, folder: string, config: RunConfig, start: Start): Promise<TrainResult> {
  const { signal, done } = interruptible(folder);
  try {
    const progress = new ProgressLine(process.stderr);
    const result = await train(device, folder, config, { progress, signal, log: say }, start);
    if (!result.finished) say(`stopped. Go on with: voxgrad train --resume ${folder}`);
    return result;
  } finally {
    done();
  }
}

async function report(run: LoadedRun, device: Device, folder: string, result: TrainResult): Promise<void> {
  const { config, info } = run;
  const classes = info.labels.slice(1).map((l) => l.name);
  const { val } = await runData(config);
  const segmented = await predictCases(device, run, val, join(folder, "predictions"), new ProgressLine(process.stderr));
  const evaluation = evaluateSegmented(segmented, info.labels);
  await writeEvaluation(join(folder, "evaluation.json"), evaluation);
  const curves = await writeCurves(folder, result.epochs, classes);
  // A handful of pictures is looked at; hundreds are not.
  const pictures = await writeOverlays(join(folder, "overlays"), segmented.slice(0, 8), config.sliceAxis);
  for (const line of evaluationLines(evaluation)) say(line);
  say(`\npredictions ${join(folder, "predictions")}\npictures    ${[...curves, ...pictures].join("\n            ")}`);
}

async function trainAndReport(device: Device, folder: string, config: RunConfig, start: Start): Promise<number> {
  const result = await trainIn(device, folder, config, start);
  if (!result.finished) return 130;
  const run = await loadRun(device, folder, "weights");
  try {
    await report(run, device, folder, result);
  } finally {
    run.model.dispose();
  }
  return 0;
}

/** The options of train and demo, a line each. */
export function trainHelp(): string {
  const rows = [
    ["data DIR", "Decathlon or nnU-Net folder"],
    ["out DIR", "folder of the run; default runs/<dataset>-fold<N>-seed<N>"],
    ["resume DIR", "go on with the run in this folder; of the other options only --epochs may be given"],
    ["init FILE", "start from the weights in a .safetensors, .pt or .pth file, as far as names and shapes agree (train only)"],
    ...Object.values(runOptions).map(([name, , help]) => [name, help]),
    ["allow-empty", "accept cases without foreground"],
    ["no-tune", "use the fixed table of kernel variants, whatever voxgrad tune measured"],
  ];
  const lines = rows.map(([name, help]) => `  --${name.padEnd(20)} ${help}\n`);
  return `Options not given are chosen from the data and saved in config.json:\n\n${lines.join("")}`;
}

const trainCommand: Command = async (args) => {
  const { values } = parse(args, {
    ...runFlags,
    data: text,
    out: text,
    resume: text,
    init: text,
    "allow-empty": flag,
    "no-tune": flag,
  });
  if (values.resume !== undefined) {
    const folder = resolve(values.resume);
    // Only the end of a run may be moved: anything else would make it another run.
    const other = Object.keys(values).filter((k) => !["resume", "epochs", "no-tune"].includes(k));
    if (other.length > 0) throw new ConfigError(`--resume takes its options from the run; remove --${other.join(", --")}`);
    const config = applyOptions(await readConfig(folder), values);
    return withDevice((device) => trainAndReport(device, folder, config, { resume: true }), optionsOf(values, config));
  }
  if (values.data === undefined) throw new ConfigError("train needs --data DIR (or --resume DIR); see voxgrad train --help");
  const data = resolve(values.data);
  const fold = runOptions.fold![1]("fold", (values as Record<string, string>).fold ?? "0") as number | "all";
  const cases = await runData({ data, fold });
  const config = applyOptions({ ...(await defaultConfig(data, cases.index, cases.train)), fold }, values);
  const folder = resolve(values.out ?? join("runs", `${cases.index.name || "run"}-fold${fold}-seed${config.seed}`));
  const start = { resume: false, init: values.init } as const;
  return withDevice((device) => trainAndReport(device, folder, config, start), optionsOf(values, config));
};

const predictCommand: Command = async (args) => {
  const { values, positionals } = parse(args, { run: text, data: text, fold: text, out: text, "no-tune": flag }, true);
  if (values.run === undefined) throw new ConfigError("predict needs --run DIR, the folder of a trained run");
  if ((values.data === undefined) === (positionals.length === 0))
    throw new ConfigError("predict needs either --data DIR or image files");
  const folder = resolve(values.run);
  const fold = values.fold === undefined || values.fold === "all" ? "all" : number("fold", values.fold);
  const cases = values.data === undefined ? casesOfFiles(positionals) : (await runData({ data: resolve(values.data), fold })).val;
  const predict = async (device: Device) => {
    const run = await loadRun(device, folder);
    const out = resolve(values.out ?? join(folder, "predictions"));
    const segmented = await predictCases(device, run, cases, out, new ProgressLine(process.stderr));
    say(`${segmented.length} label maps in ${out}`);
    run.model.dispose();
    return 0;
  };
  return withDevice(predict, optionsOf(values));
};

const evaluateCommand: Command = async (args) => {
  const { values } = parse(args, { run: text, pred: text, data: text });
  const config = values.run === undefined ? undefined : await readConfig(resolve(values.run));
  const predictions = values.pred ?? (values.run && join(values.run, "predictions"));
  const data = values.data ?? config?.data;
  if (!predictions || !data) throw new ConfigError("evaluate needs --run DIR, or --pred DIR with --data DIR");
  const evaluation = await evaluateFolder(resolve(predictions), resolve(data));
  for (const line of evaluationLines(evaluation)) say(line);
  return 0;
};

const demoCommand: Command = async (args) => {
  const { values } = parse(args, { ...runFlags, out: text, data: text, resume: text, "allow-empty": flag, "no-tune": flag });
  if (values.resume !== undefined) return trainCommand(["--resume", values.resume]);
  const given = values as Record<string, string | undefined>;
  const seed = number("seed", given.seed ?? "0");
  const folder = resolve(values.out ?? join("runs", values.data === undefined ? `demo-seed${seed}` : `demo-data-seed${seed}`));
  if (values.data !== undefined) {
    const { out: _, data, ...rest } = values as Record<string, string>;
    const passed = Object.entries(rest).flatMap(([k, v]) =>
      v === undefined ? [] : typeof v === "boolean" ? [`--${k}`] : [`--${k}`, v],
    );
    return trainCommand(["--data", data, "--out", folder, ...passed]);
  }
  const config = applyOptions(syntheticConfig(join(folder, "data"), seed, 5), values);
  return withDevice(
    async (device) => {
      say("writing 40 synthetic volumes as NIfTI");
      await writeSynthetic(config.data, seed);
      return trainAndReport(device, folder, config, { resume: false });
    },
    optionsOf(values, config),
  );
};

const tuneCommand: Command = async (args) => {
  const { values } = parse(args, { out: text });
  return withDevice(
    async (device) => {
      const file = values.out === undefined ? tuningFile(device) : resolve(values.out);
      const { signal, done } = interruptible(file);
      const line = new ProgressLine(process.stderr);
      const start = performance.now();
      try {
        const { choices, gains } = await tune(device, {
          signal,
          onProgress: (done, total, label) => line.update({ label, done, total, seconds: (performance.now() - start) / 1000 }),
        });
        line.finish();
        for (const { problem, rule, best, before, after } of gains) {
          say(`${problem.padEnd(44)} ${best.padEnd(16)} ${(before / after).toFixed(2)} × ${rule} (${after.toFixed(2)} ms)`);
        }
        writeTuning(device, choices, file);
        say(`${gains.length} better than the fixed table; written to ${file}`);
        return signal.aborted ? 130 : 0;
      } finally {
        done();
      }
    },
    { tuned: false, half: true },
  );
};

const infoCommand: Command = async (args) => {
  const { positionals } = parse(args, {}, true);
  for (const path of positionals) {
    const { shape, spacing, meta } = await readNiftiFile(path);
    say(
      `${path}: ${meta.format} ${meta.dtype}, ${shape.slice(1).join(" × ")} voxels of ${spacing.map((s) => s.toFixed(3)).join(" × ")} mm, ${shape[0]} channel(s)`,
    );
  }
  if (positionals.length > 0) return 0;
  const print = async (device: Device) => {
    const { limits, features } = device.gpu;
    say(`features: ${[...features].sort().join(", ") || "none"}`);
    for (const name of ["maxBufferSize", "maxStorageBufferBindingSize", "maxComputeWorkgroupStorageSize"] as const) {
      say(`${name}: ${size(limits[name])}`);
    }
    for (const name of [
      "maxComputeInvocationsPerWorkgroup",
      "maxComputeWorkgroupsPerDimension",
      "maxStorageBuffersPerShaderStage",
    ] as const) {
      say(`${name}: ${limits[name]}`);
    }
    return 0;
  };
  return withDevice(print, { tuned: false });
};

export const commands: Readonly<Record<string, Command>> = {
  train: trainCommand,
  predict: predictCommand,
  evaluate: evaluateCommand,
  demo: demoCommand,
  tune: tuneCommand,
  info: infoCommand,
  convert: convertCommand,
  inspect: inspectCommand,
};
