/**
 * @file From the scores of a bundle's network to labels and probabilities, as its post-processing says. The chains of most bundles (an activation, back to the
 * image's grid, the largest class) are done a class at a time, so that memory does not grow with the number of classes; any other sees all of them at once.
 */

import { invert } from "../../data/transforms/index.ts";
import { isVolume, type Volume, withGeometryOf } from "../../data/volume.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { arrayName, type Step, stepOf } from "../bundle/components.ts";
import type { Component } from "../bundle/config.ts";
import type { KeptScoreMap } from "../inference/kept_scores.ts";
import { gathered, probabilityMap, type ScoreMap, scoresInMemory } from "../inference/score_map.ts";

/** How scores become labels. */
export interface After {
  /** Steps before a decision, which make probabilities. */
  readonly before: readonly Step[];
  /** Those from the decision on. */
  readonly after: readonly Step[];
  /** The same where each class can be had by itself up to the decision for the largest: the activation, and the steps behind it. */
  readonly byClass?: { readonly activation: "softmax" | "sigmoid" | "none"; readonly behind: readonly Step[] };
}

const invertOf = (component: Component): Step => {
  // Upstream's default is the nearest voxel.
  const nearest = component.options.nearest_interp !== false;
  return (x) => invert(x as Volume, { mode: nearest ? "nearest" : "linear" });
};

const isInvert = ({ target }: Component): boolean => arrayName(target) === "Invert";
const postStep = (component: Component): Step => (isInvert(component) ? invertOf(component) : stepOf(component));

/** The steps of a chain. @throws ConfigError for one that is not known here */
export function afterOf(chain: readonly Component[]): After {
  const at = chain.findIndex((c) => arrayName(c.target) === "AsDiscrete");
  const decides = at < 0 ? chain.length : at;
  const before = chain.slice(0, decides);
  const byClass = byClassOf(before, chain[at]);
  return { before: before.map(postStep), after: chain.slice(decides).map(postStep), ...(byClass && { byClass }) };
}

/** The options of a component that are neither unset nor where its data come from. */
const setOptions = ({ options }: Component): string =>
  ["softmax", "sigmoid", "argmax", "to_onehot", "threshold", "rounding", "other", "dim", "keepdim", "dtype"]
    .filter((name) => options[name] !== undefined && options[name] !== null && options[name] !== false)
    .join();

function byClassOf(before: readonly Component[], decision: Component | undefined): After["byClass"] {
  if (!decision || setOptions(decision) !== "argmax") return undefined;
  const activates = before[0] !== undefined && arrayName(before[0].target) === "Activations";
  const behind = before.slice(activates ? 1 : 0);
  const activation = activates ? setOptions(before[0]) : "";
  if (!behind.every(isInvert) || !["", "softmax", "sigmoid"].includes(activation)) return undefined;
  return { activation: (activation || "none") as "softmax" | "sigmoid" | "none", behind: behind.map(postStep) };
}

/** Steps one after the other; those that drop the geometry get it back. */
export const through = (steps: readonly Step[], x: Volume): Volume =>
  steps.reduce((y, step) => {
    const out = step(y);
    return isVolume(out) ? out : withGeometryOf(y, out);
  }, x);

/** Labels on the image's grid, and the probabilities of a class there, to be disposed. */
export interface Decided {
  readonly labels: HostArray;
  readonly probabilities: KeptScoreMap;
}

/**
 * What scores on the grid of the prepared image mean on that of the image.
 * @param scores of the network, which `probabilities` take over
 */
export function decided(scores: KeptScoreMap, prepared: Volume, image: Volume, steps: After): Decided {
  const { dispose } = scores;
  try {
    const { labels, soft } = steps.byClass ? oneByOne(scores, prepared, steps) : together(scores, prepared, steps);
    const back = (x: Volume) => invert(x as Volume<Float32Array>, { mode: "linear" });
    const channel = (c: number) => back(soft(c)).data;
    return {
      labels: invert(labels, { mode: "nearest" }),
      probabilities: { channels: scores.channels, shape: image.shape.slice(1), channel, dispose },
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

interface Soft {
  readonly labels: Volume;
  /** A class before the decision, `[1, …]`. */
  readonly soft: (c: number) => Volume;
}

function oneByOne(scores: ScoreMap, prepared: Volume, { byClass, after }: After): Soft {
  const { activation, behind } = byClass!;
  const active = activation === "none" ? scores : probabilityMap(scores, activation === "softmax" ? "softmax" : "regions");
  const soft = (c: number) => through(behind, withGeometryOf(prepared, { data: active.channel(c), shape: [1, ...active.shape] }));
  let most = soft(0);
  const largest = Float32Array.from(most.data);
  const codes = new Float32Array(sizeOf(most.shape));
  for (let c = 1; c < active.channels; c++) {
    most = soft(c);
    for (let i = 0; i < codes.length; i++) {
      if (!(most.data[i] > largest[i])) continue;
      largest[i] = most.data[i];
      codes[i] = c;
    }
  }
  return { labels: through(after.slice(1), withGeometryOf(most, { data: codes, shape: most.shape })), soft };
}

function together(scores: ScoreMap, prepared: Volume, { before, after }: After): Soft {
  const all = through(before, withGeometryOf(prepared, gathered(scores)));
  const { channel, shape } = scoresInMemory(all as HostArray<Float32Array>);
  const soft = (c: number) => withGeometryOf(all, { data: channel(c), shape: [1, ...shape] });
  return { labels: through(after, all), soft };
}
