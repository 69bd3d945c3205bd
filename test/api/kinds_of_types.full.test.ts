/**
 * @file Checks of kinds against types: what a check refuses must not be of the type that the argument or option is declared with, since a right call would
 * end in an error then. Types are as the compiler has narrowed them where the check stands.
 */

import { join, relative } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { optionRows } from "../../src/host/options.ts";

const root = join(import.meta.dirname, "../..");
const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => expect.unreachable("tsconfig.json is there") };
const config = ts.getParsedCommandLineOfConfigFile(join(root, "tsconfig.json"), {}, host)!;
const program = ts.createProgram(config.fileNames, config.options);
const checker = program.getTypeChecker();
const { TypeFlags: Flags } = ts;

const parts = (t: ts.Type): readonly ts.Type[] => (t.isUnion() ? t.types : [t]);

/** The type of the elements of a list; of generic ones the widest that they may be. */
function elementOf(t: ts.Type): ts.Type | undefined {
  const isList = checker.isArrayType(t) || checker.isTupleType(t) || t.symbol?.name === "ReadonlyArray";
  const element = isList ? checker.getIndexTypeOfType(t, ts.IndexKind.Number) : undefined;
  return element && (checker.getBaseConstraintOfType(element) ?? element);
}

const isOf = (t: ts.Type | undefined, flags: ts.TypeFlags): boolean =>
  t !== undefined && parts(t).every((part) => (part.flags & flags) !== 0);
const isFunction = (t: ts.Type): boolean => t.getCallSignatures().length + t.getConstructSignatures().length > 0;
const isList = (t: ts.Type): boolean => elementOf(t) !== undefined;
const isNumber = (t: ts.Type): boolean => isOf(t, Flags.NumberLike);
const isNumbers = (t: ts.Type): boolean => isOf(elementOf(t), Flags.NumberLike);
const isTexts = (t: ts.Type): boolean => isOf(elementOf(t), Flags.StringLike);
const isOneOrMany = (t: ts.Type): boolean => isNumber(t) || isOf(elementOf(t), Flags.NumberLike | Flags.Null);

/** Whether a kind takes all values of a type that is no union; kinds that are not here say more than types do. */
const takes: Readonly<Record<string, (t: ts.Type) => boolean>> = {
  number: isNumber,
  boolean: (t) => isOf(t, Flags.BooleanLike),
  text: (t) => isOf(t, Flags.StringLike),
  function: isFunction,
  list: isList,
  numbers: isNumbers,
  texts: isTexts,
  spread: (t) => isNumber(t) || isNumbers(t),
  sizes: isOneOrMany,
  voxel: isNumber,
  names: (t) => isOf(t, Flags.StringLike) || isTexts(t),
  object: (t) => !isOf(t, Flags.NumberLike | Flags.StringLike | Flags.BooleanLike) && !isList(t) && !isFunction(t),
};
const anything = Flags.Any | Flags.Unknown | Flags.TypeParameter | Flags.Never;

/** Values of the declared type that a kind does not take; `undefined` and null where they have a meaning of their own are no concern of it. */
function refusedBy(kind: string, declared: ts.Type): string[] {
  const test = takes[kind.replace(/[!?]/, "")];
  if (declared.flags & Flags.Unknown) return [];
  const given = parts(checker.getNonNullableType(declared)).filter((t) => !isOf(t, anything));
  return test ? given.filter((t) => !test(t)).map((t) => checker.typeToString(t)) : [];
}

/** The text of a literal, of a template of constants, or of a constant, which may be a static of a class. */
function textOf(node: ts.Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isAsExpression(node)) return textOf(node.expression);
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map((span) => `${textOf(span.expression)}${span.literal.text}`).join("");
  const symbol = checker.getSymbolAtLocation(node);
  const whole = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const declaration = whole?.valueDeclaration;
  const constant = declaration && (ts.isVariableDeclaration(declaration) || ts.isPropertyDeclaration(declaration));
  return constant ? textOf(declaration.initializer) : undefined;
}

const fieldsOf = (node: ts.Node): [name: string, type: ts.Type][] =>
  checker.getPropertiesOfType(checker.getTypeAtLocation(node)).map((p) => [p.name, checker.getTypeOfSymbolAtLocation(p, node)]);

/** Kinds of options by name, as a call of one of the checks names them. */
function kindsIn(name: string, [, , third, fourth]: readonly ts.Expression[]): (option: string) => string | undefined {
  const literals = (node: ts.Node): [string, string | undefined][] =>
    fieldsOf(node).map(([key, type]) => [key, type.isStringLiteral() ? type.value : undefined]);
  if (name === "expectFields") return (option) => (fourth ? new Map(literals(fourth)).get(option) : undefined);
  const names = textOf(third);
  if (names === undefined) unread.push(`${relative(join(root, "src"), third.getSourceFile().fileName)}: ${third.getText()}`);
  return (option) => optionRows(names ?? "").find((row) => row.name === option)?.kind;
}

const unread: string[] = [];
const about: Readonly<Record<string, number>> = {
  expectOptions: 1,
  expectFields: 2,
  checkedOptions: 1,
  allOptions: 1,
};

function wrongIn(call: ts.CallExpression, name: string): string[] {
  const args = [...call.arguments];
  if (name === "expectArguments") {
    const kind = textOf(args[1]);
    if (kind === undefined) return [];
    return fieldsOf(args[2]).flatMap(([key, type]) => refusedBy(kind, type).map((t) => `${key}: ${t} is no ${kind}`));
  }
  if (!Object.hasOwn(about, name)) return [];
  const kindOf = kindsIn(name, args);
  return fieldsOf(args[about[name]]).flatMap(([key, type]) => {
    const kind = kindOf(key);
    return kind === undefined ? [] : refusedBy(kind, type).map((t) => `${key}: ${t} is no ${kind}`);
  });
}

test("no check refuses what its type allows", () => {
  const wrong: string[] = [];
  let calls = 0;
  const visit = (node: ts.Node, file: ts.SourceFile): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const found = wrongIn(node, node.expression.text);
      if (node.expression.text === "expectArguments") calls++;
      const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
      wrong.push(...found.map((text) => `${relative(root, file.fileName)}:${line} ${text}`));
    }
    ts.forEachChild(node, (child) => visit(child, file));
  };
  for (const file of program.getSourceFiles()) if (file.fileName.startsWith(join(root, "src/"))) visit(file, file);
  expect(calls).toBeGreaterThan(300);
  expect(wrong).toEqual([]);
  // Texts that callers hand on.
  expect(unread.sort()).toEqual(["data/transforms/options.ts: names as string", "data/transforms/spatial/elastic.ts: known"]);
});
