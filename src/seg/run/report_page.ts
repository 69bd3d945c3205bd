/** @file A run as one page: what came out, case by case, how it was trained, on what. Pure: facts in, HTML out; what comes from data is escaped. */

import type { LabelClass } from "../../data/labels.ts";
import { nanMean } from "../../host/stats.ts";
import { counted, formatBytes, formatCount, formatDuration, formatRate } from "../../host/text.ts";
import type { Summary } from "../metrics/bootstrap.ts";
import type { CaseMetric } from "../metrics/case_metrics.ts";
import type { Comparison } from "../metrics/comparison.ts";
import { type DetectionSummary, lunaRates } from "../metrics/detection.ts";
import { boxPlotSvg } from "../pictures/boxes.ts";
import { colorsOf, type Rgb } from "../../data/class_colors.ts";
import { chart, figure, html, type Html, page, section, table } from "../pictures/page.ts";
import { curvesOf } from "./curves.ts";
import { frocSvg } from "./detections.ts";
import { type EpochMetrics, files, type RunInfo } from "./files.ts";
import type { GalleryCase } from "./gallery.ts";
import { speedOf } from "./pace.ts";
import type { Postprocessing } from "./postprocessing.ts";
import type { Session } from "./sessions.ts";

/** All that a page says. */
export interface ReportFacts {
  /** Of the run's folder. */
  readonly name: string;
  /** The recipe in a line. */
  readonly summary: string;
  readonly config: object;
  readonly info: RunInfo;
  /** What is segmented, in the order of the scores. */
  readonly classes: readonly LabelClass[];
  readonly sessions: readonly Session[];
  readonly epochs: readonly EpochMetrics[];
  readonly comparison: Comparison;
  /** Of recipes that look for things. */
  readonly detection?: DetectionSummary | undefined;
  readonly worst: readonly GalleryCase[];
  readonly best: readonly GalleryCase[];
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
  readonly postprocessing?: Postprocessing | undefined;
  /** Files beside the page. */
  readonly files: readonly string[];
}

// Lines of the table of cases; beyond, the CSV file has them.
const mostLines = 3000;

/** The page as a document of its own: no script, nothing is fetched. */
export function reportPage(facts: ReportFacts): string {
  const { name, info, summary, sessions, config } = facts;
  const dataset = sessions.at(-1)?.dataset;
  const trained = sessions.length > 0 ? ` · begun ${dateOf(sessions[0].started)}` : "";
  const title = html`<header>
    <h1>${name}</h1>
    <p class="faint">
      Recipe ${info.recipe.name}, version ${info.recipe.version}: ${summary}${dataset ? ` · dataset ${dataset}` : ""}${trained}
    </p>
    ${tiles(facts)}
  </header>`;
  return page(`${name} – report`, [
    title,
    section("Scores", scores(facts)),
    section("Detection", facts.detection ? detection(facts.detection) : []),
    section("Worst and best cases", gallery(facts)),
    section("Curves", curves(facts)),
    section("Time", times(facts)),
    section("Scores by case", caseTable(facts)),
    section("Cases without a score", facts.failed.length > 0 ? [failures(facts)] : []),
    section("Post-processing", postprocessing(facts)),
    section("Data", [data(facts)]),
    section("Device and versions", sessions.length > 0 ? [starts(sessions)] : []),
    section("Options", [
      table(
        [],
        Object.entries(config).map(([key, value]) => [key, shownOption(value)]),
      ),
    ]),
    section("Files", [
      html`<ul>
        ${facts.files.map((f) => html`<li><a href="${linkTo(f)}">${f}</a></li>`)}
      </ul>`,
    ]),
    html`<footer><p class="faint">Made by voxgrad. Not a medical device: for research and teaching.</p></footer>`,
  ]);
}

const linkTo = (file: string): string => file.split("/").map(encodeURIComponent).join("/");
const shownOption = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
const dateOf = (iso: string): string => iso.slice(0, 16).replace("T", " ");
const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

/** A score as wide as its neighbors. */
const shown = (v: number): string =>
  Number.isNaN(v) ? "–" : Number.isFinite(v) ? v.toFixed(Math.abs(v) >= 100 ? 1 : Math.abs(v) >= 10 ? 2 : 3) : "∞";

