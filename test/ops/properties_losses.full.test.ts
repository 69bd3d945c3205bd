/** @file Random shapes and options of softmax and the losses. Others: properties.full.test.ts, properties_flat.full.test.ts. */

import * as fc from "fast-check";
import { describe } from "vitest";
import { type Case, images, property, shapes } from "../lib/property.ts";
import { awayFromZero, between, index, type InputSpec, normal, uniform, type Values } from "../lib/row.ts";

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const given = (options: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined));

describe("random losses", () => {
  const logits: Values = (random, i) => 3 * normal(random, i);
  const reduction = fc.constantFrom("none", "sum", "mean");
  const filled = images.filter(([n]) => n > 0); // the mean of nothing is no number
  for (const name of ["softmax", "logSoftmax"]) {
    property(
      name,
      shapes
        .chain((s) => fc.tuple(fc.constant(s), fc.integer({ min: -s.length, max: s.length - 1 })))
        .map(([shape, axis]) => ({ inputs: { x: { shape, values: logits } }, args: { axis }, tolerance: { floor: 1 } })),
    );
  }
  property(
    "crossEntropyLoss",
    fc
      .tuple(filled, reduction, fc.boolean(), fc.boolean(), fc.constantFrom(0, 0.1, 1), optional(fc.constantFrom(0, 255)))
      .map(([shape, reduction, probabilities, weighted, labelSmoothing, ignoreIndex]): Case => {
        const labels = (random: () => number) => (random() < 0.2 ? (ignoreIndex ?? -100) : Math.floor(random() * shape[1]));
        // Position 0 counts, so that the mean is one.
        const values: Values = (random, i) => (i === 0 && ignoreIndex !== 0 ? 0 : i === 0 ? shape[1] - 1 : labels(random));
        const target: InputSpec = probabilities
          ? { shape, values: uniform }
          : { shape: shape.toSpliced(1, 1), values, dtype: "i32" };
        const weight: Record<string, InputSpec> = weighted ? { weight: { shape: [shape[1]], values: between(0.2, 2) } } : {};
        return {
          inputs: { input: { shape, values: logits }, target, ...weight },
          args: given({ reduction, labelSmoothing, ignoreIndex: probabilities ? undefined : ignoreIndex }),
        };
      })
      .filter(({ inputs, args }) => !("ignoreIndex" in args && args.ignoreIndex === 0 && inputs.input.shape[1] === 1)),
    20,
  );
  // Pipelines that the row has too, because each takes a software adapter up to a second to compile; here it is the shapes that vary.
  const regions = fc.constantFrom(
    { activation: "none", mode: "plain", indexTarget: false },
    { activation: "softmax", mode: "squared", indexTarget: true },
    { activation: "sigmoid", mode: "soft", indexTarget: false },
    { activation: "softmax", mode: "plain", indexTarget: true, maskOf: "terms" },
    { activation: "sigmoid", mode: "plain", indexTarget: false, maskOf: "inputs" },
  );
  property(
    "regionSums",
    fc.tuple(images, regions, fc.boolean()).map(([shape, args, shared]): Case => {
      const one = shape.with(1, 1);
      const { activation, mode, indexTarget, maskOf } = { maskOf: undefined, ...args };
      const labels = indexTarget ? index(shape[1]) : mode === "soft" ? uniform : index(2);
      const mask: InputSpec = { shape: shared ? one.with(0, 1) : one, values: between(0.25, 1) };
      return {
        inputs: {
          x: { shape, values: activation === "none" ? awayFromZero() : logits },
          target: { shape: indexTarget ? one : shape, values: labels, dtype: indexTarget && maskOf ? "i32" : "f32" },
          ...(maskOf ? { mask } : {}),
        },
        args,
        tolerance: { floor: 0.1 },
      };
    }),
    20,
  );
  property(
    "focalLoss",
    fc
      .tuple(
        filled,
        reduction,
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(0, 0.5, 1, 2, 2.5),
        optional(fc.constantFrom(0.25, 0.75)),
      )
      .map(([shape, reduction, useSoftmax, toOnehotY, includeBackground, gamma, alpha]): Case => {
        const indices = toOnehotY && shape[1] > 1;
        const target: InputSpec = {
          shape: indices ? shape.with(1, 1) : shape,
          values: index(indices ? shape[1] : 2),
          dtype: "i32",
        };
        return {
          inputs: { input: { shape, values: logits }, target },
          args: given({ reduction, useSoftmax, toOnehotY, includeBackground, gamma, alpha }),
        };
      }),
    20,
  );
});
