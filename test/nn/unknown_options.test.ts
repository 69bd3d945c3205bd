/**
 * @file Whatever the package exports that takes options refuses one that it does not know. What takes options is read from the record of the public
 * surface (test/api), so that a new function or class cannot forget it.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as loading from "../../src/data/index.ts";
import * as files from "../../src/data/index.node.ts";
import * as voxgrad from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as onnx from "../../src/onnx/index.ts";
import * as runs from "../../src/seg/index.node.ts";
import * as seg from "../../src/seg/index.ts";
import * as testing from "../../src/testing/index.ts";
import * as timing from "../../src/bench/index.ts";
import * as weights from "../../src/weights/index.ts";
import { ConfigError, type Device, type Tensor, zeros } from "../../src/index.ts";
import { device } from "../lib/device.ts";

const modules: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  index: voxgrad,
  nn,
  data: loading,
  onnx,
  seg,
  weights,
  "data-node": files,
  "seg-node": runs,
  testing,
  bench: timing,
};

/** Parameters that are records and no options: data, parts of a run, or one of several kinds. */
const data =
  /^(checkOptions|readOptions|saveCheckpoint|loadCheckpoint|restoreCheckpoint|evaluate|evaluationLines|between|choice|count|flag|integers|text|loadRecipe|montage|compareCases|decidePostprocessing)$/;

interface Site {
  readonly name: string;
  /** Types of the parameters before the options. */
  readonly before: readonly string[];
  readonly made: boolean;
}

/** Parts between commas that are in no bracket. */
function parameters(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const [i, c] of [...text].entries()) {
    if ("({[<".includes(c)) depth++;
    if (")}]".includes(c) || (c === ">" && text[i - 1] !== "=")) depth--;
    if (c === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += c;
  }
  return parts.map((part) => part.trim());
}

/** The text from `start` to the bracket that closes it. */
function closed(text: string, start: number): string {
  let depth = 1;
  let i = start;
  for (; depth > 0; i++) depth += "({[".includes(text[i]) ? 1 : ")}]".includes(text[i]) ? -1 : 0;
  return text.slice(start, i - 1);
}

/** Options by their type or their name, or a record that is taken apart where its type stands. */
const takesOptions = (parameter: string): boolean =>
  /: (Omit<|Pick<|Required<)?\w*(Options|Hooks)\b|^(options|hooks)\??:|^\{[^}]*\}\??: \{/.test(parameter);

/** Functions and constructors with a parameter of options. */
function sitesOf(surface: string): Site[] {
  const found: Site[] = [];
  const heads =
    /^(?:abstract )?(?:class (?<made>\w+)|function (?<name>\w+)(?:<[^(]*>)?\((?=.)|const (?<value>\w+): (?:<[^(]*>)?\((?=.))/gm;
  for (const { 0: head, index, groups } of surface.matchAll(heads)) {
    const { made, name, value } = groups!;
    let start = index + head.length;
    if (made) {
      const body = closed(surface, surface.indexOf("{", start) + 1);
      const at = /^ {4}constructor\(/m.exec(body);
      if (!at || head.startsWith("abstract")) continue;
      start = surface.indexOf("{", start) + 1 + at.index + at[0].length;
    }
    const list = parameters(closed(surface, start));
    const at = list.findIndex((p) => takesOptions(p));
    const called = made ?? name ?? value;
    if (at >= 0 && !data.test(called)) found.push({ name: called, before: list.slice(0, at), made: made !== undefined });
  }
  return found;
}

const surfaceOf = (name: string): string => readFileSync(join(import.meta.dirname, `../api/${name}.txt`), "utf8");

describe.each(Object.keys(modules))("%s", async (module) => {
  const dev = await device();
  const tensor = zeros(dev, [1, 2, 4, 4]);
  const argument = (parameter: string): unknown => {
    const type = parameter.replace(/^[^:]*: /, "");
    if (/^Tensor\b/.test(type)) return tensor satisfies Tensor;
    if (type === "Device") return dev satisfies Device;
    if (/^readonly (Transform|ChainStep)\b/.test(type)) return [];
    return type === "number" ? 1 : undefined;
  };

  test.each(sitesOf(surfaceOf(module)))("$name", async ({ name, before, made }) => {
    const called = modules[module][name] as ((...args: unknown[]) => unknown) & (new (...args: unknown[]) => unknown);
    const args = [...before.map(argument), { notAnOption: 1 }];
    const call = async () => {
      const result = made ? new called(...args) : called(...args);
      // A generator looks at its options when it is first asked.
      return result instanceof Object && Symbol.asyncIterator in result
        ? (result as AsyncIterable<unknown>)[Symbol.asyncIterator]().next()
        : result;
    };
    const error = await call().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toMatch(/there is no option "notAnOption"; (known are \w|it takes none)/);
  });
});

test("the message names the nearest option", () => {
  expect(() => new nn.Adam([], { learningRate: 1e-3 } as nn.AdamOptions)).toThrow(
    /^Adam: there is no option "learningRate"; known are lr, betas,/,
  );
  const unet = (options: object) => () => new seg.UNet(undefined as never, options as seg.UNetOptions);
  expect(unet({ numResUnit: 2 })).toThrow(/^UNet: there is no option "numResUnit"; did you mean numResUnits\?/);
  expect(unet({ in_channels: 2 })).toThrow(/did you mean inChannels\?/);
  expect(unet([1])).toThrow(/^UNet: the options must be an object such as \{ spatialDims: … \}, got a list/);
});

test("options in lists are checked too: groups of optimizers, and layers by name", async () => {
  const dev = await device();
  const w = voxgrad.parameter(zeros(dev, [2]));
  const group = (options: object) => [{ params: [w], options }];
  expect(() => new nn.SGD(group({ rate: 1 }))).toThrow(/^SGD: the options of a group: there is no option "rate"/);
  expect(() => new nn.SGD([{ params: [w], lr: 1 } as nn.ParamGroup<nn.SGDOptions>])).toThrow(/group of parameters: .*"lr"/);
  expect(() => nn.activationLayer(dev, ["LEAKYRELU", { slope: 1 }] as never)).toThrow(/did you mean|known are negativeSlope/);
  expect(() => nn.activationLayer(dev, ["RELU", { slope: 1 }] as never)).toThrow(/it takes none/);
  for (const name of ["INSTANCE", "BATCH", "GROUP", "LAYER", "LOCALRESPONSE"]) {
    const needed = { GROUP: { numGroups: 1 }, LAYER: { normalizedShape: 2 }, LOCALRESPONSE: { size: 1 } }[name];
    expect(() => nn.normLayer(dev, [name, { ...needed, epsilon: 1 }] as never, 2)).toThrow(/there is no option "epsilon"/);
  }
  expect(() => nn.dropoutLayer(dev, ["DROPOUT", { rate: 1 }] as never)).toThrow(/there is no option "rate"; known are p/);
});