function tiles({ comparison, epochs, sessions }: ReportFacts): Html {
  const speed = speedOf(epochs);
  const dice = comparison.metrics.findIndex((m) => m.name === "dice");
  const mean = nanMean(comparison.classes.map((_, c) => comparison.summaries[c][dice]?.mean ?? NaN));
  const skipped = epochs.reduce((sum, e) => sum + (e.skipped ?? 0), 0);
  const facts: (readonly [string, string])[] = [
    ...(Number.isNaN(mean) ? [] : [["mean Dice", mean.toFixed(3)] as const]),
    ["cases", String(comparison.cases.length)],
    ["epochs", String(epochs.length)],
    ...(skipped > 0 ? [["steps skipped", String(skipped)] as const] : []),
    ...(epochs.length > 0 ? [["last loss", shown(epochs[epochs.length - 1].loss)] as const] : []),
    ...(speed ? [["samples/s", formatRate(speed.samplesPerSecond)] as const] : []),
    ...(epochs.length > 0 ? [["training", formatDuration(epochs.reduce((s, e) => s + e.seconds, 0))] as const] : []),
    ...(sessions.length > 0 ? [["parameters", formatCount(sessions[0].parameters)] as const] : []),
  ];
  return html`<dl class="tiles">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

function detection(summary: DetectionSummary): Html[] {
  const { targets, images, sensitivity, falsePositivesPerImage, atRates, froc } = summary;
  return [
    html`<p>
      ${counted(targets, "target")} in ${counted(images, "scan")}; of all candidates sensitivity ${shown(sensitivity)} at
      ${shown(falsePositivesPerImage)} false positives per scan; mean of the sensitivities below ${shown(froc)}.
    </p>`,
    table(["false positives per scan", ...lunaRates.map(String)], [["sensitivity", ...atRates.map(shown)]], 1),
    chart(frocSvg(summary)),
    html`<p class="faint">A candidate hits a target when its middle lies within the target's radius, as LUNA16 has it.</p>`,
  ];
}

const headOf = ({ name, unit }: CaseMetric): string => (unit ? `${name} [${unit}]` : name);

function summaryCell({ mean, std, interval: [low, high], count, infinite }: Summary): Html {
  if (count === 0) return html`–`;
  const spread = Number.isNaN(std) ? "" : ` ± ${shown(std)}`;
  const cases = infinite > 0 ? `, ${count} finite, ${infinite} infinite` : "";
  return html`${shown(mean)}${spread}<small>${shown(low)} … ${shown(high)}${cases}</small>`;
}

function scores({ comparison }: ReportFacts): Html[] {
  const { classes, metrics, summaries, cases } = comparison;
  if (cases.length === 0) return [html`<p>No case has a score.</p>`];
  const names = classes.length > 1 ? [...classes, "all classes"] : classes;
  const rows = names.map((name, c) => [name, ...summaries[c].map(summaryCell)]);
  return [
    table(["class", ...metrics.map(headOf)], rows, 1),
    html`<p class="faint">
      Mean ± standard deviation over the cases that have the class; below it the 95 % interval of the mean, by drawing the cases
      again (bootstrap). Distances are in mm.
    </p>`,
    html`<div class="boxes">${metrics.map((metric, m) => boxes(comparison, metric, m))}</div>`,
  ];
}

function boxes({ classes, cases }: Comparison, metric: CaseMetric, m: number): Html {
  const groups = classes.map((name, c) => ({ name, values: cases.map((k) => k.scores[c][m]) }));
  const range = metric.best === 1 ? { yRange: [0, 1] as const } : {};
  return chart(boxPlotSvg(groups, { title: metric.name, yLabel: headOf(metric), height: 320, ...range }));
}

const chip = (color: Rgb, kind: "fill" | "line"): Html => {
  const rgb = `rgb(${color.join(",")})`;
  return html`<svg class="chip" viewBox="0 0 22 12" aria-hidden="true">
    <rect
      x="1"
      y="1"
      width="20"
      height="10"
      fill="${kind === "fill" ? rgb : "none"}"
      fill-opacity="0.7"
      stroke="${rgb}"
      stroke-width="2"
    />
  </svg>`;
};

function gallery({ worst, best, classes }: ReportFacts): Html[] {
  const shownCase = ({ id, score, picture }: GalleryCase): Html =>
    figure(picture, html`${id}, mean Dice ${shown(score)}`, `slices of ${id} with truth and prediction`);
  if (worst.length === 0) return [];
  const legend = classes.map(
    ({ name }, c) =>
      html`<span>${chip(colorsOf(c + 1).line, "line")}truth ${chip(colorsOf(c + 1).fill, "fill")}prediction: ${name}</span>`,
  );
  const rest = best.length > 0 ? [html`<h3>Best</h3>`, ...best.map(shownCase)] : [];
  return [html`<p class="legend">${legend}</p>`, html`<h3>Worst</h3>`, ...worst.map(shownCase), ...rest];
}

