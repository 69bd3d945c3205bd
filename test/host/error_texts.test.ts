/** @file The house rule for error texts: no final period, so that messages can be joined and quoted. */
import { globSync, readFileSync } from "node:fs";
import ts from "typescript";
import { expect, test } from "vitest";

const root = new URL("../../src/", import.meta.url).pathname;

/** The texts that a message can end with. */
function endings(node: ts.Expression): string[] {
  if (ts.isParenthesizedExpression(node)) return endings(node.expression);
  if (ts.isBinaryExpression(node)) return endings(node.right);
  if (ts.isConditionalExpression(node)) return [...endings(node.whenTrue), ...endings(node.whenFalse)];
  if (ts.isTemplateExpression(node)) return [node.templateSpans.at(-1)!.literal.text];
  return ts.isStringLiteralLike(node) ? [node.text] : [];
}

/** Texts of `new …Error(…)` and of the helpers that make errors. */
function errorTexts(file: ts.SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const error = ts.isNewExpression(node) && node.expression.getText(file).endsWith("Error");
    const helper =
      ts.isCallExpression(node) && /(^|\.)(fail|failure|explain|wrong|unsupported)$/.test(node.expression.getText(file));
    if (error || helper) found.push(...(node.arguments ?? []).flatMap(endings));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

const parse = (text: string) => ts.createSourceFile("a.ts", text, ts.ScriptTarget.Latest);

test("the scan finds what it looks for", () => {
  expect(errorTexts(parse('throw new ShapeError(`a ${b}: c.`); fail("x" + (y ? "z." : "w"));'))).toEqual([": c.", "z.", "w"]);
});

test("no error text ends with a period", () => {
  const files = globSync("**/*.ts", { cwd: root, exclude: ["**/*.gen.ts"] });
  const texts = files.flatMap((file) => errorTexts(parse(readFileSync(root + file, "utf8"))).map((text) => `${file}: ${text}`));
  expect(texts.length).toBeGreaterThan(300);
  expect(texts.filter((text) => text.endsWith("."))).toEqual([]);
});
