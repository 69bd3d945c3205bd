/** @file The viewer: a canvas that a worker draws on, its layouts, the place under the crosshair. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Picture3d } from "../../protocol.ts";
import { shownNumber, t } from "../../text/text.ts";
import type { FromViewer, Layer, Layout, Pointer, ToViewer } from "../../viewer/messages.ts";
import { Channel, radiological, Sides, Windowing } from "./viewer_tools.tsx";
import { type GrayWindow, ownWindow, storedWindow } from "./windows.ts";

export interface ViewerProps {
  /** A new object is a new image. */
  readonly image: Picture3d;
  /** What it is an image of: another channel of that keeps the window that was chosen. */
  readonly subject: string;
  /** Asks for another channel, or time step. */
  readonly onChannel: (channel: Picture3d["channel"]) => void;
  readonly layers: readonly Layer[];
  readonly opacity: readonly number[];
  readonly hidden: readonly number[];
  /** Names of the labels of all layers, from label 1. */
  readonly names: readonly string[];
  /** The GPU was lost: it takes another viewer to draw. */
  readonly onLost?: () => void;
  /** Tools before its own. */
  readonly children?: ComponentChildren;
}

const layouts: readonly Layout[] = ["planes", "axial", "coronal", "sagittal", "render"];

/** Keys as steps to the right and up in the plane, and through its slices. */
const steps: Readonly<Record<string, readonly [number, number, number]>> = {
  ArrowLeft: [-1, 0, 0],
  ArrowRight: [1, 0, 0],
  ArrowUp: [0, 1, 0],
  ArrowDown: [0, -1, 0],
  PageUp: [0, 0, 1],
  PageDown: [0, 0, -1],
};

/** Such a step along right, front and up; where right is on the left, to the right of the screen is to the left. */
function turned(
  [across, up, through]: readonly [number, number, number],
  layout: Layout,
  mirrored: boolean,
): readonly [number, number, number] {
  if (layout === "sagittal") return [through, across, up];
  const right = mirrored ? -across : across;
  return layout === "coronal" ? [right, through, up] : [right, up, through];
}

type Send = (message: ToViewer, transfer?: Transferable[]) => void;

function useViewer(onMessage: (message: FromViewer) => void) {
  const place = useRef<HTMLDivElement>(null);
  const send = useRef<Send>(() => undefined);
  useLayoutEffect(() => {
    const box = place.current!;
    // A canvas can be given to one worker only, so that each mount has its own.
    const canvas = document.createElement("canvas");
    box.append(canvas);
    const worker = new Worker(new URL("../../viewer/main.ts", import.meta.url), { type: "module", name: "viewer" });
    worker.addEventListener("message", ({ data }: MessageEvent<FromViewer>) => onMessage(data));
    worker.addEventListener("error", () => onMessage({ kind: "failed", message: "" }));
    send.current = (message, transfer = []) => worker.postMessage(message, transfer);
    const size = () => ({ width: Math.max(1, box.clientWidth), height: Math.max(1, box.clientHeight), ratio: devicePixelRatio });
    const offscreen = canvas.transferControlToOffscreen();
    send.current({ kind: "canvas", canvas: offscreen, ...size() }, [offscreen]);
    const observer = new ResizeObserver(() => send.current({ kind: "resize", ...size() }));
    observer.observe(box);
    return () => {
      observer.disconnect();
      worker.terminate();
      canvas.remove();
    };
  }, []);
  return { place, send };
}

/** The window of gray: what was chosen of this subject, or null for what suits the image. */
function useWindow(image: Picture3d, subject: string) {
  const [of, setOf] = useState<{ readonly subject: string; readonly window: GrayWindow } | null>(null);
  const chosen = of?.subject === subject ? of.window : null;
  const stored = chosen ? storedWindow(image, chosen) : image.window;
  return { chosen, stored, choose: (window: GrayWindow | null) => setOf(window && { subject, window }) };
}

