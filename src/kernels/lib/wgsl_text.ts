/** @file WGSL as text: without comments and needless spaces, cut into declarations and lists. */

/** Blanks in place of comments; what is left stays where it was. */
export const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, " "));

/** Without the spaces that part nothing: they stay between two words, and between two operators, which could become another (`- -`, `/ *`). */
export const tight = (line: string): string =>
  line.replace(/(?<=[()[\]{};,:]) +| +(?=[()[\]{};,:])|(?<=\w) +(?=[^\w\s])|(?<=[^\w\s]) +(?=\w)/g, "");

/** The line of a place, from 1. */
export const lineAt = (text: string, at: number): number => text.slice(0, at).split("\n").length;

/** Declarations of module scope, each with its first line. */
export function declarations(text: string): { readonly text: string; readonly line: number }[] {
  const list: { text: string; line: number }[] = [];
  let start = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if ("{([".includes(c)) depth++;
    if ("})]".includes(c)) depth--;
    if (depth > 0 || (c !== ";" && c !== "}")) continue;
    const whole = text.slice(start, i + 1);
    const body = whole.trim();
    if (body !== ";") list.push({ text: body, line: lineAt(text, start + whole.indexOf(body)) });
    start = i + 1;
  }
  return list;
}

/** A list split at commas that are not inside `<…>`. */
export function split(list: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const c of list) {
    if (c === "<") depth++;
    if (c === ">") depth--;
    if (c === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += c;
  }
  return parts;
}
