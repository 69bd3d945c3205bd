/**
 * @file Every option that is one of a few words, found in the types of what the package exports: a word that is none of them is an error of ours that names
 * it, whatever else is right. What cannot be called with arguments made up from types alone, the table `given` helps.
 */

import { join } from "node:path";
import ts from "typescript";
import { afterAll, expect, test } from "vitest";
import { openDevice, VoxgradError } from "../../src/index.ts";
import { Conv, SGD } from "../../src/nn/index.ts";
import { SurfacePair } from "../../src/seg/index.ts";

const root = join(import.meta.dirname, "../..");
const entries: Readonly<Record<string, () => Promise<object>>> = {
  "src/index.ts": () => import("../../src/index.ts"),
  "src/nn/index.ts": () => import("../../src/nn/index.ts"),
  "src/data/index.ts": () => import("../../src/data/index.ts"),
  "src/weights/index.ts": () => import("../../src/weights/index.ts"),
  "src/onnx/index.ts": () => import("../../src/onnx/index.ts"),
  "src/seg/index.ts": () => import("../../src/seg/index.ts"),
  "src/testing/index.ts": () => import("../../src/testing/index.ts"),
};
const gpu = await openDevice();
afterAll(() => gpu.close());

const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => expect.unreachable("tsconfig.json is there") };
const config = ts.getParsedCommandLineOfConfigFile(join(root, "tsconfig.json"), {}, host)!;
const program = ts.createProgram(
  Object.keys(entries).map((file) => join(root, file)),
  config.options,
);
const checker = program.getTypeChecker();
const { TypeFlags: Flags, SymbolFlags } = ts;

const shapes = [[2, 4], [1, 2, 8, 8], [1, 1, 8, 8, 8], [2, 8, 8], [8]];
const hostArray = (shape: readonly number[]) => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i % 2),
  shape,
});
const affine = [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((k) => Number(i === k)));
const layer = new Conv(gpu, { spatialDims: 2, inChannels: 2, outChannels: 2, kernelSize: 1 });
const optimizer = new SGD(layer.parameters(), { lr: 0.1 });
const plain = { weight: undefined, bias: undefined };
const channelwise = gpu.tensor(hostArray([2]));
const unet = { channels: [2, 4], strides: [2] };
const stages = { nStages: 2, featuresPerStage: [2, 4], kernelSizes: 3, strides: [1, 2] };
/** Arguments that types say too little of: fields of options, or whole arguments by name. */
const given: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  AttentionUnet: unet,
  BorderPad: { spatialBorder: 1 },
  ClipIntensityPercentiles: { lower: 1, upper: 99 },
  CyclicLR: { optimizer, maxLr: 1 },
  DeviceWindows: { networks: layer, roiSize: [8, 8] },
  DivisiblePad: { k: 3 },
  DynUNet: { kernelSize: [3, 3, 3], strides: [1, 2, 2], upsampleKernelSize: [2, 2] },
  ImageFilter: { filter: "mean", filterSize: 3 },
  OneCycleLR: { optimizer, maxLr: 1, totalSteps: 9 },
  Pad: { toPad: [0, 1, 1].map((n) => [n, n]) },
  PatchIterd: { keys: ["image"], patchSize: [4, 4] },
  PlainConvUNet: { ...stages, nConvPerStage: 1, nConvPerStageDecoder: 1 },
  Rand2DElastic: { spacing: 2, magnitudeRange: [0, 1] },
  Rand3DElastic: { sigmaRange: [1, 2], magnitudeRange: [0, 1] },
  RandImageFilter: { filter: "mean", filterSize: 3 },
  ReduceLROnPlateau: { optimizer },
  ResidualEncoderUNet: { ...stages, nBlocksPerStage: 1, nConvPerStageDecoder: 1 },
  ResizeWithPadOrCrop: { spatialSize: [9, 9] },
  SavitzkyGolaySmooth: { windowLength: 3, order: 1 },
  SpatialPad: { spatialSize: [9, 9] },
  Trainer: { model: layer, optimizer },
  UNet: unet,
  UpsampleBlock: { inChannels: 2, outChannels: 3, mode: "nontrainable" },
  WholeSegmenter: { network: layer, outputs: { channels: 2, decision: "largest", valuesOf: () => new Uint8Array(1) } },
  CoreWindows: { network: layer },
  GridSampler: { item: { image: hostArray([1, 8, 8, 8]) }, patchSize: 4 },
  QuickNatViews: { networks: { AXI: layer } },
  augmentBatch: {
    batch: { image: gpu.tensor(hostArray([1, 2, 8, 8])), augmentMatrix: gpu.tensor(hostArray([1, 2, 3])) },
    size: [8, 8],
  },
  batchNorm: { ...plain, running: undefined },
  computeSurfaceDice: { yPred: hostArray([1, 2, 4, 4]), y: hostArray([1, 2, 4, 4]), classThresholds: [1] },
  conv: { x: gpu.tensor(hostArray([1, 2, 8, 8])), weight: gpu.tensor(hostArray([3, 2, 3, 3])), bias: undefined },
  convertBoxMode: { boxes: hostArray([2, 4]) },
  fixedBatchNorm: { ...plain, mean: channelwise, variance: channelwise },
  gridSample: { grid: gpu.tensor(hostArray([1, 3, 3, 2])) },
  groupNorm: plain,
  instanceNorm: plain,
  hausdorffOf: { pair: new SurfacePair(new Uint8Array(9).fill(1), new Uint8Array(9), [3, 3]) },
  padNdImage: { newShape: [9, 9] },
};
// DeviceWindows looks at the words of what this gives.
const others = new Set(["windowOptions options"]);

