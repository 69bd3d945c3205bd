/** @file NiiVue in a worker of its own: uploading, scanning and turning volumes takes seconds, which the page's thread does not have. */

import type { Niivue, NVImage } from "@niivue/niivue";
import type { FromViewer, Layer, Layout, Pointer, ToViewer } from "./messages.ts";
import { notFinite, type Picture3d } from "../protocol.ts";
import { inOrder } from "./queue.ts";
import { asElement, resize, type StandInCanvas, StandInMouseEvent, standIn } from "./stand_in.ts";

const post = (message: FromViewer): void => globalThis.postMessage(message);

interface Shown {
  readonly niivue: Niivue;
  readonly Image: typeof NVImage;
  readonly element: StandInCanvas;
}

let shown: Shown | undefined;
let image: Picture3d | null = null;
let layers: readonly Layer[] = [];
let layout: Layout = "planes";
let radiological = false;
let look: { readonly opacity: readonly number[]; readonly hidden: readonly number[] } = { opacity: [], hidden: [] };

async function attach(canvas: OffscreenCanvas, width: number, height: number, ratio: number): Promise<void> {
  standIn(ratio);
  const { Niivue: Viewer, NVImage: Image } = await import("@niivue/niivue");
  canvas.addEventListener("webglcontextlost", () => post({ kind: "lost" }));
  const element = asElement(canvas, width, height);
  resize(element, width, height, ratio);
  const niivue = new Viewer({
    isResizeCanvas: false,
    loadingText: "",
    backColor: [0, 0, 0, 1],
    crosshairColor: [0.36, 0.72, 0.9, 0.9],
    crosshairWidth: 0.5,
    // The letters of directions, over what is black and what is white.
    fontColor: [1, 0.82, 0.3, 1],
    fontMinPx: 18,
    show3Dcrosshair: false,
    // Two rows of two.
    multiplanarLayout: 2,
    multiplanarEqualSize: false,
    // So that a letter stands at its own plane.
    multiplanarPadPixels: 16,
    isColorbar: false,
    // Right and left, of which NiiVue else names one.
    showAllOrientationMarkers: true,
    logLevel: "error",
    dragAndDropEnabled: false,
  });
  niivue.onLocationChange = onPlace;
  niivue.onIntensityChange = ({ cal_min, cal_max }: NVImage) => post({ kind: "window", window: [cal_min!, cal_max!] });
  await niivue.attachToCanvas(element as unknown as HTMLCanvasElement, false);
  leaveOutGradients(niivue);
  shown = { niivue, Image, element };
  applySize(width, height, ratio);
}

