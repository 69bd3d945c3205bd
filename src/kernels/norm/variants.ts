/** @file How many workgroups share a group of a norm: one, or one for each of its slabs. */

import type { Device } from "../../tensor/device.ts";
import { chosen } from "../lib/choices.ts";
import { leastShare, workgroupsToFill } from "../lib/occupancy.ts";
import type { NormGeometry } from "./shape.ts";

/** Four elements a thread, where neither runs nor channels end inside. */
export const isWide = (g: NormGeometry): boolean => g.run % 4 === 0 && g.inner % 4 === 0;

/** Workgroups per group, or per channel of a group, of `length` elements. */
type Slabs = (device: Device, g: NormGeometry, length: number) => number;

const whole: Slabs = () => 1;

const slabs: Slabs = (device, g, length) => {
  const each = workgroupsToFill(device, "norm") / Math.max(1, g.groups);
  const wanted = Math.max(2, Math.min(64, Math.ceil(each), Math.floor(length / leastShare)));
  const threads = length / (isWide(g) ? 4 : 1);
  const slab = Math.ceil(threads / wanted);
  return Math.ceil(threads / slab);
};

export const normVariants = { whole, slabs };

/** The fixed rule: slabs on hardware, for a few large groups. */
export function normRule(device: Device, g: NormGeometry, length: number): keyof typeof normVariants {
  const few = g.groups < workgroupsToFill(device, "norm") / 8;
  return !device.software && few && g.count >= 8 * leastShare && length >= 2 * leastShare ? "slabs" : "whole";
}

const power = (n: number): number => 2 ** Math.round(Math.log2(Math.max(1, n)));

/** Class of a norm, under which `tune` notes its choice. */
export const normProblem = (g: NormGeometry, length: number): string => `norm ${power(g.groups)} of ${power(length)}`;

/** Workgroups that share each group, or each channel of one, of `length` elements. `device.choices` may say otherwise than the rule. */
export const slabsOf = (device: Device, g: NormGeometry, length: number): number =>
  chosen(device, normProblem(g, length), normVariants, normRule(device, g, length))(device, g, length);
