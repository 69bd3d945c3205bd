/**
 * @file Pages that stand alone: HTML in which every value is escaped unless it is HTML already, one style for screen, dark screen and paper. No script, and
 * nothing is fetched: the page's own policy forbids it.
 */

import { svgEscape } from "./svg.ts";

/** Text that is HTML. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | readonly Html[] | string | number | undefined;

const textOf = (value: Value): string => {
  if (value === undefined) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map((v) => v.text).join("");
  return svgEscape(String(value)).replaceAll("'", "&#39;");
};

/** A template whose values are escaped; HTML and lists of HTML are taken as they are. */
export const html = (parts: TemplateStringsArray, ...values: readonly Value[]): Html =>
  new Html(parts.reduce((text, part, i) => text + textOf(values[i - 1]) + part));

/** A chart that this library drew. */
export const chart = (svg: string): Html => html`<div class="chart">${new Html(svg)}</div>`;

/** A table whose columns from the number `numbers` on hold numbers, which stand to the right; default none. */
export function table(head: readonly Value[], rows: readonly (readonly Value[])[], numbers = Infinity): Html {
  const side = (i: number): Html => new Html(i >= numbers ? ' class="number"' : "");
  const header = html`<thead>
    <tr>
      ${head.map((cell, i) => html`<th scope="col" ${side(i)}>${cell}</th>`)}
    </tr>
  </thead>`;
  const body = rows.map(
    (cells) =>
      html`<tr>
        ${cells.map((cell, i) => (i === 0 ? html`<th scope="row">${cell}</th>` : html`<td${side(i)}>${cell}</td>`))}
      </tr>`,
  );
  return html`<div class="wide">
    <table>
      ${head.length > 0 ? header : undefined}
      <tbody>
        ${body}
      </tbody>
    </table>
  </div>`;
}

/** A section with its heading; none without content. */
export const section = (title: string, content: readonly Html[]): Html =>
  content.length === 0
    ? html``
    : html`<section>
        <h2>${title}</h2>
        ${content}
      </section>`;

/** A picture inside of the page. */
export const figure = (png: Uint8Array, caption: Html, description: string): Html =>
  html`<figure>
    <img src="data:image/png;base64,${base64(png)}" alt="${description}" />
    <figcaption>${caption}</figcaption>
  </figure>`;

function base64(bytes: Uint8Array): string {
  let text = "";
  // In parts, since arguments of a call are limited; multiples of 3 bytes need no padding between them.
  for (let i = 0; i < bytes.length; i += 0x6000) text += btoa(String.fromCharCode(...bytes.subarray(i, i + 0x6000)));
  return text;
}

const style = `
:root{color-scheme:light dark;--ground:#fff;--ink:#17202a;--faint:#5f6b76;--line:#d9dfe4;--tint:#f4f6f8;--link:#0b62a4}
@media screen and (prefers-color-scheme:dark){:root{--ground:#14181c;--ink:#e6eaee;--faint:#9aa6b2;--line:#333c45;--tint:#1c2228;--link:#6db5ee}
.chart svg{filter:invert(.92) hue-rotate(180deg)}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1120px;padding:24px 20px 60px;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Helvetica,Arial,sans-serif}
h1{font-size:26px;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:19px;margin:36px 0 10px;padding-bottom:4px;border-bottom:1px solid var(--line)}h3{font-size:15px;margin:18px 0 6px}
p{margin:6px 0;max-width:80ch}.faint,figcaption,small{color:var(--faint)}a{color:var(--link)}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:10px;margin:18px 0 0;padding:0}
.tiles div{background:var(--tint);border-radius:8px;padding:10px 14px}.tiles dt{color:var(--faint);font-size:13px}.tiles dd{margin:0;font-size:20px;font-weight:600;overflow-wrap:anywhere}
.wide{overflow-x:auto;margin:8px 0}table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:4px 12px 4px 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;font-weight:400;max-width:70ch;overflow-wrap:break-word}
thead th{color:var(--faint);font-size:13px;vertical-align:bottom}.number{text-align:right;padding-left:12px;padding-right:6px;white-space:nowrap}small{display:block;font-size:12px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:14px}.boxes{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,350px),1fr));gap:14px}.chart svg{display:block;max-width:100%;height:auto;border-radius:6px}
figure{margin:14px 0 20px}img{display:block;max-width:100%;height:auto;border-radius:4px}figcaption{margin-top:4px;font-size:14px}
.chip{display:inline-block;width:22px;height:12px;margin:0 6px 0 0;vertical-align:-1px}.legend span{margin-right:18px;white-space:nowrap}
@media print{body{max-width:none;padding:0;font-size:11px}h2{break-after:avoid}figure,.chart,tr{break-inside:avoid}.wide{overflow:visible}a{color:inherit}}
`;

/** A whole page. */
export function page(title: string, content: readonly Html[]): string {
  const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${new Html(policy)}" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <title>${title}</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        ${content}
      </body>
    </html> `.text;
}