const parts = (t: ts.Type): readonly ts.Type[] => (t.isUnion() ? t.types : [t]);
/** One of a few words, and no other text. */
const isWord = (t: ts.Type): boolean => {
  const of = parts(t);
  return of.some((p) => p.isStringLiteral()) && !of.some((p) => p.flags & (Flags.String | Flags.TemplateLiteral | Flags.Any));
};
const elementOf = (t: ts.Type): ts.Type | undefined =>
  checker.isArrayType(t) || t.symbol?.name === "ReadonlyArray" ? checker.getIndexTypeOfType(t, ts.IndexKind.Number) : undefined;
const isNothing = (t: ts.Type): boolean => (t.flags & (Flags.Null | Flags.Undefined)) !== 0;

/** A value of a type. */
function sample(type: ts.Type, name: string, shape: readonly number[], depth = 0): unknown {
  const word = parts(type).find((p) => p.isStringLiteral());
  if (word?.isStringLiteral()) return word.value;
  const t = parts(type).find((p) => !isNothing(p)) ?? type;
  const kind = t.symbol?.name ?? "";
  if (kind === "Tensor") return gpu.tensor(hostArray(shape));
  if (kind === "Device") return gpu;
  if (kind === "HostArray") return hostArray(shape);
  if (kind === "Volume") return { ...hostArray(shape), affine, spacing: [1, 1, 1], meta: {} };
  if (/^(Ui|In|Fl)\w+Array$/.test(kind)) return hostArray(shape).data;
  if (t.isNumberLiteral()) return t.value;
  if (t.flags & Flags.NumberLike) return /classes|channels|dims/i.test(name) ? 2 : 1;
  if (t.flags & Flags.BooleanLike) return false;
  if (t.flags & Flags.StringLike) return "x";
  if (checker.isTupleType(t))
    return checker.getTypeArguments(t as ts.TypeReference).map((a) => sample(a, name, shape, depth + 1));
  const element = elementOf(t);
  if (element) return [0, 1].map(() => sample(element, name, shape, depth + 1));
  if (t.getCallSignatures().length > 0) return (x: unknown) => x;
  if (!(t.flags & Flags.Object) || depth > 3) return undefined;
  const needed = checker.getPropertiesOfType(t).filter((p) => !(p.flags & SymbolFlags.Optional));
  return Object.fromEntries(needed.map((p) => [p.name, sample(checker.getTypeOfSymbol(p), p.name, shape, depth + 1)]));
}

type Path = readonly (string | number)[];

/** Where a type has words: itself, the options that it is, names of layers among them, alone or in front of their options. */
function sites(type: ts.Type, path: Path): Path[] {
  const t = checker.getNonNullableType(type);
  if (isWord(t)) return [path];
  if (path.length > 2)
    return parts(t).some((p) => p.isStringLiteral()) && !parts(t).some((p) => p.flags & Flags.String) ? [path] : [];
  return parts(t).flatMap((p) => {
    if (checker.isTupleType(p) || elementOf(p)) return [];
    const name = (p.aliasSymbol ?? p.symbol)?.name ?? "";
    const isOptions = /Options$|^__type$|^(Partial|Omit|Pick)$/.test(name) || path.length > 1;
    if (!isOptions || !(p.flags & (Flags.Object | Flags.Intersection)) || p.getCallSignatures().length > 0) return [];
    return checker.getPropertiesOfType(p).flatMap((q) => {
      const own = checker.getNonNullableType(checker.getTypeOfSymbol(q));
      const words =
        isWord(own) || (parts(own).some((o) => o.isStringLiteral()) && !parts(own).some((o) => o.flags & Flags.String));
      return words ? [[...path, q.name]] : [];
    });
  });
}

