/** @file Options of transforms: which kind of value each name stands for, wherever it occurs, and values that are per axis. */
import { type Defaults, withDefaults } from "../../host/defaults.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectArguments, type Kind, refused } from "../../host/kinds.ts";
import { expectNames, missing } from "../../host/options.ts";

// A name has one meaning, as MONAI's have; where it has another in one class, the row says "Class.name". Texts out of a few are checked where they are read.
const kinds: Readonly<Partial<Record<Kind, string>>> = {
  boolean:
    "above affineLpsToRas alignCorners allowSmaller antiAliasing argmax asClosestCanonical brightnessByMax byMeasure cacheGrid channelWise clip dataShape " +
    "dataType dataValue diagonal dropoutHoles fixedMean gridAlignCorners independent independentChannels invert invertAffine invertImage isOnehot keepSize " +
    "keepdim mergeChannels nonzero normCoords normalizeGradients normalizeKernels normalized preserveRange randomCenter randomSize recomputeAffine relative " +
    "retainStats returnClippingValues safe sampleStd scaleExtent sigmoid softmax strictCheck synchronizeAxes synchronizeChannels valueRange warn wrapSequence",
  number:
    "aMax aMin axis bMax bMin background connectivity cval degree dim factor filterSize holes imageThreshold kernelSize lower max maxHoles maxK " +
    "maxSamplesPerClass maxv min minSize minv n neg numBins numClasses numComponents numPatches numSamples order pInvertImage pPerChannel pRetainStats pad " +
    "pert pos prob probThreshold repeats rescaleMax rescaleMin restore sharpnessFactor slope toOnehot truncated upper value windowLength AsDiscrete.threshold " +
    "GridPatch.threshold RandGridPatch.threshold ThresholdIntensity.threshold Rotate90.k ProbNMS.spatialDims AdjustContrast.gamma GaussianSharpen.alpha " +
    "GibbsNoise.alpha RandGaussianNoise.mean RandGaussianNoise.std ShiftIntensity.offset",
  sizes:
    "alpha angle antiAliasingSigma appliedLabels blurSigma boxSize brightnessLimit channelIndices coeffRange contrastLimit contrastRange defRange distortLimit " +
    "divisor factors fillValue gamma inMinMax intensity k kDivisible kIntensity logGamma margin maxOffset maxRoiScale maxZoom mean minOffset minZoom " +
    "multiplierRange noiseVariance numCells numControlPoints numGhosts numSpikes offset offsets outMinMax outputSpatialShape overlap pixdim radius rangeX rangeY " +
    "rangeZ roiCenter roiEnd roiScale roiStart rotateParams sampling scaleParams selectLabels shearParams sigma sigma1 sigma2 sigma2X sigma2Y sigma2Z size " +
    "spacing spatialAxes spatialAxis spatialBorder std subtrahend translateParams zoom maxPixdim maxRoiSize maxSpatialSize minPixdim roiSize " +
    "spatialSize",
  numbers:
    "axes grid magnitudeRange origLabels outputShape percentiles randSize ratios sigma1X sigma1Y sigma1Z sigmaRange sigmaX sigmaY sigmaZ targetLabels zoomRange " +
    "AddCoordinateChannels.spatialDims GammaTransform.gamma GridPatch.offset RandTranspose.spatialAxes Transpose.indices RandSmoothDeform.spatialSize " +
    "RandSmoothFieldAdjustContrast.spatialSize RandSmoothFieldAdjustIntensity.spatialSize",
  pairs: "constantValues endValues rotateRange scaleRange shearRange statLength translateRange",
  matrix: "affine distortSteps dstAffine toPad",
  list: "indices intensityRange patchSize",
  lists: "labels roiSlices",
  weights: "bgIndices fgIndices",
  text:
    "approx array bgIndicesKey dtype factorKey fgIndicesKey imageKey indicesKey keyDst keyPrefix labelKey maskKey method padMode prefix reflectType rounding " +
    "series sizeMode sortFn sourceKey wKey ImageFilter.mode ImageFilter.paddingMode Zoom.paddingMode RandZoom.paddingMode",
  names: "axcodes",
  function: "additionalInfo func log maskingMethod other selectFn",
  array: "image imgDst label mask maskData weightMap",
};

// They are written into the image, or compared with it.
const mayBeNaN = ["threshold", "value", "cval", "fillValue", "constantValues", "endValues"];

let byName: Map<string, Kind> | undefined;

/** The kind that an option of a transform must be of, if the table has it. */
export function kindOfOption(op: string, name: string): Kind | undefined {
  byName ??= new Map(
    Object.entries(kinds).flatMap(([kind, names]) => names.split(" ").map((option) => [option, kind as Kind] as const)),
  );
  return byName.get(`${op}.${name}`) ?? byName.get(name);
}

/** Checks the kinds of the options that are given. Null stands for "none" wherever it has a meaning. */
function expectKindsOfOptions(op: string, options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const kind = kindOfOption(op, name);
    if (kind && value !== undefined && value !== null) expectArguments(op, kind, { [name]: value });
    if (Number.isNaN(value) && !mayBeNaN.includes(name)) refused(op, name, "a number", value);
  }
}

/** The options of a transform, to take apart. @throws ConfigError for unknown ones, those of another kind, and if one that is `needed` is missing */
export function checkedOptions<T extends object>(
  op: string,
  options: T,
  names: readonly string[],
  ...needed: readonly string[]
): T {
  expectNames(op, options, names);
  for (const name of needed) if ((options as Readonly<Record<string, unknown>>)[name] === undefined) missing(op, name);
  expectKindsOfOptions(op, options);
  return options;
}

/** The options of a transform with the defaults of those left out. @throws ConfigError as `withDefaults`, and for those of another kind */
export function allOptions<O extends object>(op: string, options: O, defaults: Defaults<O>): Required<O> {
  const all = withDefaults(op, options, defaults);
  expectKindsOfOptions(op, options);
  return all;
}

/** One value per axis: one number is repeated. @throws ConfigError for another count */
export function perAxis(op: string, name: string, value: number | readonly number[], dims: number): number[] {
  const list = typeof value === "number" ? new Array<number>(dims).fill(value) : value;
  if (list.length === dims) return [...list];
  if (list.length === 1) return new Array<number>(dims).fill(list[0]);
  throw new ConfigError(`${op}: ${name} has ${list.length} values for ${dims} spatial axes; give one or ${dims}`);
}