function curves({ epochs, classes }: ReportFacts): Html[] {
  if (epochs.length === 0) return [];
  const all = curvesOf(
    epochs,
    classes.map((c) => c.name),
  );
  return [html`<div class="charts">${all.map(({ svg }) => chart(svg))}</div>`];
}

function times({ epochs }: ReportFacts): Html[] {
  const speed = speedOf(epochs);
  if (!speed) return [];
  const total = epochs.reduce((sum, e) => sum + e.seconds, 0);
  const rows = [
    ["training in all", formatDuration(total)],
    ["an epoch", `${speed.secondsPerEpoch.toFixed(1)} s`],
    ["a validation", speed.validation > 0 ? `${speed.validation.toFixed(1)} s` : "none"],
    ["speed in training steps", `${formatRate(speed.samplesPerSecond)} samples/s`],
    ["waiting for data", `${percent(speed.waiting)} of the time in training steps`],
  ];
  return [table([], rows)];
}

function caseTable({ comparison }: ReportFacts): Html[] {
  const { cases, classes, metrics } = comparison;
  if (cases.length === 0) return [];
  const fits = Math.max(1, Math.floor(mostLines / classes.length));
  const rows = cases
    .slice(0, fits)
    .flatMap(({ id, scores: of }) => classes.map((name, c) => [c === 0 ? id : "", name, ...of[c].map(shown)]));
  const more =
    cases.length > fits
      ? [html`<p>${cases.length - fits} further cases are in <a href="${files.scores}">${files.scores}</a>.</p>`]
      : [];
  return [table(["case", "class", ...metrics.map(headOf)], rows, 2), ...more];
}

const failures = ({ failed }: ReportFacts): Html =>
  table(
    ["case", "reason"],
    failed.map(({ id, reason }) => [id, reason]),
  );

function postprocessing({ postprocessing: found }: ReportFacts): Html[] {
  if (!found)
    return [html`<p>Not decided; <code>voxgrad postprocess</code> finds out whether keeping the largest components helps.</p>`];
  const what = found.steps.map((step) => {
    const { step: name, ...rest } = step;
    const options = Object.entries(rest).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
    return html`<li>${[name, ...options].join(", ")}</li>`;
  });
  const known = (d: number | null): string => (d === null ? "–" : shown(d));
  const rows = Object.entries(found.dice).map(([name, { before, after }]) => [name, known(before), known(after)]);
  return [
    what.length > 0
      ? html`<ul>
          ${what}
        </ul>`
      : html`<p>Keeping the largest components does not help; nothing is done.</p>`,
    html`<p class="faint">Decided on ${found.cases} validation cases. The scores of this page are those before it.</p>`,
    ...(rows.length > 0 ? [table(["class", "Dice before", "Dice after"], rows, 1)] : []),
  ];
}

function data({ info, config, sessions }: ReportFacts): Html {
  const last = sessions.at(-1);
  const { data: folder, fold } = config as { readonly data?: unknown; readonly fold?: unknown };
  const rows: (readonly [string, string])[] = [
    ...(last ? [["dataset", last.dataset] as const] : []),
    ["folder", String(folder)],
    ["fold", String(fold)],
    ...(last ? [["cases", `${last.train} to train, ${last.val} to validate`] as const] : []),
    ["channels", info.channels.join(", ")],
    ["classes", info.labels.map((l) => `${l.name} (${l.values.join(", ")})`).join(", ")],
    ["outputs", info.outputs],
    ["median voxel", `${info.spacing.map((s) => s.toFixed(3)).join(" × ")} mm`],
    ...(info.orientation === undefined ? [] : [["axes", info.orientation] as const]),
  ];
  return table([], rows);
}

function starts(sessions: readonly Session[]): Html {
  const rows = sessions.map((s) => [
    dateOf(s.started),
    s.step === 0 ? "begun" : `resumed in epoch ${s.epoch + 1}, step ${s.step}`,
    `${s.device}${s.software ? " (software)" : ""}`,
    s.runtime,
    s.voxgrad,
    formatBytes(s.plannedBytes),
  ]);
  return table(["UTC", "", "device", "runtime", "voxgrad", "planned memory of a step"], rows);
}
