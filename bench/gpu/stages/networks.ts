/** @file Training steps of whole networks in f32 and f16: time, kernels, memory against plan. */

import { gpuCases, type NetworkCase, tinyCases } from "../../network_cases.ts";
import { trainingStep, type StepResult } from "../../training_step.ts";
import type { StageRun } from "../stage.ts";

export interface NetworkResult extends StepResult {
  readonly network: string;
  readonly precision: "f32" | "f16";
}

export const casesOf = (tiny: boolean): readonly NetworkCase[] => (tiny ? tinyCases : gpuCases);

export const run: StageRun = async (context) => {
  const { tiny } = context.task;
  const half = (await context.device()).gpu.features.has("shader-f16");
  if (!half) await context.send({ kind: "note", text: "no f16: the device has no shader-f16" });
  const precisions = half ? (["f32", "f16"] as const) : (["f32"] as const);
  const jobs = casesOf(tiny).flatMap((network) => precisions.map((precision) => ({ network, precision })));
  const options = tiny ? { warm: 1, steps: 2 } : { warm: 5, steps: 50, seconds: 2 };
  await context.each(
    jobs,
    ({ network, precision }) => `${network.name} ${precision}`,
    async ({ network, precision }): Promise<NetworkResult> => {
      const result = await trainingStep(await context.device(), network, { ...options, precision, kernels: true });
      return { network: network.name, precision, ...result };
    },
  );
};
