/** @file How random cases of linear maps are checked against the references of the rows. */

import { grad, mul, scope, sum, type Tensor } from "../../src/index.ts";
import { expectClose, readAll } from "./compare.ts";
import { device } from "./device.ts";
import { generate, type Host, type Hosts, normal, seeded, type Shapes } from "./row.ts";

/** Of fast-check: few runs, the same ones each time. */
export const settings = { seed: 20, numRuns: 15, endOnFailure: false } as const;

/** Forward and, along one random direction of all inputs at once, gradients of Σ y·dy; the maps are linear in each input. */
export async function check(
  id: string,
  shapes: Shapes,
  run: (t: Record<string, Tensor>) => Tensor,
  reference: (h: Hosts) => Host,
): Promise<void> {
  const gpu = await device();
  const random = seeded(id);
  const hosts: Hosts = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, generate({ shape }, random)]));
  const names = Object.keys(hosts);
  const expected = reference(hosts);
  const dy = generate({ shape: expected.shape }, random);
  const results = scope(() => {
    const inputs = Object.fromEntries(names.map((name) => [name, gpu.tensor(hosts[name])]));
    for (const t of Object.values(inputs)) t.requiresGrad = true;
    const y = run(inputs);
    const gradients = grad(sum(mul(y, gpu.tensor(dy))), Object.values(inputs));
    return { y, ...Object.fromEntries(names.map((name, i) => [`d ${name}`, gradients[i]])) };
  });
  const values = await readAll(results);
  const { shape } = results.y;
  for (const t of Object.values(results)) t.dispose();
  if (shape.join() !== expected.shape.join()) throw new Error(`shape [${shape.join()}], expected [${expected.shape.join()}]`);
  expectClose("forward", values.y, expected.data, 3e-6, 1e-3);
  for (const name of names) {
    const v = hosts[name].data.map((_, i) => normal(random, i));
    // Linear in this input alone, so a step of 1 is exact.
    const moved = (h: number) =>
      reference({ ...hosts, [name]: { ...hosts[name], data: hosts[name].data.map((x, i) => x + h * v[i]) } }).data;
    const [up, down] = [moved(1), moved(-1)];
    const slope = up.reduce((s, u, i) => s + (dy.data[i] * (u - down[i])) / 2, 0);
    const gradient = values[`d ${name}`];
    const along = v.reduce((s, d, i) => s + d * gradient[i], 0);
    const length = Math.sqrt(v.reduce((s, _, i) => s + gradient[i] ** 2, 0));
    expectClose(`gradient of ${name}`, [along], [slope], 2e-5, Math.max(length, 1e-3));
  }
}
