/**
 * @file `npm run bench:traffic [-- --filter TEXT] [--kernels]`: what a step of each recipe's network asks of a GPU's memory: dispatches, bytes that they bind (each
 * region once per dispatch, a lower bound of what moves) and scratch, in training and inference. Steps are traced, not run: on RADV's null device for RDNA 3
 * where there is one (see bench/isa), else with the kernels that this machine's adapter gets. `--kernels` lists them.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { type Device, grad, noGrad, openDevice } from "../src/index.ts";
import { Adam, diceCELoss, manualSeed, type Module } from "../src/nn/index.ts";
import { PlainConvUNet, QuickNat, ResidualEncoderUNet, SegResNet, UNet, VNet } from "../src/seg/index.ts";
import { placed } from "../src/tensor/encoding.ts";
import { scope } from "../src/tensor/scope.ts";
import { type Command, TraceStream, uses } from "../src/tensor/trace.ts";
import { environment, missing } from "./isa/driver.ts";

interface Case {
  readonly name: string;
  /** `[N, C, spatial…]` */
  readonly input: readonly number[];
  readonly classes: number;
  readonly build: (device: Device) => Module;
}

const five = { channels: [16, 32, 64, 128, 256], strides: [2, 2, 2, 2], numResUnits: 2, inChannels: 1, outChannels: 2 };
const stages = (count: number) => ({
  spatialDims: 3 as const,
  inChannels: 1,
  outChannels: 3,
  nStages: count,
  featuresPerStage: [32, 64, 128, 256, 320].slice(0, count),
  kernelSizes: Array.from({ length: count }, () => 3),
  strides: Array.from({ length: count }, (_, i) => (i === 0 ? 1 : 2)),
});
const cases: readonly Case[] = [
  { name: "slices2d, chaos: UNet", input: [8, 1, 96, 96], classes: 2, build: (d) => new UNet(d, { spatialDims: 2, ...five }) },
  { name: "patches3d: UNet", input: [2, 1, 64, 64, 64], classes: 2, build: (d) => new UNet(d, { spatialDims: 3, ...five }) },
  {
    name: "patches3d: SegResNet",
    input: [1, 1, 96, 96, 96],
    classes: 2,
    build: (d) => new SegResNet(d, { spatialDims: 3, initFilters: 16, inChannels: 1, outChannels: 2 }),
  },
  { name: "quicknat", input: [2, 1, 128, 128], classes: 28, build: (d) => new QuickNat(d, { outChannels: 28, numFilters: 64 }) },
  {
    name: "nodules: VNet",
    input: [1, 1, 16, 96, 96],
    classes: 2,
    build: (d) => new VNet(d, { spatialDims: 3, inChannels: 1, outChannels: 2 }),
  },
  {
    name: "nnunet",
    input: [2, 1, 40, 56, 40],
    classes: 3,
    build: (d) => new PlainConvUNet(d, { ...stages(4), nConvPerStage: 2, nConvPerStageDecoder: 2 }),
  },
  {
    name: "nnunet, ResEnc",
    input: [2, 1, 64, 64, 64],
    classes: 3,
    build: (d) => new ResidualEncoderUNet(d, { ...stages(5), nBlocksPerStage: [1, 3, 4, 6, 6], nConvPerStageDecoder: 1 }),
  },
];

/** Bytes that a command binds: the same region twice, as of what is not there, is one. */
function bytesOf(command: Command): number {
  const seen = new Set(
    uses(command).map(({ region: { storage, offset, bytes, runs } }) =>
      JSON.stringify([ids(storage), offset, runs ? runs.count * runs.bytes : bytes]),
    ),
  );
  return [...seen].reduce((sum, key) => sum + (JSON.parse(key) as number[])[2], 0);
}
const known = new Map<unknown, number>();
const ids = (storage: unknown): number => known.get(storage) ?? (known.set(storage, known.size), known.size - 1);

function trace(device: Device, { input, classes, build }: Case, training: boolean) {
  const model = training ? build(device).train() : build(device).eval();
  const optimizer = training ? new Adam(model.parameters(), { lr: 1e-3 }) : undefined;
  const zeros = (shape: readonly number[]) => device.tensor({ data: new Float32Array(shape.reduce((a, b) => a * b)), shape });
  const [x, y] = [zeros(input), zeros(input.with(1, 1))];
  const stream = new TraceStream();
  const outer = device.stream;
  scope(() => {
    device.stream = stream;
    try {
      if (optimizer) {
        const loss = diceCELoss(model.forward(x), y, { softmax: classes > 1, toOnehotY: true });
        optimizer.step(grad(loss, optimizer.parameters));
      } else noGrad(() => model.forward(x));
    } finally {
      device.stream = outer;
      stream.finish();
    }
  });
  const around = [...stream.outside].reduce((sum, s) => sum + s.bytes, 0);
  const { parts, sizes } = placed(stream.commands, new Set(), [x.storage, y.storage], around);
  return { commands: parts.each, scratch: sizes.reduce((a, b) => a + b, 0) };
}

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

async function main(filter: string, kernels: boolean): Promise<void> {
  const device = await openDevice({ toggles: ["enable-dawn-features=allow_unsafe_apis"] });
  manualSeed(0);
  console.log("| network | step | dispatches | copies | MiB bound | MiB scratch |\n|-|-|-|-|-|-|");
  for (const one of cases.filter(({ name }) => name.includes(filter))) {
    for (const training of [true, false]) {
      const { commands, scratch } = trace(device, one, training);
      const total = commands.reduce((sum, c) => sum + bytesOf(c), 0);
      const count = commands.filter((c) => c.kind === "run").length;
      const copies = commands.reduce((n, c) => n + (c.kind === "run" ? 0 : (c.source.runs?.count ?? 1)), 0);
      const step = training ? "training" : "inference";
      console.log(`| ${one.name} ${one.input.join("×")} | ${step} | ${count} | ${copies} | ${mib(total)} | ${mib(scratch)} |`);
      if (!kernels) continue;
      const rows = Map.groupBy(commands, (c) => (c.kind === "run" ? c.call.program.key.split(" ")[0] : "copy"));
      const sums = [...rows].map(([key, list]) => ({ key, count: list.length, bytes: list.reduce((s, c) => s + bytesOf(c), 0) }));
      for (const { key, count: n, bytes } of sums.sort((a, b) => b.bytes - a.bytes).slice(0, 20))
        console.log(`|   ${key} | | ${n} | | ${mib(bytes)} | |`);
    }
  }
  process.exit(0); // nothing ran, so there is nothing to wait for
}

const { values } = parseArgs({
  options: { filter: { type: "string", default: "" }, kernels: { type: "boolean", default: false } },
});
if (process.env.RADV_FORCE_FAMILY || missing()) await main(values.filter, values.kernels);
else {
  const env = { ...environment("navi31"), RADV_DEBUG: "" };
  const { status } = spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], { env, stdio: "inherit" });
  process.exit(status ?? 1);
}
