/** @file Five steps of each recipe on made-up volumes, for any platform: Node and the browser must agree on their losses. */

import { type Device, openDevice } from "../../src/index.ts";
import { configure, fit, memoryStore, recipes } from "../../src/seg/index.ts";
import { tinyRecipes } from "../lib/tiny_recipes.ts";

const steps = 5;

/** The losses of a recipe's first steps, on `device` or on one opened for this. */
export async function lossesOf(name: string, device?: Device): Promise<number[]> {
  const own = device ?? (await openDevice());
  const { data: dataOf, options } = tinyRecipes[name];
  const recipe = recipes.find((r) => r.name === name)!;
  const data = await dataOf();
  const { config, info } = await configure(recipe, data, {
    data: "memory",
    numWorkers: 0,
    epochs: 20,
    validateEvery: 20,
    ...options,
  });
  const stop = new AbortController();
  const losses: number[] = [];
  const store = memoryStore();
  let seen = 0;
  await fit(recipe, {
    device: own,
    data,
    store,
    config,
    info,
    signal: stop.signal,
    onEvent(event) {
      if (event.kind === "progress" && event.state.label?.startsWith("epoch") && ++seen === steps) stop.abort();
    },
  });
  const lines = new TextDecoder().decode(await store.read("metrics.jsonl")).trim().split("\n"); // prettier-ignore
  losses.push(...lines.map((line) => JSON.parse(line)).flatMap(({ step, loss }) => (step === undefined ? [] : [loss])));
  if (!device) own.close();
  return losses.slice(0, steps);
}
