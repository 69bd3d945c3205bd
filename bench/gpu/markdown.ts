/** @file Markdown: tables with aligned columns, as the formatter has them, and numbers for people. */

/** A table; cells are text without line breaks. */
export function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const rows = [head, ...body].map((cells) => cells.map((c) => c.replaceAll("|", "/").replaceAll(/\s+/g, " ").trim()));
  const widths = head.map((_, i) => Math.max(3, ...rows.map((row) => [...row[i]].length)));
  const line = (cells: readonly string[], fill = " ") =>
    `| ${cells.map((c, i) => c + fill.repeat(widths[i] - [...c].length)).join(" | ")} |`;
  return [
    line(rows[0]),
    line(
      head.map(() => ""),
      "-",
    ),
    ...rows.slice(1).map((row) => line(row)),
  ].join("\n");
}

/** Three digits; "–" for what is not a number. */
export function digits(x: number | null | undefined): string {
  if (x === null || x === undefined || Number.isNaN(x)) return "–";
  if (!Number.isFinite(x)) return "∞";
  const a = Math.abs(x);
  return a >= 100 ? x.toFixed(0) : a >= 10 ? x.toFixed(1) : a >= 0.01 || a === 0 ? x.toFixed(2) : x.toExponential(1);
}

export const percent = (part: number | undefined): string =>
  part === undefined || !Number.isFinite(part) ? "–" : `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`;

export const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

/** The first line, cut to a length that a table can hold. */
export function short(text: string, length = 160): string {
  const [first] = text.split("\n");
  return first.length > length ? `${first.slice(0, length)}…` : first;
}

export const code = (text: string): string => `\`${text.replaceAll("`", "'")}\``;