/** They light a rendering, which ours does not ask for; NiiVue computes them for every image, which without a GPU takes most of the time until it is shown. */
function leaveOutGradients(niivue: Niivue): void {
  const { gl } = niivue;
  const program = gl.createProgram();
  for (const [type, text] of [
    [gl.VERTEX_SHADER, "void main() { gl_Position = vec4(2, 2, 2, 1); }"], // outside, so that nothing is drawn
    [gl.FRAGMENT_SHADER, "void main() {}"],
  ] as const) {
    const shader = gl.createShader(type)!;
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  const nothing = { program, uniforms: {}, use: () => gl.useProgram(program) };
  niivue.blurShader = nothing;
  niivue.sobelFirstOrderShader = nothing;
}

/** Volumes before the layers: the image, and the marks of what is no number in it. */
const before = (): number => (image?.marks ? 2 : 1);

function onPlace(found: unknown): void {
  const { mm, values } = found as { readonly mm: readonly number[]; readonly values: readonly { readonly value: number }[] };
  const [stored, ...others] = values.map((v) => v.value);
  const mark = image?.marks ? Math.round(others[0]) : 0;
  const known = image && image.window && image.channel !== "color" && stored !== undefined;
  post({
    kind: "place",
    mm: [...mm].slice(0, 3),
    value: !known ? null : mark > 0 ? notFinite[mark - 1] : stored * image!.scale + image!.offset,
    labels: others.slice(before() - 1).map(Math.round),
  });
}

function applySize(width: number, height: number, ratio: number): void {
  if (!shown) return;
  const { niivue, element } = shown;
  resize(element, width, height, ratio);
  niivue.uiData.dpr = ratio;
  niivue.gl.viewport(0, 0, element.width, element.height);
  niivue.textSizePoints();
  niivue.drawScene();
}

// Above all that is stored.
const allBlack = [65535, 65536] as const;

/** Puts layers in place of the volumes from number `from` on, where the image is number 0. All are added before any is drawn: each time costs seconds without a GPU. */
async function put(from: number): Promise<void> {
  const { niivue, Image } = shown!;
  const volumes = niivue.volumes.slice(0, from);
  const had = niivue.volumes.length;
  if (from === 0 && image) {
    volumes.push(await open(Image, image.nifti, 1, ...(image.window ?? allBlack)));
    if (image.marks) volumes.push(await open(Image, image.marks, 1, 0, 255));
    showSides();
  }
  for (const layer of layers) volumes.push(await open(Image, layer.nifti, 0.5, 0, 255));
  niivue.volumes = volumes;
  niivue.back = volumes[0] ?? null;
  niivue.overlays = volumes.slice(1);
  // That there are no layers is told with the image.
  applyLook(layers.length === 0 && had > from ? 0 : from);
  niivue.createOnLocationChange();
  drawn();
  post({ kind: "shown", layers: layers.length });
}

/** Waits until all of it is drawn, as reading a pixel does. */
function drawn(): void {
  const { gl } = shown!.niivue;
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
}

/** Of an image that does not say where right and left are no side is named, and none is exchanged. */
function showSides(): void {
  const { opts } = shown!.niivue;
  const placed = image?.placed ?? false;
  opts.isRadiologicalConvention = placed && radiological;
  opts.isOrientationTextVisible = placed;
  opts.isOrientCube = placed;
}

type Make = (
  bytes: ArrayBuffer,
  name: string,
  colormap: string,
  opacity: number,
  pair: null,
  low: number,
  high: number,
) => Promise<NVImage>;

/** Its other arguments have defaults, which its type does not know. */
const open = async (Image: typeof NVImage, file: Blob, opacity: number, low: number, high: number): Promise<NVImage> =>
  (Image.new as unknown as Make)(await file.arrayBuffer(), "volume.nii", "gray", opacity, null, low, high);

function tableOf({ colors }: Pick<Layer, "colors">, hidden: readonly number[] = []) {
  const all = [[0, 0, 0] as const, ...colors];
  return {
    R: all.map((c) => c[0]),
    G: all.map((c) => c[1]),
    B: all.map((c) => c[2]),
    A: all.map((_, i) => (i === 0 || hidden.includes(i) ? 0 : 255)),
    I: all.map((_, i) => i),
    labels: all.map(String),
  };
}

/** A color that neither a gray image has nor a structure. */
const markColors = notFinite.map(() => [92, 30, 96] as const);

/** Colors, opacities, and a picture of it; volumes before number `from` are as they were. */
function applyLook(from: number): void {
  const { niivue } = shown!;
  if (niivue.volumes.length === 0) {
    niivue.drawScene();
    return;
  }
  if (image?.marks) {
    const marks = niivue.volumes[1];
    // They would wrap up what a rendering shows.
    marks.opacity = layout === "render" ? 0 : 1;
    marks.setColormapLabel(tableOf({ colors: markColors }));
  }
  niivue.opts.multiplanarShowRender = image?.marks ? 0 : 1;
  for (const [i, layer] of layers.entries()) {
    const volume = niivue.volumes[before() + i] as NVImage | undefined;
    if (!volume) continue;
    volume.opacity = look.opacity[i] ?? 0.5;
    volume.setColormapLabel(tableOf(layer, look.hidden));
  }
  // NiiVue makes another one for the first overlay, each time, and never deletes it.
  if (niivue.volumes.length > 1) niivue.gl.deleteTexture(niivue.overlayTexture);
  if (from === 0) return niivue.updateGLVolume();
  for (let i = Math.min(from, 1); i < niivue.volumes.length; i++) niivue.refreshLayers(niivue.volumes[i], i);
  niivue.drawScene();
}

function arrange(chosen: Layout): void {
  const { niivue } = shown!;
  layout = chosen;
  const types = {
    planes: niivue.sliceTypeMultiplanar,
    axial: niivue.sliceTypeAxial,
    coronal: niivue.sliceTypeCoronal,
    sagittal: niivue.sliceTypeSagittal,
    render: niivue.sliceTypeRender,
  };
  niivue.setSliceType(types[layout]);
  if (image?.marks) applyLook(1);
}

function applyWindow([low, high]: readonly [number, number]): void {
  const { niivue } = shown!;
  const volume = niivue.volumes[0] as NVImage | undefined;
  if (!volume) return;
  [volume.cal_min, volume.cal_max] = [low, high];
  niivue.refreshLayers(volume, 0);
  niivue.drawScene();
}

/** Tells the canvas what the mouse did, as an element would have been told. */
function point({ type, x, y, button, deltaY, shift, ctrl }: Pointer): void {
  const fields = {
    clientX: x,
    clientY: y,
    button,
    buttons: 1,
    deltaY,
    deltaX: 0,
    shiftKey: shift,
    ctrlKey: ctrl,
    metaKey: false,
    altKey: false,
  };
  shown!.element.dispatchEvent(new StandInMouseEvent(type, fields));
}

async function take(message: ToViewer): Promise<void> {
  if (message.kind === "canvas") return attach(message.canvas, message.width, message.height, message.ratio);
  if (!shown) return;
  switch (message.kind) {
    case "resize":
      return applySize(message.width, message.height, message.ratio);
    case "image":
      ({ image, layers } = message);
      return put(0);
    case "layers":
      ({ layers } = message);
      return put(before());
    case "look":
      look = message;
      return applyLook(before());
    case "layout":
      return arrange(message.layout);
    case "window":
      return applyWindow(message.window);
    case "sides":
      ({ radiological } = message);
      showSides();
      shown.niivue.drawScene();
      return;
    case "move":
      if (shown.niivue.volumes.length > 0) shown.niivue.moveCrosshairInVox(...(message.by as [number, number, number]));
      return;
    case "pointer":
      if (shown.niivue.volumes.length > 0) point(message.pointer);
  }
}

const wish = inOrder(async (message) => {
  try {
    await take(message);
    if (shown) drawn();
  } catch (error) {
    post({ kind: "failed", message: String((error as Error).message) });
  }
});

globalThis.addEventListener("message", ({ data }: MessageEvent<ToViewer>) => wish(data));