export function Viewer({ image, subject, onChannel, layers, opacity, hidden, names, onLost, children }: ViewerProps) {
  const [picked, setPicked] = useState<Layout | null>(null);
  // Of a picture the other planes are lines.
  const layout = picked ?? (image.flat ? "axial" : "planes");
  const [at, setAt] = useState<Extract<FromViewer, { kind: "place" }> | null>(null);
  const [state, setState] = useState<"loading" | "shown" | { readonly failed: string }>("loading");
  const [drawn, setDrawn] = useState(-1);
  const { chosen, stored, choose } = useWindow(image, subject);
  const onMessage = useRef<(message: FromViewer) => void>(() => undefined);
  onMessage.current = (message) => {
    if (message.kind === "place") setAt(message);
    else if (message.kind === "window") {
      const window = ownWindow(image, message.window);
      has.current = storedWindow(image, window).join();
      choose(window);
    } else if (message.kind === "failed") setState({ failed: message.message });
    else if (message.kind === "lost") {
      setState("loading");
      onLost?.();
    } else {
      setState("shown");
      setDrawn(message.layers);
    }
  };
  const { place, send } = useViewer((message) => onMessage.current(message));
  const first = useRef(true);
  // The window that the worker has: each costs seconds without a GPU.
  const has = useRef("");
  // Before the page is painted: else a press that comes first would be one into what was there before.
  useLayoutEffect(() => send.current({ kind: "layout", layout }), [layout]);
  useLayoutEffect(() => send.current({ kind: "sides", radiological: radiological.value }), [radiological.value]);
  useLayoutEffect(() => {
    setState("loading");
    has.current = stored?.join() ?? "";
    send.current({ kind: "image", image: { ...image, window: stored }, layers });
  }, [image]);
  useLayoutEffect(() => {
    if (!first.current) send.current({ kind: "layers", layers });
    first.current = false;
  }, [layers]);
  useLayoutEffect(() => send.current({ kind: "look", opacity, hidden }), [opacity.join(), hidden.join()]);
  useLayoutEffect(() => {
    if (stored && has.current !== stored.join()) send.current({ kind: "window", window: stored });
    has.current = stored?.join() ?? "";
  }, [stored?.join()]);
  const onKey = (event: KeyboardEvent): void => {
    const by = steps[event.key];
    const chosenLayout = layouts[Number(event.key) - 1] as Layout | undefined;
    if (by) send.current({ kind: "move", by: turned(by, layout, image.placed && radiological.value) });
    else if (chosenLayout) setPicked(chosenLayout);
    else return;
    event.preventDefault();
  };
  const onPointer = (type: Pointer["type"]) => (event: PointerEvent | WheelEvent) => {
    const box = place.current!.getBoundingClientRect();
    const pointer = {
      type,
      x: event.clientX - box.left,
      y: event.clientY - box.top,
      button: event.button,
      deltaY: "deltaY" in event ? event.deltaY : 0,
      shift: event.shiftKey,
      ctrl: event.ctrlKey,
    };
    send.current({ kind: "pointer", pointer });
    if (type === "mousedown") place.current!.setPointerCapture((event as PointerEvent).pointerId);
    if (type === "wheel") event.preventDefault();
  };
  return (
    <figure class="viewer" data-drawn={drawn}>
      <div class="tools">
        {children}
        <div class="layouts" role="radiogroup" aria-label={t("viewer.layout")}>
          {layouts.map((name) => (
            <label key={name}>
              <input type="radio" name="layout" checked={layout === name} onChange={() => setPicked(name)} />
              <span>{t(`viewer.${name}`)}</span>
            </label>
          ))}
        </div>
        <Channel image={image} onChannel={onChannel} />
        <Windowing image={image} chosen={chosen} onChoose={choose} />
        <Sides image={image} />
      </div>
      <div
        ref={place}
        class="canvas"
        // A widget of its own, in which keys mean what its name says.
        role="application"
        tabIndex={0}
        aria-label={t("viewer.label")}
        onKeyDown={onKey}
        onPointerDown={onPointer("mousedown")}
        onPointerMove={onPointer("mousemove")}
        onPointerUp={onPointer("mouseup")}
        onPointerLeave={onPointer("mouseleave")}
        onWheel={onPointer("wheel")}
        onContextMenu={(event) => event.preventDefault()}
      />
      <figcaption class="place" aria-live="polite">
        {typeof state === "object" && <span class="bad">{t("viewer.failed", { message: state.failed })}</span>}
        {state === "loading" && <span class="faint">{t("viewer.loading")}</span>}
        {state === "shown" && at && <Place at={at} image={image} names={names} />}
        {image.marks && <span class="faint">{t("viewer.marks")}</span>}
        {image.reduced && <span class="faint">{t("viewer.reduced", sizes(image.reduced))}</span>}
      </figcaption>
    </figure>
  );
}

const sizes = ({ to, from }: NonNullable<Picture3d["reduced"]>) => ({ to: to.join(" × "), from: from.join(" × ") });

interface PlaceProps {
  readonly at: Extract<FromViewer, { kind: "place" }>;
  readonly image: Picture3d;
  readonly names: readonly string[];
}

function Place({ at, image, names }: PlaceProps) {
  const [x, y, z] = at.mm.map((v) => v.toFixed(1));
  const found = [...new Set(at.labels)].flatMap((label) => (label > 0 && names[label - 1] ? [names[label - 1]] : []));
  return (
    <>
      <span>
        {image.flat ? t("viewer.pixel", { x: Math.round(at.mm[0]), y: Math.round(-at.mm[1]) }) : t("viewer.place", { x, y, z })}
      </span>
      {at.value !== null && <span>{shownValue(at.value, image.hounsfield)}</span>}
      {found.length > 0 && <strong>{found.join(", ")}</strong>}
    </>
  );
}

function shownValue(value: number, hounsfield: boolean): string {
  if (Number.isNaN(value)) return t("viewer.noNumber");
  const shown = Number.isFinite(value) ? shownNumber(value) : value < 0 ? "−∞" : "∞";
  return t(hounsfield ? "viewer.hounsfield" : "viewer.value", { value: shown });
}
