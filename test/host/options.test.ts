/** @file Names and kinds of options: checked against their type, and the nearest name is found. */

import { expect, test } from "vitest";
import { ConfigError } from "../../src/host/errors.ts";
import { expectNames, expectOptions, nearest } from "../../src/host/options.ts";

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
  expectOptions("f", options, "lr:number weightDecay:number?");
  // @ts-expect-error: there is no such kind
  expect(() => expectOptions("f", { lr: 1 }, "lr:nubmer")).toThrow();
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

test.each<[string, string, unknown, string | undefined]>([
  ["a kind", "a:number b", { a: 1, b: "x" }, undefined],
  ["another kind", "a:number b", { a: "1" }, 'f: options.a must be a number, got the text "1"'],
  ["left out", "a:number b:text", {}, undefined],
  ["null where it has no meaning", "a:number", { a: null }, "f: options.a must be a number, got null"],
  ["null where it has one", "a:number?", { a: null }, undefined],
  ["needed and there", "a:number! b!", { a: 1, b: 0 }, undefined],
  ["needed, of a kind", "a:number!", {}, "f: options.a must be a number, got undefined"],
  ["needed, of any kind", "a!", { a: undefined }, 'f: the option "a" is missing'],
  ["a misspelled one that is needed", "alpha:number!", { alhpa: 1 }, "did you mean alpha?"],
])("kinds of options: %s", (_, names, options, message) => {
  const check = () => expectNames("f", options as object, names);
  if (message === undefined) expect(check).not.toThrow();
  else expect(check).toThrow(message);
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
