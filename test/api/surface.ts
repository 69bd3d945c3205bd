/** @file What users see of the package: the declarations that `npm run build` would emit, and what every entry point exports of them. */

import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { readWords, type Words } from "./words.ts";

const root = join(import.meta.dirname, "../..");
const dist = join(root, "dist");

/** Declarations by path, emitted into memory as the build would; types are not checked, `npm run check` does that. */
export function emitDeclarations(): Map<string, string> {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (d: ts.Diagnostic) => fail(d.messageText) };
  const config = ts.getParsedCommandLineOfConfigFile(join(root, "tsconfig.build.json"), {}, host)!;
  const options = { ...config.options, emitDeclarationOnly: true, sourceMap: false, inlineSources: false, noCheck: true };
  const files = new Map<string, string>();
  ts.createProgram(config.fileNames, options).emit(undefined, (file, text) => files.set(relative(dist, file), text));
  return files;
}

function fail(text: string | ts.DiagnosticMessageChain): never {
  throw new Error(ts.flattenDiagnosticMessageText(text, "\n"));
}

/** Entry points by name, with their declarations. */
export function entryPoints(): [name: string, file: string][] {
  const { name, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    name: string;
    exports: Record<string, { types?: string }>;
  };
  return Object.entries(exports).flatMap(([path, { types }]) => (types ? [[join(name, path), relative("dist", types)]] : []));
}

/** A program of nothing but the declarations: what is not found in it, such as `Promise`, is not ours. */
function programOf(files: ReadonlyMap<string, string>): ts.Program {
  const options: ts.CompilerOptions = {
    noLib: true,
    types: [],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true,
    noEmit: true,
  };
  // Seen from a root of their own. Imports name `.ts` files, as in the sources.
  const pathOf = (file: string) => relative("/", file).replace(/(?<!\.d)\.ts$/, ".d.ts");
  const host: ts.CompilerHost = {
    ...ts.createCompilerHost(options),
    getCurrentDirectory: () => "/",
    fileExists: (file) => files.has(pathOf(file)),
    readFile: (file) => files.get(pathOf(file)),
    getSourceFile: (file, target) => {
      const text = files.get(pathOf(file));
      return text === undefined ? undefined : ts.createSourceFile(file, text, target, true);
    },
    resolveModuleNameLiterals: (literals, from) =>
      literals.map(({ text }) => {
        const file = pathOf(join(dirname(from), text));
        const found = text.startsWith(".") && files.has(file);
        return { resolvedModule: found ? { resolvedFileName: `/${file}`, extension: ts.Extension.Dts } : undefined };
      }),
  };
  return ts.createProgram(
    Array.from(files.keys(), (file) => `/${file}`),
    options,
    host,
  );
}

/** An exported name. */
export interface Export {
  readonly entry: string;
  readonly name: string;
  /** Its declarations without comments and private members. */
  readonly text: string;
  /** File of the sources that it comes from. */
  readonly file: string;
}

export interface Surface {
  readonly exports: readonly Export[];
  /** What their comments lack. */
  readonly words: Words;
  /** Types in public signatures that no entry exports: `Type (file) in entry: name`. */
  readonly leaks: readonly string[];
}

/** What entry points export, of declarations by path. */
export function surfaceOf(
  files: ReadonlyMap<string, string>,
  entries: readonly (readonly [name: string, file: string])[],
): Surface {
  const program = programOf(files);
  const checker = program.getTypeChecker();
  const source = (symbol: ts.Symbol) => symbol.declarations![0].getSourceFile().fileName.slice(1).replace(".d.ts", ".ts");
  const original = (symbol: ts.Symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
  const found = entries.flatMap(([entry, file]) => {
    const module = program.getSourceFile(`/${file}`);
    if (!module) throw new Error(`${entry}: ${file} is not among the declarations`);
    const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(module)!);
    return symbols.map((symbol) => ({ entry, name: symbol.name, symbol: original(symbol) }));
  });
  const exported = new Set(found.map(({ symbol }) => symbol));
  const leaks = new Set<string>();
  // What is in these stands for globals, which need no export.
  const stands = new Set(["host/platform.ts", "tensor/webgpu.ts"]);
  const look = (node: ts.Node, where: string): void => {
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node);
      const type = symbol && original(symbol);
      const top = type?.declarations?.[0];
      if (!top || !isType(type) || !isTopLevel(top) || exported.has(type) || stands.has(source(type))) return;
      leaks.add(`${type.name} (${source(type)}) in ${where}`);
    }
    ts.forEachChild(node, (child) => look(child, where));
  };
  // An exported alias of a hidden one gives it a name.
  const names = (node: ts.Node): boolean => {
    if (!ts.isTypeAliasDeclaration(node) || !ts.isTypeReferenceNode(node.type)) return false;
    const target = checker.getSymbolAtLocation(node.type.typeName);
    return target !== undefined && (original(target).flags & ts.SymbolFlags.TypeAlias) !== 0;
  };
  for (const { entry, name, symbol } of found) {
    for (const declaration of symbol.declarations!) if (!names(declaration)) look(declaration, `${entry}: ${name}`);
  }
  const printer = ts.createPrinter({ removeComments: true });
  const print = (node: ts.Node) =>
    printer
      .printNode(ts.EmitHint.Unspecified, node, node.getSourceFile())
      .replace(/^export (declare |default )?/, "")
      .replaceAll(/^ +(private (?!constructor)|#private)[^\n]*\n/gm, "");
  const exports = found.map(({ entry, name, symbol }): Export => {
    const statements = symbol.declarations!.map((d) => (ts.isVariableDeclaration(d) ? d.parent.parent : d));
    return {
      entry,
      name,
      text: (symbol.name === name ? "" : `${name}: `) + statements.map(print).join("\n"),
      file: source(symbol),
    };
  });
  return { exports, words: readWords(checker, found), leaks: [...leaks].sort() };
}

const isType = (symbol: ts.Symbol): boolean => (symbol.flags & ts.SymbolFlags.Type & ~ts.SymbolFlags.TypeParameter) !== 0;

const isTopLevel = (declaration: ts.Declaration): boolean => ts.isSourceFile(declaration.parent);
