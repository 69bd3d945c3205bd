/** @file What the constructors of optimizers take: parameters, or groups of them with options of their own. */

import { ConfigError } from "../../host/errors.ts";
import { described } from "../../host/kinds.ts";
import { expectNames } from "../../host/options.ts";
import { expectTensorList } from "../../tensor/kind.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ParamGroup } from "./optimizer.ts";

/** The groups with all options of each: its own, else the optimizer's. What is given as undefined is left out. */
export function groupsOf<H extends object>(
  op: string,
  params: readonly Tensor[] | readonly ParamGroup<H>[],
  options: H,
  names: string,
): { params: readonly Tensor[]; options: Partial<H> }[] {
  if (!Array.isArray(params)) {
    throw new ConfigError(
      `${op}: the parameters are a list, such as model.parameters() or the groups that parameterGroups makes; got ${described(params)}`,
    );
  }
  const [first] = params;
  if (typeof first !== "object" || first === null || !("params" in first)) {
    expectTensorList(op, "params", params);
    return [{ params: params as readonly Tensor[], options }];
  }
  for (const group of params as readonly ParamGroup<H>[]) {
    expectNames(`${op}: a group of parameters`, group, "params options");
    expectNames(`${op}: the options of a group`, group.options ?? {}, names);
    expectTensorList(op, "params", group.params);
  }
  const given = (set: object = {}) => Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined));
  return (params as readonly ParamGroup<H>[]).map((group) => ({
    params: group.params,
    options: { ...options, ...given(group.options) } as Partial<H>,
  }));
}
