/**
 * @file The same networks, shapes, loss and optimizer in PyTorch on the same machine, by torch_networks.py, if there is a Python that has it: `python3`, or
 * what VOXGRAD_PYTHON names. First whether both libraries compute the same from the same weights.
 */

import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { noGrad, scope } from "../../../src/index.ts";
import { manualSeed } from "../../../src/nn/index.ts";
import { writeSafetensors } from "../../../src/weights/index.ts";
import type { NetworkCase } from "../../network_cases.ts";
import { batch, build } from "../../training_step.ts";
import { type Context, Skipped, type StageRun } from "../stage.ts";
import { text } from "../tree.ts";
import { casesOf } from "./networks.ts";

export interface TorchResult {
  readonly network: string;
  readonly variant: string;
  readonly parameters: number;
  readonly bestMs: number;
  readonly medianMs: number;
  readonly steps: number;
  readonly peakBytes: number;
  readonly losses: readonly (number | null)[];
}

/** Of the two libraries on the same weights. */
export interface Agreement {
  /** Largest difference of the outputs, as a part of the largest output. */
  readonly error: number | null;
  readonly parameters: number;
  /** Of this library's network. */
  readonly own: number;
}

/** Items that are agreements begin so. */
export const agreementPrefix = "agreement ";

/** What Python says of itself. */
interface Line {
  readonly missing?: string;
  readonly torch?: string;
  readonly cuda?: string;
  readonly device?: string;
  readonly half?: string;
  readonly total?: number;
  readonly cut?: boolean;
  readonly begin?: string;
  readonly item?: string;
  readonly value?: unknown;
  readonly error?: string;
}

const python = process.env.VOXGRAD_PYTHON ?? "python3";

async function expectTorch(): Promise<void> {
  const asked = promisify(execFile)(python, ["-c", "import torch"], { timeout: 120_000 });
  await asked.catch((error: Error & { stderr?: string }) => {
    const why = error.stderr?.trim().split("\n").at(-1) ?? error.message;
    throw new Skipped(`no PyTorch here: ${python}: ${why || error.message}; VOXGRAD_PYTHON names another Python`);
  });
}

interface Check {
  readonly item: string;
  readonly network: string;
  readonly options: unknown;
  readonly parameters: number;
  readonly file: string;
}

/** Writes weights, a small input and what this library makes of it. */
async function prepare(context: Context, network: NetworkCase, folder: string): Promise<Check> {
  const item = `${agreementPrefix}${network.name}`;
  const device = await context.device();
  manualSeed(1);
  const model = build(device, network).eval();
  const { image } = batch({ ...network, input: network.input.map((n, axis) => (axis === 0 ? 1 : axis === 1 ? n : 32)) });
  const output = scope(() => noGrad(() => model.forward(device.tensor(image))));
  const tensors = await model.stateDict();
  tensors.set("bench.input", image).set("bench.output", { data: await output.data(), shape: output.shape });
  const file = join(folder, `${network.name.replaceAll(/[^a-z0-9]+/gi, "-")}.safetensors`);
  writeFileSync(file, writeSafetensors(tensors));
  const parameters = model.parameterCount;
  output.dispose();
  model.dispose();
  return { item, network: network.network, options: network.options, parameters, file };
}

/** One network of each kind: the others differ from it in sizes only. */
function kinds(cases: readonly NetworkCase[]): NetworkCase[] {
  const kind = ({ network, input }: NetworkCase) => `${network} ${input.length}`;
  return cases.filter((c, i) => cases.findIndex((other) => kind(other) === kind(c)) === i);
}

async function listen(context: Context, folder: string, checks: readonly Check[], before: number): Promise<void> {
  const child = spawn(python, ["-u", join(folder, "torch_networks.py"), join(folder, "spec.json")], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors = (errors + data.toString()).slice(-1000)));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as Line;
    if (said.missing !== undefined) throw new Skipped(`no PyTorch here: ${said.missing}`);
    if (said.torch) {
      const note = `PyTorch ${said.torch}, CUDA ${said.cuda}, on ${said.device}; AMP with ${said.half}`;
      await context.send({ kind: "note", text: note });
    }
    if (said.total !== undefined) await context.send({ kind: "total", total: said.total + before });
    if (said.begin !== undefined) await context.send({ kind: "begin", item: said.begin });
    if (said.item !== undefined) {
      const own = checks.find(({ item }) => item === said.item)?.parameters;
      const value = own === undefined ? said.value : { ...(said.value as object), own };
      if (said.error === undefined) await context.send({ kind: "value", item: said.item, value });
      else await context.send({ kind: "failure", item: said.item, error: said.error });
    }
    context.cut ||= said.cut ?? false;
  }
  const code = await ended;
  if (code !== 0) throw new Error(`${python} ended with ${code ?? "a signal"}: ${errors.trim()}`);
}

export const run: StageRun = async (context) => {
  await expectTorch();
  const { tiny, until, skip } = context.task;
  const folder = mkdtempSync(join(tmpdir(), "voxgrad-bench-"));
  try {
    for (const name of ["torch_models.py", "torch_networks.py"]) writeFileSync(join(folder, name), text(`bench/gpu/${name}`));
    const cases = casesOf(tiny);
    const checks: Check[] = [];
    for (const network of kinds(cases)) {
      const item = `${agreementPrefix}${network.name}`;
      if (skip.includes(item)) continue;
      await context.send({ kind: "begin", item });
      try {
        checks.push(await prepare(context, network, folder));
      } catch (error) {
        context.close();
        await context.send({ kind: "failure", item, error: String(error) });
      }
    }
    context.close(); // its memory is PyTorch's now
    const spec = { until: until / 1000, tiny, skip, checks, cases };
    writeFileSync(join(folder, "spec.json"), JSON.stringify(spec));
    await listen(context, folder, checks, kinds(cases).length - checks.length);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
