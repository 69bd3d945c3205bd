/** @file What plots as SVG documents share: ranges, round ticks, texts. */

/** Least and greatest value, never equal, so that a single point has an axis too. */
export function extent(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}

/** About `count` round numbers (1, 2 or 5 times a power of ten apart) that enclose the range; whole numbers if asked. */
export function ticks(low: number, high: number, count: number, whole: boolean): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = power * ([1, 2, 5].find((m) => m * power >= rough) ?? 10);
  if (whole) step = Math.max(1, Math.round(step));
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** A tick with as many decimals as tell it from its neighbors. */
export function label(value: number, all: readonly number[]): string {
  const step = all.length > 1 ? all[1] - all[0] : 1;
  return value.toFixed(Math.min(8, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))));
}

/** A text at a place. */
export function svgText(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes ? ` ${attributes}` : ""}>${svgEscape(content)}</text>`;
}

/** To hundredths of a pixel. */
export function round(v: number): number {
  return Math.round(v * 100) / 100;
}

/** Text as XML takes it. */
export function svgEscape(s: string): string {
  return s.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);
}

/** Where the axes of a chart are, in pixels. */
interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The beginning of a chart's document: its ground, title, y axis with the ticks `ys`; and where a value lies. */
export function beginChart(
  { width, height, title, yLabel }: Readonly<Record<"width" | "height", number>> & { title?: string; yLabel?: string },
  frame: Frame,
  ys: readonly number[],
): { readonly lines: string[]; readonly py: (y: number) => number } {
  const [low, high] = [ys[0], ys[ys.length - 1]];
  const py = (y: number): number => round(frame.bottom - ((y - low) / (high - low)) * (frame.bottom - frame.top));
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" fill="#33404d">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
  ];
  if (title) {
    lines.push(`<title>${svgEscape(title)}</title>`);
    lines.push(svgText(frame.left, 30, title, 'font-size="17" font-weight="600" fill="#17202a"'));
  }
  for (const y of ys) {
    lines.push(`<path d="M${frame.left} ${py(y)}H${frame.right}" stroke="#e3e8ec"/>`);
    lines.push(svgText(frame.left - 8, py(y) + 4, label(y, ys), 'text-anchor="end"'));
  }
  if (yLabel) {
    const [x, y] = [20, (frame.top + frame.bottom) / 2];
    lines.push(svgText(x, y, yLabel, `text-anchor="middle" transform="rotate(-90 ${x} ${y})"`));
  }
  return { lines, py };
}
