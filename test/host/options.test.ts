/** @file Names of options: checked against their type, and the nearest one is found. */

import { expect, test } from "vitest";
import { ConfigError } from "../../src/host/errors.ts";
import { expectOptions, nearest } from "../../src/host/options.ts";

interface Options {
  readonly lr?: number;
  readonly weightDecay?: number;
}

test("the list has to be that of the type", () => {
  const options: Options = {};
  expectOptions("f", options, "lr weightDecay");
  expectOptions("f", options, "weightDecay lr");
  // @ts-expect-error: weightDecay is forgotten
  expectOptions("f", options, "lr");
  // @ts-expect-error: there is no rate
  expectOptions("f", options, "lr weightDecay rate");
});

test("what is no object of these options is refused", () => {
  const f = (options: unknown) => () => expectOptions("f", options as Options, "lr weightDecay");
  for (const good of [{}, { lr: 1 }, { lr: undefined, weightDecay: 2 }]) expect(f(good)).not.toThrow();
  for (const bad of [
    undefined,
    null,
    3,
    "lr",
    [1],
    () => 1,
    { l: 1 },
    { "lr weightDecay": 1 },
    { toString: 1 },
    { "": 1 },
    { Lr: 1 },
  ]) {
    expect(f(bad)).toThrow(ConfigError);
  }
});

test("nearest", () => {
  const known = ["lr", "betas", "weightDecay", "numResUnits", "inChannels"];
  const cases = {
    Lr: "lr",
    rl: "lr",
    wieghtDecay: "weightDecay",
    weight_decay: "weightDecay",
    numResUnit: "numResUnits",
    in_channel: "inChannels",
    learningRate: undefined,
    x: undefined,
  };
  for (const [name, found] of Object.entries(cases)) expect([name, nearest(name, known)]).toEqual([name, found]);
});
