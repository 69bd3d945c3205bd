/**
 * @file What the public surface says of itself, member by member. The rules:
 *
 * 1. Every export has a description, and so has every member of an interface, a class or an object type, its own or that of the member it implements or
 *    overrides. One whose words are all in the name is none. A member that can only be one word, the tag of a union, needs none; one of an object type
 *    that stands in a signature or a union may be named in the description of that.
 * 2. Every parameter of what has a comment of its own is told of: by `@param`, by its name in the description of its function (or class, for a
 *    constructor), by members of its own that are described, or by a type of ours, which has a description of its own.
 * 3. What takes, gives or holds `arrays` tells their shape: in brackets, `[N, C, …]`, or by a word of `shapes`, in its own description or in that of what
 *    it belongs to.
 * 4. Numbers that have the name of one of the `quantities` tell the unit likewise.
 */

import ts from "typescript";

export interface Finding {
  /** `Owner.member`, with `()` behind a function. */
  readonly what: string;
  readonly file: string;
  readonly rule: "description" | "parameter" | "shape" | "unit";
}

const arrays = /\b(Tensor|HostArray|Volume|Segmentation|Float32Array|Float64Array|(?:Int|Uint)(?:8|16|32)Array|TypedArray)\b/;
const shapes = /\[[^\]]*[A-Za-z…·][^\]]*\]|\bshapes?\b|\bscalars?\b|broadcast|\belements?\b|\bbytes?\b/i;

/** Names of quantities, and what counts as telling their unit. */
const quantities: readonly (readonly [name: RegExp, unit: RegExp])[] = [
  [/(^s|S)pacings?$|^pixdim$|(^v|V)oxelSize$|(^o|O)rigin$|(^t|T)hickness$/, /\bmm\b|millimet|voxel|pixel|\bunits?\b/i],
  [
    /(^s|S)igma[sXYZ]?$|(^r|R)adius$|(^r|R)adii$|(^d|D)iameters?$|(^d|D)istances?$|(^m|M)argin$/,
    /\bmm\b|millimet|voxel|pixel|element|cell|bins?\b|\bunits?\b|intensit/i,
  ],
  [/(^s|S)econds$|(^d|D)uration$|^eta$|(^t|T)imeout$/, /second|\bms\b|minute/i],
  [/(^b|B)ytes$/, /byte|[KMG]i?B/i],
  [/(^a|A)ngles?$|(^d|D)egrees$|^rotat(e|ion)(Range)?$|^range[XYZ]$/, /radian|degree|°/i],
  [/(patch|roi|crop|window|kernel|tile)Size$/i, /voxel|pixel|element|cell|grid|spatial|axis|axes/i],
];

const isPrivate = (node: ts.Node): boolean =>
  (ts.isPropertyDeclaration(node) && ts.isPrivateIdentifier(node.name)) ||
  (ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some((m) => m.kind === ts.SyntaxKind.PrivateKeyword));

type Member = ts.PropertySignature | ts.PropertyDeclaration | ts.MethodSignature | ts.MethodDeclaration | ts.AccessorDeclaration;
const isMember = (node: ts.Node): node is Member =>
  ts.isPropertySignature(node) ||
  ts.isPropertyDeclaration(node) ||
  ts.isMethodSignature(node) ||
  ts.isMethodDeclaration(node) ||
  ts.isAccessor(node);

/** What was found by the rules, and how much was looked at. */
export interface Words {
  readonly findings: readonly Finding[];
  /** Exports, members and parameters. */
  readonly parts: number;
}

class Reader implements Words {
  readonly findings: Finding[] = [];
  parts = 0;
  private readonly checker: ts.TypeChecker;
  private readonly exported: ReadonlySet<ts.Symbol>;

  constructor(checker: ts.TypeChecker, exported: ReadonlySet<ts.Symbol>) {
    this.checker = checker;
    this.exported = exported;
  }

  /** All that comments say of a symbol, tags included; what overrides something without a word has the words of that. */
  told(symbol: ts.Symbol | undefined): string {
    if (!symbol) return "";
    const tags = symbol.getJsDocTags(this.checker).map(({ text }) => ts.displayPartsToString(text));
    return [ts.displayPartsToString(symbol.getDocumentationComment(this.checker)), ...tags].join(" ").trim();
  }

  private symbolOf(node: ts.NamedDeclaration): ts.Symbol | undefined {
    return node.name && this.checker.getSymbolAtLocation(node.name);
  }

  private original(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
  }

  private find(rule: Finding["rule"], what: string, node: ts.Node): void {
    this.findings.push({ rule, what, file: node.getSourceFile().fileName.slice(1).replace(".d.ts", ".ts") });
  }

  /** An exported declaration. */
  declaration(node: ts.Declaration, name: string, told: string): void {
    this.parts++;
    if (told === "") this.find("description", name, node);
    if (ts.isFunctionDeclaration(node)) return this.signature(node, name, told);
    this.inside(node, name, told);
    if (ts.isVariableDeclaration(node)) this.value(node.type, name, told, node);
  }

  /** Members, parameters and object types below a node. */
  private inside(node: ts.Node, path: string, told: string): void {
    ts.forEachChild(node, (child) => {
      if (isPrivate(child) || ts.isJSDoc(child)) return;
      if (isMember(child)) return this.member(child, path, told);
      if (ts.isConstructorDeclaration(child)) return this.signature(child, `${path}()`, `${told} ${this.ownTold(child)}`);
      if (ts.isFunctionTypeNode(child) || ts.isCallSignatureDeclaration(child)) {
        return this.signature(child, path, `${told} ${this.ownTold(child)}`);
      }
      if (ts.isParameter(child)) return;
      this.inside(child, path, told);
    });
  }

