/** @file Curves over epochs or steps as a hand-written SVG document: axes with round ticks, a legend, the best value marked. */

import { expectOptions } from "../../host/options.ts";

export interface Series {
  readonly name: string;
  /** [x, y] points, or y values at x = 1, 2, 3, … (epochs). Values that are not finite leave a gap. */
  readonly points: readonly (readonly [number, number])[] | readonly number[];
  /** Mark the least or greatest value. */
  readonly best?: "min" | "max";
}

export interface CurveOptions {
  readonly title?: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Range of the y axis; default: of the values, widened to round numbers. */
  readonly yRange?: readonly [number, number];
  readonly width?: number;
  readonly height?: number;
}

/** Line colors that stay apart for color-blind readers and in print. */
const lineColors = ["#0b62a4", "#d1580a", "#2a8a4a", "#8e44ad", "#5f6b76"];

/** Curves, such as epoch loss and validation Dice, as an SVG document on a light ground. */
export function curveSvg(series: readonly Series[], options: CurveOptions = {}): string {
  expectOptions("curveSvg", options, "title xLabel yLabel yRange width height");
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
  const [y0, y1] = [ys[0], ys[ys.length - 1]];
  const px = (x: number): number => round(box.left + ((x - x0) / (x1 - x0)) * (box.right - box.left));
  const py = (y: number): number => round(box.bottom - ((y - y0) / (y1 - y0)) * (box.bottom - box.top));

  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" fill="#33404d">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
  ];
  if (title)
    out.push(`<title>${escape(title)}</title>`, text(box.left, 30, title, 'font-size="17" font-weight="600" fill="#17202a"'));
  for (const y of ys) {
    out.push(`<path d="M${box.left} ${py(y)}H${box.right}" stroke="#e3e8ec"/>`);
    out.push(text(box.left - 8, py(y) + 4, label(y, ys), 'text-anchor="end"'));
  }
  for (const x of xs.filter((x) => x >= x0 && x <= x1)) {
    out.push(`<path d="M${px(x)} ${box.bottom}v5" stroke="#7b8794"/>`);
    out.push(text(px(x), box.bottom + 20, label(x, xs), 'text-anchor="middle"'));
  }
  out.push(`<path d="M${box.left} ${box.top}V${box.bottom}H${box.right}" fill="none" stroke="#7b8794"/>`);
  if (xLabel) out.push(text((box.left + box.right) / 2, height - 14, xLabel, 'text-anchor="middle"'));
  if (yLabel) {
    const [x, y] = [20, (box.top + box.bottom) / 2];
    out.push(text(x, y, yLabel, `text-anchor="middle" transform="rotate(-90 ${x} ${y})"`));
  }
  let legendX = box.left;
  lines.forEach((s, k) => {
    const color = lineColors[k % lineColors.length];
    const legendY = box.top - 20;
    out.push(
      `<path d="M${legendX} ${legendY}h22" stroke="${color}" stroke-width="2.5"/>`,
      text(legendX + 28, legendY + 4, s.name),
    );
    legendX += 28 + s.name.length * 7.5 + 24;
    out.push(
      `<path d="${path(s.xy, px, py)}" fill="none" stroke="${color}" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"/>`,
    );
    if (s.xy.length <= 30)
      for (const p of s.xy.filter(isFinitePoint)) out.push(`<circle cx="${px(p[0])}" cy="${py(p[1])}" r="2.6" fill="${color}"/>`);
    const best = s.best && bestOf(s.xy, s.best);
    if (!best) return;
    const [bx, by] = [px(best[0]), py(best[1])];
    // The note goes where there is room: below a point near the top, and inside the frame at either side.
    const anchor = bx > box.right - 110 ? "end" : bx < box.left + 110 ? "start" : "middle";
    const noteY = by - box.top < 30 ? by + 24 : by - 14;
    out.push(`<circle cx="${bx}" cy="${by}" r="6" fill="#ffffff" stroke="${color}" stroke-width="2.5"/>`);
    out.push(
      text(
        bx,
        noteY,
        `best ${best[1].toFixed(4)} at ${best[0]}`,
        `text-anchor="${anchor}" font-weight="600" fill="${color}" stroke="#ffffff" stroke-width="4" paint-order="stroke"`,
      ),
    );
  });
  out.push("</svg>", "");
  return out.join("\n");
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

/** Least and greatest value, never equal, so that a single point has an axis too. */
function extent(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}

/** About `count` round numbers (1, 2 or 5 times a power of ten apart) that enclose the range; whole numbers if asked. */
function ticks(low: number, high: number, count: number, whole: boolean): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = power * ([1, 2, 5].find((m) => m * power >= rough) ?? 10);
  if (whole) step = Math.max(1, Math.round(step));
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** A tick with as many decimals as tell it from its neighbors. */
function label(value: number, all: readonly number[]): string {
  const step = all.length > 1 ? all[1] - all[0] : 1;
  return value.toFixed(Math.min(8, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))));
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes ? ` ${attributes}` : ""}>${escape(content)}</text>`;
}

function isFinitePoint(p: readonly [number, number]): boolean {
  return Number.isFinite(p[0]) && Number.isFinite(p[1]);
}

function round(v: number): number {
  return Math.round(v * 100) / 100;
}

function escape(s: string): string {
  return s.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);
}
