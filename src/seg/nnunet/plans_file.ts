/** @file `plans.json` of nnU-Net v2 as a file: read, its configurations completed by those they inherit from, older spellings understood. */

import { FormatError } from "../../host/errors.ts";
import { expectConfiguration, expectTransposes, isRecord } from "./check_plans.ts";
import { type ArchitectureArguments, layersOf, type PlannedConfiguration } from "./configuration.ts";
import type { NnunetPlans } from "./plan.ts";

type Json = Readonly<Record<string, unknown>>;

/** A JSON file as a record. @throws FormatError naming the file */
export function jsonRecord(bytes: Uint8Array, name: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FormatError(`${name}: is no JSON (${(cause as Error).message})`, { cause });
  }
  if (!isRecord(value))
    throw new FormatError(
      `${name}: expected a record, got ${Array.isArray(value) ? "a list" : value === null ? "null" : typeof value}`,
    );
  return value;
}

/** A plans file, as far as predicting needs it. */
export interface PlansFile {
  readonly plans: Pick<
    NnunetPlans,
    "transpose_forward" | "transpose_backward" | "image_reader_writer" | "foreground_intensity_properties_per_channel"
  >;
  readonly configurations: readonly string[];
  /** @throws FormatError for one that there is not, or that lacks what is needed */
  configuration(name: string): PlannedConfiguration;
}

/** Reads `plans.json`. @throws FormatError naming the file and the key */
export const parsePlans = (bytes: Uint8Array, name = "plans.json"): PlansFile => plansFile(jsonRecord(bytes, name), name);

/** The same of plans that were read, or just made. */
export function plansFile(json: object, name = "plans.json"): PlansFile {
  return completed(json as Json, name);
}

function completed(json: Json, name: string): PlansFile {
  const fail = (problem: string) => new FormatError(`${name}: ${problem}`);
  if (!isRecord(json)) throw fail("is no record; is this nnU-Net v2's plans file?");
  const need = (key: string): unknown => {
    if (json[key] === undefined) throw fail(`"${key}" is missing; is this nnU-Net v2's plans file?`);
    return json[key];
  };
  const configurations = need("configurations") as Record<string, Json>;
  if (!isRecord(configurations)) throw fail('"configurations" is no record');
  const complete = (key: string, seen: readonly string[] = []): Json => {
    const own = configurations[key];
    if (!isRecord(own)) throw fail(`there is no configuration "${key}"; it has ${Object.keys(configurations).join(", ")}`);
    if (seen.includes(key)) throw fail(`configuration "${key}" inherits from itself`);
    const from = own.inherits_from;
    return typeof from === "string" ? { ...complete(from, [...seen, key]), ...own } : own;
  };
  expectTransposes(need("transpose_forward"), need("transpose_backward"), fail);
  if (!isRecord(need("foreground_intensity_properties_per_channel")))
    throw fail('"foreground_intensity_properties_per_channel" is no record');
  if (typeof need("image_reader_writer") !== "string") throw fail('"image_reader_writer" is no name');
  return {
    plans: {
      transpose_forward: need("transpose_forward") as number[],
      transpose_backward: need("transpose_backward") as number[],
      image_reader_writer: need("image_reader_writer") as string,
      foreground_intensity_properties_per_channel: need("foreground_intensity_properties_per_channel") as never,
    },
    configurations: Object.keys(configurations),
    configuration(key) {
      const own = complete(key);
      const found = { ...own, architecture: own.architecture ?? architectureBefore24(own, fail) };
      expectConfiguration(key, found, fail);
      return found as unknown as PlannedConfiguration;
    },
  };
}

/** Plans of nnU-Net before 2.4 name a network and its numbers in keys of their own. */
function architectureBefore24(c: Json, fail: (problem: string) => Error): PlannedConfiguration["architecture"] {
  const kernels = c.conv_kernel_sizes as number[][];
  if (!Array.isArray(kernels) || !Array.isArray(kernels[0]))
    throw fail("a configuration has neither an architecture nor the conv_kernel_sizes of older plans");
  const dims = kernels[0].length;
  const residual = String(c.UNet_class_name).includes("ResidualEncoder");
  const base = Number(c.UNet_base_num_features);
  const most = Number(c.unet_max_num_features);
  const encoder = c.n_conv_per_stage_encoder as number[];
  const args: ArchitectureArguments = {
    n_stages: kernels.length,
    features_per_stage: kernels.map((_, i) => Math.min(base * 2 ** i, most)),
    ...layersOf(dims),
    kernel_sizes: kernels,
    strides: c.pool_op_kernel_sizes as number[][],
    ...(residual ? { n_blocks_per_stage: encoder } : { n_conv_per_stage: encoder }),
    n_conv_per_stage_decoder: c.n_conv_per_stage_decoder as number[],
  };
  return {
    network_class_name: `dynamic_network_architectures.architectures.unet.${residual ? "ResidualEncoderUNet" : "PlainConvUNet"}`,
    arch_kwargs: args,
    _kw_requires_import: ["conv_op", "norm_op", "dropout_op", "nonlin"],
  };
}