  private ownTold(node: ts.SignatureDeclaration): string {
    const signature = this.checker.getSignatureFromDeclaration(node);
    if (!signature) return "";
    const tags = signature.getJsDocTags().map(({ text }) => ts.displayPartsToString(text));
    return [ts.displayPartsToString(signature.getDocumentationComment(this.checker)), ...tags].join(" ");
  }

  private member(node: Member, path: string, above: string): void {
    const symbol = this.symbolOf(node);
    const what = `${path}.${node.name.getText()}`;
    const own = this.told(symbol);
    const inline = ts.isTypeLiteralNode(node.parent) && !ts.isTypeAliasDeclaration(node.parent.parent);
    this.parts++;
    const tag = node.type !== undefined && isTag(node.name.getText(), node.type);
    if (own === "" && !tag && !(inline && names(above, node.name.getText()))) this.find("description", what, node);
    if (own !== "" && repeats(own, node.name.getText())) this.find("description", what, node);
    const told = `${own} ${above}`;
    if (ts.isMethodSignature(node) || ts.isMethodDeclaration(node)) return this.signature(node, `${what}()`, told);
    this.value(node.type, what, told, node);
    if (node.type) this.inside(node, what, told);
  }

  /** Shape and unit of something named with a type. */
  private value(type: ts.TypeNode | undefined, what: string, told: string, node: ts.Node): void {
    const text = type?.getText() ?? "";
    if (type && this.holdsArrays(type) && !shapes.test(told)) this.find("shape", what, node);
    const name = what.slice(what.lastIndexOf(".") + 1);
    if (!/\bnumber\b/.test(text) || text.includes("=>")) return;
    for (const [pattern, unit] of quantities) if (pattern.test(name) && !unit.test(told)) this.find("unit", what, node);
  }

  private signature(node: ts.SignatureDeclaration, what: string, told: string): void {
    // What overrides without words of its own has those of the base, whose parameters may be called otherwise.
    const inherits = ts.isMethodDeclaration(node) && ts.getJSDocCommentsAndTags(node).length === 0;
    for (const parameter of node.parameters) {
      const name = parameter.name.getText();
      if (name === "this") continue;
      const own = this.told(this.symbolOf(parameter));
      this.parts++;
      if (own === "" && !inherits && !names(told, name) && !this.describedByType(parameter))
        this.find("parameter", `${what}.${name}`, node);
      this.value(parameter.type, `${what}.${name}`, `${own} ${told}`, node);
      if (parameter.type) this.inside(parameter, `${what}.${name}`, `${own} ${told}`);
    }
    if (node.type) {
      this.value(node.type, what, told, node);
      this.inside(node.type, what, told);
    }
  }

  /** Whether a type is arrays, alone or in lists and promises; what is in functions, object types and other types of ours is looked at where that is. */
  private holdsArrays(type: ts.Node): boolean {
    if (ts.isFunctionTypeNode(type) || ts.isTypeLiteralNode(type)) return false;
    const name = ts.isTypeReferenceNode(type) ? type.typeName : ts.isImportTypeNode(type) ? type.qualifier : undefined;
    if (name) {
      if (arrays.test(name.getText())) return true;
      const symbol = this.checker.getSymbolAtLocation(name);
      if (symbol && this.exported.has(this.original(symbol))) return false;
    }
    return ts.forEachChild(type, (child) => this.holdsArrays(child) || undefined) ?? false;
  }

  private describedByType(parameter: ts.ParameterDeclaration): boolean {
    let ours = false;
    const look = (node: ts.Node): void => {
      if (ts.isTypeLiteralNode(node) || ts.isFunctionTypeNode(node)) ours = true;
      if (ts.isIdentifier(node)) {
        const symbol = this.checker.getSymbolAtLocation(node);
        if (symbol && this.exported.has(this.original(symbol))) ours = true;
      }
      ts.forEachChild(node, look);
    };
    if (parameter.type) look(parameter.type);
    return ours;
  }
}

/** Whether a description has no word that the name does not have. */
function repeats(text: string, name: string): boolean {
  const parts = new Set(
    name
      .toLowerCase()
      .match(/[a-z]+/g)
      ?.concat(
        name
          .replaceAll(/([A-Z])/g, " $1")
          .toLowerCase()
          .match(/[a-z]+/g) ?? [],
      ),
  );
  const words = text.toLowerCase().match(/\p{L}+|\d+/gu) ?? [];
  return words.every((word) => parts.has(word) || ["a", "an", "the", "of", "its", "this", "to", "is"].includes(word));
}

/** What tells members of a union apart: one word, or words under the name `kind`. */
function isTag(name: string, type: ts.TypeNode): boolean {
  const word = (t: ts.TypeNode) => ts.isLiteralTypeNode(t) && ts.isStringLiteral(t.literal);
  return word(type) || (name === "kind" && ts.isUnionTypeNode(type) && type.types.every(word));
}

/** Whether a text names something: as a word of it. */
function names(text: string, name: string): boolean {
  return new RegExp(`(?<![\\w$])${name.replaceAll("$", "\\$")}(?![\\w$])`, "i").test(text);
}

/** Reads the comments of exports; what two entries export is looked at once. */
export function readWords(
  checker: ts.TypeChecker,
  exports: readonly { readonly name: string; readonly symbol: ts.Symbol }[],
): Words {
  const once = new Map(exports.map(({ name, symbol }) => [symbol, name]));
  const reader = new Reader(checker, new Set(once.keys()));
  for (const [symbol, name] of once) for (const d of symbol.declarations!) reader.declaration(d, name, reader.told(symbol));
  return reader;
}
