/** @file The scores of many cases, and what is said of them: JSON, CSV and a table to read. */

import { expectWord } from "../../host/words.ts";
import { csvField } from "../../host/csv.ts";
import { counted } from "../../host/text.ts";
import { expectFields, expectItems } from "../../host/kinds.ts";
import { summarize, type BootstrapOptions, type Summary } from "./bootstrap.ts";
import type { CaseMetric, EmptyRule } from "./case_metrics.ts";

/** Scores of one case: per class, then per metric. */
export interface ScoredCase {
  /** The case's name. */
  readonly id: string;
  /** A row for each class, a number for each metric. */
  readonly scores: readonly (readonly number[])[];
  /** There was no prediction: an empty one was scored. */
  readonly missing?: true;
}

/** What was compared, and by which rules. */
export interface ComparisonInfo {
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** What was measured. */
  readonly metrics: readonly CaseMetric[];
  /** What a class scores that neither has. */
  readonly empty: EmptyRule;
  /** What stands for a prediction that is not there. */
  readonly missing: "empty" | "skip";
  /** Of `nsd`, in the unit of the spacing. */
  readonly tolerance: number;
  /** Truth value of voxels that did not count. */
  readonly ignore?: number | undefined;
  /** How confidence intervals are drawn. */
  readonly bootstrap?: BootstrapOptions;
}

/** Scores of all cases with their summaries. */
export interface Comparison extends ComparisonInfo {
  /** Each case with its scores. */
  readonly cases: readonly ScoredCase[];
  /** Cases without prediction; scored as empty or left out, as `missing` says. */
  readonly missingCases: readonly string[];
  /** Predictions without truth; left out. */
  readonly surplus: readonly string[];
  /** Per class, then per metric; last, of the mean over the classes of each case. */
  readonly summaries: readonly (readonly Summary[])[];
}

const finiteMean = (values: readonly number[]): number => {
  const known = values.filter((v) => !Number.isNaN(v));
  return known.reduce((s, v) => s + v, 0) / known.length;
};

/** Summaries of the scores. `missingCases` had no prediction, `surplus` no truth. */
export function compareCases(
  info: ComparisonInfo,
  cases: readonly ScoredCase[],
  others: { readonly missingCases?: readonly string[]; readonly surplus?: readonly string[] } = {},
): Comparison {
  expectFields("compareCases", "others", others, { missingCases: "texts?", surplus: "texts?" });
  const { missingCases = [], surplus = [] } = others;
  expectFields("compareCases", "info", info, { classes: "texts", metrics: "objects" });
  expectWord("compareCases", "empty", info.empty, ["nan", "skip", "best"]);
  expectWord("compareCases", "missing", info.missing, ["empty", "skip"]);
  expectItems("compareCases", "cases", cases, { scores: "list" });
  const rows = [...info.classes.keys()].map((c) => cases.map((k) => k.scores[c]));
  const overall = cases.map(({ scores }) => info.metrics.map((_, m) => finiteMean(scores.map((s) => s[m]))));
  const summaries = [...rows, overall].map((of) =>
    info.metrics.map((_, m) =>
      summarize(
        of.map((s) => s[m]),
        info.bootstrap,
      ),
    ),
  );
  return { ...info, cases, missingCases, surplus, summaries };
}

function expectComparison(op: string, comparison: Comparison): void {
  expectFields(op, "comparison", comparison, { classes: "texts", metrics: "objects", cases: "objects", summaries: "objects" });
}

/** Name of the row over all classes. */
const all = "all classes";
const rowNames = ({ classes }: Comparison): string[] => [...classes, all];

/** JSON has neither NaN nor Infinity: those are null and "inf". */
const plain = (v: number): number | string | null => (Number.isNaN(v) ? null : Number.isFinite(v) ? v : v > 0 ? "inf" : "-inf");

