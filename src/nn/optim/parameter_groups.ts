/** @file Choosing parameters by name, and giving groups of them their own learning rate. */

import { expectItems } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type Module, expectModule } from "../module.ts";
import { type NameFilter, nameMatcher } from "../names.ts";
import type { AdagradOptions } from "./adagrad.ts";
import type { AdamOptions } from "./adam.ts";
import type { NAdamOptions } from "./nadam.ts";
import type { ParamGroup } from "./optimizer.ts";
import type { RAdamOptions } from "./radam.ts";
import type { RMSpropOptions } from "./rmsprop.ts";
import type { SGDOptions } from "./sgd.ts";

/** Parameters by name and the options that they alone have. */
export interface GroupRule<H> {
  /** Names of the parameters. */
  readonly match: NameFilter;
  /** What is different for these parameters, such as `{ weightDecay: 0 }`. */
  readonly options: Partial<H>;
}

/**
 * Parameter groups of a model for an optimizer: layer-wise learning rates, no weight decay on biases. A parameter belongs to the first rule that
 * matches its name, and to a last group with the optimizer's own options if none does. Frozen parameters are left out; a group is one dispatch
 * of a step.
 *
 *     new Adam(parameterGroups(model, [{ match: "encoder", options: { lr: 1e-4 } }]), { lr: 1e-3 })
 *
 * `H` are the options that groups may have: by default those of any optimizer of this library.
 *
 * Gradients are passed to `step` in the order of the groups, which is `optimizer.parameters`.
 * @throws ConfigError for a rule that no trainable parameter is left for, which is nearly always a mistyped name
 */
export function parameterGroups<H = AdagradOptions & AdamOptions & NAdamOptions & RAdamOptions & RMSpropOptions & SGDOptions>(
  model: Module,
  rules: readonly GroupRule<NoInfer<H>>[],
): ParamGroup<H>[] {
  expectModule("parameterGroups", { model });
  expectItems("parameterGroups", "rules", rules);
  const matchers = rules.map(({ match }) => nameMatcher(match));
  const params: Tensor[][] = [...rules, undefined].map(() => []);
  for (const [name, t] of model.namedParameters()) {
    const found = matchers.findIndex((matches) => matches(name));
    params[found < 0 ? rules.length : found].push(t);
  }
  const empty = rules.find((_, i) => params[i].length === 0);
  if (empty) {
    const first = model.namedParameters().slice(0, 3);
    throw new ConfigError(
      `parameterGroups: no trainable parameter matches ${String(empty.match)}; names look like ${first.map(([name]) => name).join(", ")}`,
    );
  }
  const groups = params.map((list, i) => ({ params: list, options: rules[i]?.options ?? {} }));
  return groups.filter((group) => group.params.length > 0);
}
