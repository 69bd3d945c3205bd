/** @file How the minutes of a run are shared out among its stages. */

import { type StageName, stageNames } from "./record.ts";

/** Seconds that each stage gets of eight minutes; of another total, the same shares. */
const seconds: Readonly<Record<StageName, number>> = {
  adapter: 10,
  rows: 100,
  tune: 60,
  ops: 80,
  networks: 110,
  torch: 85,
  steps: 35,
};

/** An item that takes longer than this hangs: its process is ended and another goes on behind it. */
const itemSeconds: Partial<Record<StageName, number>> = { adapter: 30, rows: 25, ops: 30, networks: 60 };

/** A software adapter is given more, since it shares the processor with the references. */
export const itemLimit = (stage: StageName, tiny: boolean): number => (itemSeconds[stage] ?? Infinity) * (tiny ? 3 : 1);

/** Seconds for a stage when so many are left for it and those after it: what earlier stages left over, or took too much, is shared by all. */
export function allotment(stage: StageName, wanted: readonly StageName[], left: number): number {
  const rest = stageNames.slice(stageNames.indexOf(stage)).filter((name) => wanted.includes(name));
  return (Math.max(0, left) * seconds[stage]) / rest.reduce((sum, name) => sum + seconds[name], 0);
}
