/** @file Curves over epochs or steps as a hand-written SVG document: axes with round ticks, a legend, the best value marked. */

import { expectItems } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { beginChart, extent, label, round, svgText, ticks } from "./svg.ts";

/** A curve of a chart. */
export interface Series {
  /** For the legend. */
  readonly name: string;
  /** [x, y] points, or y values at x = 1, 2, 3, … (epochs). Values that are not finite leave a gap. */
  readonly points: readonly (readonly [number, number])[] | readonly number[];
  /** Mark the least or greatest value. */
  readonly best?: "min" | "max";
}

/** Options of `curveSvg`. */
export interface CurveOptions {
  /** Above the chart; default none. */
  readonly title?: string;
  /** Below the x axis; default none. */
  readonly xLabel?: string;
  /** Beside the y axis; default none. */
  readonly yLabel?: string;
  /** Range of the y axis; default: of the values, widened to round numbers. */
  readonly yRange?: readonly [number, number];
  /** In pixels; default 720. */
  readonly width?: number;
  /** In pixels; default 420. */
  readonly height?: number;
}

/** Line colors that stay apart for color-blind readers and in print. */
const lineColors = ["#0b62a4", "#d1580a", "#2a8a4a", "#8e44ad", "#5f6b76"];

/** Curves, such as epoch loss and validation Dice, as an SVG document on a light ground. */
export function curveSvg(series: readonly Series[], options: CurveOptions = {}): string {
  expectOptions("curveSvg", options, "title xLabel yLabel yRange width height");
  expectItems("curveSvg", "series", series, { points: "list" });
  const { title, xLabel, yLabel, width = 720, height = 420 } = options;
  const lines = series.map((s) => ({
    ...s,
    xy: s.points.map((p, i): [number, number] => (typeof p === "number" ? [i + 1, p] : [p[0], p[1]])),
  }));
  const all = lines.flatMap((s) => s.xy).filter(isFinitePoint);
  const xs = ticks(...extent(all.map((p) => p[0])), 8, true);
  const ys = ticks(...(options.yRange ?? extent(all.map((p) => p[1]))), 6, false);
  const box = { left: yLabel ? 72 : 52, right: width - 24, top: title ? 76 : 44, bottom: height - (xLabel ? 58 : 36) };
  const [x0, x1] = extent(all.map((p) => p[0]));
  const px = (x: number): number => round(box.left + ((x - x0) / (x1 - x0)) * (box.right - box.left));
  const { lines: out, py } = beginChart({ ...options, width, height }, box, ys);
  for (const x of xs.filter((x) => x >= x0 && x <= x1)) {
    out.push(`<path d="M${px(x)} ${box.bottom}v5" stroke="#7b8794"/>`);
    out.push(svgText(px(x), box.bottom + 20, label(x, xs), 'text-anchor="middle"'));
  }
  out.push(`<path d="M${box.left} ${box.top}V${box.bottom}H${box.right}" fill="none" stroke="#7b8794"/>`);
  if (xLabel) out.push(svgText((box.left + box.right) / 2, height - 14, xLabel, 'text-anchor="middle"'));
  let legendX = box.left;
  lines.forEach((s, k) => {
    const color = lineColors[k % lineColors.length];
    const legendY = box.top - 20;
    out.push(
      `<path d="M${legendX} ${legendY}h22" stroke="${color}" stroke-width="2.5"/>`,
      svgText(legendX + 28, legendY + 4, s.name),
    );
    legendX += 28 + s.name.length * 7.5 + 24;
    out.push(
      `<path d="${path(s.xy, px, py)}" fill="none" stroke="${color}" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"/>`,
    );
    if (s.xy.length <= 30)
      for (const p of s.xy.filter(isFinitePoint)) out.push(`<circle cx="${px(p[0])}" cy="${py(p[1])}" r="2.6" fill="${color}"/>`);
    const best = s.best && bestOf(s.xy, s.best);
    if (best) out.push(...bestMark(best, [px(best[0]), py(best[1])], box, color));
  });
  out.push("</svg>", "");
  return out.join("\n");
}

/** A ring around the best value and a note, which goes where there is room: below a point near the top, and inside the frame at either side. */
function bestMark(
  [x, y]: readonly [number, number],
  [bx, by]: readonly [number, number],
  box: { readonly left: number; readonly right: number; readonly top: number },
  color: string,
): string[] {
  const anchor = bx > box.right - 110 ? "end" : bx < box.left + 110 ? "start" : "middle";
  const noteY = by - box.top < 30 ? by + 24 : by - 14;
  return [
    `<circle cx="${bx}" cy="${by}" r="6" fill="#ffffff" stroke="${color}" stroke-width="2.5"/>`,
    svgText(
      bx,
      noteY,
      `best ${y.toFixed(4)} at ${x}`,
      `text-anchor="${anchor}" font-weight="600" fill="${color}" stroke="#ffffff" stroke-width="4" paint-order="stroke"`,
    ),
  ];
}

function bestOf(xy: readonly [number, number][], which: "min" | "max"): [number, number] | undefined {
  const points = xy.filter(isFinitePoint);
  return points.reduce<[number, number] | undefined>(
    (b, p) => (b && (which === "max" ? b[1] >= p[1] : b[1] <= p[1]) ? b : p),
    undefined,
  );
}

/** An SVG path through the points; a gap starts a new stroke. */
function path(xy: readonly [number, number][], px: (x: number) => number, py: (y: number) => number): string {
  let pen = "M";
  let d = "";
  for (const p of xy) {
    if (!isFinitePoint(p)) {
      pen = "M";
      continue;
    }
    d += `${pen}${px(p[0])} ${py(p[1])}`;
    pen = "L";
  }
  return d;
}

function isFinitePoint(p: readonly [number, number]): boolean {
  return Number.isFinite(p[0]) && Number.isFinite(p[1]);
}
