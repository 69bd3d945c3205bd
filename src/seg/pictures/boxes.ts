/** @file Box plots as a hand-written SVG document: median, quartiles, whiskers to the last value within 1.5 times their distance, and every value. */

import { expectItems } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { quantiles } from "../../host/stats.ts";
import { beginChart, extent, round, svgText, ticks } from "./svg.ts";

/** A box of a box plot. */
export interface BoxGroup {
  /** Below the box. */
  readonly name: string;
  /** Values that are not finite are left out. */
  readonly values: readonly number[];
}

/** Options of `boxPlotSvg`. */
export interface BoxOptions {
  /** Above the chart; default none. */
  readonly title?: string;
  /** Beside the y axis; default none. */
  readonly yLabel?: string;
  /** Range of the y axis; default: of the values, widened to round numbers. */
  readonly yRange?: readonly [number, number];
  /** In pixels; default what the groups need. */
  readonly width?: number;
  /** In pixels; default 420. */
  readonly height?: number;
}

/** A box for each group, such as the Dice of each class over the cases, as an SVG document on a light ground. */
export function boxPlotSvg(groups: readonly BoxGroup[], options: BoxOptions = {}): string {
  expectOptions("boxPlotSvg", options, "title yLabel yRange width height");
  expectItems("boxPlotSvg", "groups", groups, { values: "numbers" });
  const { title, yLabel, height = 420 } = options;
  const width = options.width ?? Math.max(360, 110 + 90 * groups.length);
  const finite = groups.map((g) => Float64Array.from(g.values.filter(Number.isFinite)).sort());
  const ys = ticks(...(options.yRange ?? extent(finite.flatMap((v) => (v.length > 0 ? [v[0], v[v.length - 1]] : [])))), 6, false);
  const frame = { left: yLabel ? 72 : 52, right: width - 24, top: title ? 56 : 24, bottom: height - 44 };
  const { lines: out, py } = beginChart({ ...options, width, height }, frame, ys);
  const step = (frame.right - frame.left) / Math.max(1, groups.length);
  groups.forEach((g, i) => {
    const x = round(frame.left + (i + 0.5) * step);
    out.push(
      ...boxAt(finite[i], x, Math.min(46, step * 0.6), py),
      svgText(x, frame.bottom + 20, shortened(g.name, step), 'text-anchor="middle"'),
    );
  });
  return `${[...out, "</svg>"].join("\n")}\n`;
}

/** As much of a name as fits a width in pixels, about. */
function shortened(name: string, width: number): string {
  const letters = Math.max(3, Math.floor(width / 7));
  return name.length <= letters ? name : `${name.slice(0, letters - 1)}…`;
}

/** Marks of one group around `x`; none without a value. */
function boxAt(values: Float64Array, x: number, width: number, py: (y: number) => number): string[] {
  if (values.length === 0) return [];
  const [q1, median, q3] = quantiles(values, [0.25, 0.5, 0.75]);
  const reach = 1.5 * (q3 - q1);
  const within = values.filter((v) => v >= q1 - reach && v <= q3 + reach);
  const [bottom, top] = [within[0], within[within.length - 1]];
  const [a, b] = [round(x - width / 2), round(x + width / 2)];
  // Beside each other by a fixed rule, so that the picture of the same values is the same.
  const dots = [...values].map(
    (v, i) => `<circle cx="${round(x + (((i * 0.618034) % 1) - 0.5) * width * 0.7)}" cy="${py(v)}" r="2.2"/>`,
  );
  return [
    `<path d="M${x} ${py(bottom)}V${py(q1)}M${x} ${py(q3)}V${py(top)}" stroke="#0b62a4"/>`,
    `<rect x="${a}" y="${py(q3)}" width="${round(b - a)}" height="${round(py(q1) - py(q3))}" fill="#d9e8f4" stroke="#0b62a4"/>`,
    `<g fill="#33404d" fill-opacity="0.45">${dots.join("")}</g>`,
    `<path d="M${a} ${py(median)}H${b}" stroke="#d1580a" stroke-width="2.5"/>`,
  ];
}
