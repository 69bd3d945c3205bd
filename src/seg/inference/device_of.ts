/** @file The device that a network is on. */
import { ConfigError } from "../../host/errors.ts";
import type { Module } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";

/** Throws `ConfigError` for a network without parameters. */
export function deviceOf(model: Module): Device {
  for (const [, tensor] of model.namedTensors()) return tensor.device;
  throw new ConfigError(
    "inferer: the network has no parameter, which would tell its device; give new Predictor(device, network)",
  );
}