/** Everything as JSON: the rules, each case by class and metric, the summaries. */
export function comparisonJson(c: Comparison): string {
  expectComparison("comparisonJson", c);
  const byMetric = <T>(of: (m: number) => T): Record<string, T> =>
    Object.fromEntries(c.metrics.map(({ name }, m) => [name, of(m)]));
  const stat = ({ interval, ...rest }: Summary) => ({
    ...Object.fromEntries(Object.entries(rest).map(([k, v]) => [k, plain(v)])),
    interval: interval.map(plain),
  });
  const { empty, missing, tolerance, ignore, missingCases, surplus } = c;
  const cases = c.cases.map(({ id, scores, missing: gone }) => ({
    id,
    ...(gone && { missing: true }),
    classes: Object.fromEntries(c.classes.map((name, k) => [name, byMetric((m) => plain(scores[k][m]))])),
  }));
  const summary = Object.fromEntries(rowNames(c).map((name, k) => [name, byMetric((m) => stat(c.summaries[k][m]))]));
  return `${JSON.stringify({ rules: { empty, missing, tolerance, ignore: ignore ?? null }, missingCases, surplus, summary, cases }, null, 2)}\n`;
}

const csvNumber = (v: number): string => (Number.isNaN(v) ? "" : Number.isFinite(v) ? String(v) : v > 0 ? "inf" : "-inf");

/** A line per case and class. NaN is an empty field. */
export function comparisonCsv(c: Comparison): string {
  expectComparison("comparisonCsv", c);
  const lines = c.cases.flatMap(({ id, scores, missing }) =>
    c.classes.map((name, k) => [csvField(id), csvField(name), missing ? "missing" : "", ...scores[k].map(csvNumber)].join(",")),
  );
  return `${[["case", "class", "prediction", ...c.metrics.map((m) => m.name)].join(","), ...lines].join("\n")}\n`;
}

const shown = (v: number): string => (Number.isNaN(v) ? "–" : Number.isFinite(v) ? v.toFixed(Math.abs(v) >= 100 ? 1 : 4) : "inf");

/** Columns of one width, the first to the left. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => rows.reduce((w, r) => Math.max(w, r[i].length), 0));
  return rows.map((r) =>
    r
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd(),
  );
}

/** Lines of a table: for each class and metric mean, spread and interval, and what was missing or empty. */
export function comparisonLines(c: Comparison): string[] {
  expectComparison("comparisonLines", c);
  const percent = Math.round((c.bootstrap?.confidence ?? 0.95) * 100);
  const head = ["class", "metric", "mean", "std", "median", `${percent} % interval`, "cases"];
  const rows = rowNames(c).flatMap((name, k) =>
    c.metrics.map(({ name: metric, unit }, m) => {
      const { mean, std, median, interval, count, infinite } = c.summaries[k][m];
      const cases = infinite > 0 ? `${count} (+${infinite} inf)` : String(count);
      return [
        name,
        unit ? `${metric} [${unit}]` : metric,
        ...[mean, std, median].map(shown),
        interval.map(shown).join(" … "),
        cases,
      ];
    }),
  );
  return [...aligned([head, ...rows]), ...notes(c)];
}

/** Lines of a table of the cases: each case and class by metric. */
export function caseLines(c: Comparison): string[] {
  expectComparison("caseLines", c);
  const head = ["case", "class", ...c.metrics.map(({ name, unit }) => (unit ? `${name} [${unit}]` : name))];
  return aligned([head, ...c.cases.flatMap(({ id, scores }) => c.classes.map((name, k) => [id, name, ...scores[k].map(shown)]))]);
}

function notes({ missingCases, surplus, missing }: Comparison): string[] {
  const list = (ids: readonly string[]): string =>
    ids.slice(0, 5).join(", ") + (ids.length > 5 ? ` and ${ids.length - 5} more` : "");
  const out: string[] = [];
  if (missingCases.length > 0) {
    const done = missing === "empty" ? "scored as empty" : "left out";
    out.push(`${missingCases.length} without a prediction, ${done}: ${list(missingCases)}`);
  }
  if (surplus.length > 0) out.push(`${counted(surplus.length, "prediction")} without a truth, left out: ${list(surplus)}`);
  return out;
}