function withValue(from: unknown, [head, ...rest]: Path, value: unknown): unknown {
  if (head === undefined) return value;
  if (typeof head === "number") return (from as unknown[]).with(head, withValue((from as unknown[])[head], rest, value));
  return { ...(from as object), [head]: withValue((from as Record<string, unknown> | undefined)?.[head], rest, value) };
}

/** What a call throws, or what it made throws where that is used; undefined for nothing. */
async function thrown(call: () => unknown, shape: readonly number[]): Promise<unknown> {
  try {
    const made = (await call()) as Partial<Record<"apply" | "forward" | "next", (...args: unknown[]) => unknown>> | undefined;
    await made?.next?.();
    if (made?.apply) await made.apply(hostArray(shape));
    if (made?.forward) await made.forward(gpu.tensor(hostArray(shape)), gpu.tensor(hostArray(shape)));
    return undefined;
  } catch (error) {
    return error;
  }
}

type Callable = (new (...args: unknown[]) => unknown) & ((...args: unknown[]) => unknown);

/** What becomes of a word that nobody knows: "told", "ignored", a bare error, or undefined where something else was wrong. */
async function fateOf(call: (args: unknown[]) => unknown, args: (shape: readonly number[]) => unknown[], path: Path) {
  let fate: string | undefined;
  for (const shape of shapes) {
    const error = await thrown(() => call(withValue(args(shape), path, "nonsense") as unknown[]), shape);
    if (error instanceof VoxgradError) {
      if (error.message.includes("nonsense")) return "told";
    } else if (error === undefined) fate = "ignored";
    else if ((await thrown(() => call(args(shape)), shape)) === undefined) fate ??= String(error).slice(0, 120);
  }
  return fate;
}

test("a word that none of the types knows is told of", { timeout: 60_000 }, async () => {
  const faults: string[] = [];
  const unreached: string[] = [];
  let told = 0;
  const seen = new Set<unknown>();
  for (const [file, load] of Object.entries(entries)) {
    const module = (await load()) as Readonly<Record<string, Callable>>;
    const source = checker.getSymbolAtLocation(program.getSourceFile(join(root, file))!)!;
    for (const exported of checker.getExportsOfModule(source)) {
      const { name } = exported;
      const f = module[name];
      if (typeof f !== "function" || seen.has(f)) continue;
      seen.add(f);
      const symbol = exported.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const type = checker.getTypeOfSymbol(symbol);
      const isClass = type.getConstructSignatures().length > 0;
      for (const { parameters } of isClass ? type.getConstructSignatures() : type.getCallSignatures()) {
        const types = parameters.map((p) => checker.getTypeOfSymbol(p));
        const optional = parameters.map(
          (p) =>
            p.valueDeclaration !== undefined &&
            ts.isParameter(p.valueDeclaration) &&
            checker.isOptionalParameter(p.valueDeclaration),
        );
        for (const path of types.flatMap((t, i) => sites(t, [i]))) {
          const at = path[0] as number;
          const where = `${name} ${parameters[at].name}`;
          if (others.has(where)) continue;
          const own = given[name] ?? {};
          const further = Object.fromEntries(Object.entries(own).filter(([key]) => !parameters.some((p) => p.name === key)));
          const args = (shape: readonly number[]) =>
            types.map((t, i) => {
              if (Object.hasOwn(own, parameters[i].name)) return own[parameters[i].name];
              if (optional[i] && i > at) return undefined;
              const value = sample(t, parameters[i].name, shape);
              return parameters[i].name === "options" ? { ...(value as object), ...further } : value;
            });
          const fate = await fateOf((list) => (isClass ? new f(...list) : f(...list)), args, path);
          const label = [where, ...path.slice(1)].join(".");
          if (fate === "told") told++;
          else if (fate === undefined) unreached.push(label);
          else faults.push(`${label}: ${fate}`);
        }
      }
    }
  }
  expect(faults).toEqual([]);
  // A row of `given` for what is new here.
  expect(unreached).toEqual([]);
  expect(told).toBeGreaterThan(300);
});
