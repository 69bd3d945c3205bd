/** @file One sample of the op table on a device: its result and gradients, to be compared with those of other circumstances. */

import { backpropagate } from "../../src/autograd/tape.ts";
import { cast, type Device, float32, noGrad, scope, type Tensor } from "../../src/index.ts";
import { readAll } from "./compare.ts";
import { generate, type Host, type Row, type Sample, seeded, takesHalf } from "./row.ts";

/** Exact in f16 up to 8. */
const toHalf = (v: number): number => Math.fround(Math.round(v * 256) / 256);
const rounded = (host: Host): Host => ({ ...host, data: host.data.map(toHalf) });

export interface SampleOptions {
  /** Inputs that take f16, and dy, get values that f16 holds exactly; with "f16" they are f16 as well. */
  readonly activations?: "rounded" | "f16";
}

/** Result and gradients of one sample of a row, eagerly, on the device given. */
export async function sampleResults(
  row: Row<any>,
  sample: Sample<any>,
  on: Device,
  { activations }: SampleOptions = {},
): Promise<Awaited<ReturnType<typeof readAll>>> {
  const random = seeded(sample.id);
  const isHalf = (name: string) => activations !== undefined && takesHalf(row, name);
  const tensors = scope((): Record<string, Tensor> => {
    const given = Object.fromEntries(
      Object.entries(sample.inputs).map(([name, spec]) => {
        const host = generate(spec, random);
        const { dtype = "f32" } = spec;
        return [name, on.tensor(isHalf(name) && dtype === "f32" ? rounded(host) : host, dtype)];
      }),
    );
    const names = row.differentiable.filter((name) => given[name]?.dtype === "f32");
    for (const name of names) given[name].requiresGrad = true;
    const taken = Object.entries(given).map(([name, t]) => {
      return [name, activations === "f16" && isHalf(name) && t.dtype === "f32" ? cast(t, "f16") : t];
    });
    const y = float32(row.run(Object.fromEntries(taken), sample.args, on));
    if (y.origin === undefined) return { y };
    const seeds = generate({ shape: y.shape }, random);
    const dy = on.tensor(activations ? rounded(seeds) : seeds, y.dtype);
    const wrt = names.map((name) => given[name]);
    const gradients = noGrad(() => scope(() => backpropagate(y, dy, wrt).map((g) => g!)));
    return { y, ...Object.fromEntries(names.map((name, i) => [`d ${name}`, gradients[i]])) };
  });
  const values = await readAll(tensors);
  for (const t of Object.values(tensors)) t.dispose();
  return values;
}
