/**
 * @file What NiiVue looks for of a page and a worker does not have. With it NiiVue draws on an OffscreenCanvas: volumes are uploaded, scanned and turned without
 * a task on the page's thread.
 */

/** The part of an `HTMLCanvasElement` that NiiVue asks for. */
export interface StandInCanvas extends OffscreenCanvas {
  style: Record<string, string>;
  parentElement: { style: Record<string, string> };
  offsetWidth: number;
  offsetHeight: number;
  clientWidth: number;
  clientHeight: number;
  getBoundingClientRect(): { left: number; top: number; width: number; height: number };
  matches(selector: string): boolean;
  focus(): void;
}

/** An image of which the pixels are there, loaded as `<img>` is. */
class StandInImage {
  onload: (() => void) | null = null;
  onerror: ((error: unknown) => void) | null = null;
  crossOrigin: string | null = null;
  width = 0;
  height = 0;
  bitmap: ImageBitmap | undefined;

  set src(url: string) {
    void this.load(url);
  }

  private async load(url: string): Promise<void> {
    try {
      this.bitmap = await createImageBitmap(blobOf(url));
      this.width = this.bitmap.width;
      this.height = this.bitmap.height;
      this.onload?.();
    } catch (error) {
      this.onerror?.(error);
    }
  }
}

/** A mouse's event, which NiiVue tells from a finger's by its class. */
export class StandInMouseEvent extends Event {
  constructor(type: string, fields: Readonly<Record<string, number | boolean>>) {
    super(type, { cancelable: true });
    Object.assign(this, fields);
  }
}

/** The bytes of a data URL, which a strict policy does not let a worker fetch. */
function blobOf(url: string): Blob {
  const [, type, data] = /^data:([^;,]+);base64,(.*)$/s.exec(url) ?? [];
  if (data === undefined) throw new Error("only pictures that NiiVue brings along are loaded");
  return new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], { type });
}

/** Sets the globals. Before NiiVue is imported. */
export function standIn(ratio: number): void {
  const scope = globalThis as unknown as Record<string, unknown>;
  scope.window = Object.assign(scope, { devicePixelRatio: ratio });
  scope.Image = StandInImage;
  scope.MouseEvent = StandInMouseEvent;
  scope.document = { activeElement: null, addEventListener: () => undefined, removeEventListener: () => undefined };
  const { prototype } = WebGL2RenderingContext;
  const upload = prototype.texImage2D as (...args: unknown[]) => void;
  prototype.texImage2D = function (this: WebGL2RenderingContext, ...args: unknown[]) {
    upload.apply(
      this,
      args.map((a) => (a instanceof StandInImage ? a.bitmap : a)),
    );
  } as typeof prototype.texImage2D;
}

/** Gives a canvas the size and the manners of an element. */
export function asElement(canvas: OffscreenCanvas, width: number, height: number): StandInCanvas {
  const element = canvas as StandInCanvas;
  Object.assign(element, {
    style: {},
    parentElement: { style: {} },
    matches: () => true,
    focus: () => undefined,
    setAttribute: () => undefined,
    getBoundingClientRect: () => ({ left: 0, top: 0, width: element.clientWidth, height: element.clientHeight }),
  });
  resize(element, width, height, 1);
  return element;
}

/** Sizes in CSS pixels. */
export function resize(element: StandInCanvas, width: number, height: number, ratio: number): void {
  Object.assign(element, { offsetWidth: width, offsetHeight: height, clientWidth: width, clientHeight: height });
  element.width = Math.round(width * ratio);
  element.height = Math.round(height * ratio);
}
