/** @file Results of other libraries that a script of test/fixtures stored: read, and the operation run on the stored inputs. */

import { readFileSync } from "node:fs";
import { grad, mul, scope, sum } from "../../src/index.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { readAll } from "./compare.ts";
import { device } from "./device.ts";

export const readFixture = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8"));

/** A tensor in a fixture. */
export interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
  readonly dtype?: "i32";
}

/** An operation with its result, and the gradients of Σ output · gradOutput (of the output itself if there is none). */
export interface StoredCase {
  readonly id: string;
  readonly op: string;
  readonly args: any;
  readonly inputs: Readonly<Record<string, Packed>>;
  readonly gradOutput?: Packed | null;
  readonly output: Packed;
  readonly grads: Readonly<Record<string, Packed>>;
}

/** The operation of a case; where it has two results, `output` is the one with gradients. */
export type StoredRun = (
  inputs: Record<string, Tensor>,
  args: any,
) => Tensor | { readonly output: Tensor; readonly indices?: Tensor };

/** Runs a case on its inputs. Gradients are those that are stored. */
export async function runStored({ args, inputs, gradOutput, grads }: StoredCase, run: StoredRun) {
  const gpu = await device();
  const names = Object.keys(grads);
  const { results, gradients } = scope(() => {
    const given = Object.fromEntries(Object.entries(inputs).map(([name, p]) => [name, gpu.tensor(p, p.dtype ?? "f32")]));
    for (const name of names) given[name].requiresGrad = true;
    const made = run(given, args);
    const results: Record<string, Tensor> = made instanceof Tensor ? { output: made } : { ...made };
    const loss = gradOutput ? sum(mul(results.output, gpu.tensor(gradOutput))) : results.output;
    const list = grad(
      loss,
      names.map((name) => given[name]),
    );
    return { results, gradients: Object.fromEntries(names.map((name, i) => [name, list[i]])) };
  });
  const { shape } = results.output;
  const read = { shape, values: await readAll(results), gradients: await readAll(gradients) };
  for (const t of [...Object.values(results), ...Object.values(gradients)]) t.dispose();
  return read;
}
