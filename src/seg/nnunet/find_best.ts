/**
 * @file nnU-Net's choice between configurations: each by itself and every two as an ensemble, by the mean foreground Dice over all validation cases of all
 * folds. Of equals the first, so a single one before an ensemble.
 */

import { expectArguments, expectItems } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";
import { nanMean } from "../../host/stats.ts";

/** A configuration, or several as an ensemble, and its score. */
export interface Contender {
  /** Names of its configurations. */
  readonly members: readonly string[];
  /** Mean over classes of the means over cases that have the class. */
  readonly dice: number;
}

/** Dice of each foreground class by validation case; NaN where neither truth nor prediction has it. */
export type CaseDice = ReadonlyMap<string, readonly number[]>;

/** nnU-Net's `foreground_mean`. */
export function foregroundMean(cases: CaseDice): number {
  expectArguments("foregroundMean", "map", { cases });
  const rows = [...cases.values()];
  return nanMean((rows[0] ?? []).map((_, c) => nanMean(rows.map((row) => row[c]))));
}

/** Single ones in their order, then pairs. `names` are those of the configurations; pairs come with `ensembles` only. */
export function membersOf(names: readonly string[], ensembles: boolean): string[][] {
  expectArguments("membersOf", "texts", { names });
  const pairs = names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b]));
  return [...names.map((name) => [name]), ...(ensembles ? pairs : [])];
}

/**
 * The best of some contenders. Contenders are named by their `members`. Gives the `best`, and `all` with their mean Dice.
 * @throws ConfigError without any, and where two were not scored on the same cases: their means then mean nothing
 */
export function bestOf(scored: readonly { readonly members: readonly string[]; readonly cases: CaseDice }[]): {
  readonly best: Contender;
  readonly all: readonly Contender[];
} {
  expectItems("bestOf", "scored", scored, { members: "texts", cases: "map" });
  const [first, ...others] = scored;
  if (!first) throw new ConfigError("bestOf: there is no configuration");
  const ids = (cases: CaseDice) => [...cases.keys()].sort().join();
  const other = others.find(({ cases }) => ids(cases) !== ids(first.cases));
  if (other)
    throw new ConfigError(
      `${other.members.join(" + ")} was validated on other cases than ${first.members.join(" + ")}; train the same folds of each`,
    );
  const all = scored.map(({ members, cases }) => ({ members, dice: foregroundMean(cases) }));
  return { all, best: all.reduce((a, b) => (b.dice > a.dice ? b : a)) };
}
