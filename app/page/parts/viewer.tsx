/** @file The viewer: a canvas that a worker draws on, its layouts, the place under the crosshair. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Picture3d } from "../../protocol.ts";
import { shownNumber, t } from "../../text/text.ts";
import type { FromViewer, Layer, Layout, Pointer, ToViewer } from "../../viewer/messages.ts";

export interface ViewerProps {
  /** A new object is a new image. */
  readonly image: Picture3d | null;
  readonly layers: readonly Layer[];
  readonly opacity: readonly number[];
  readonly hidden: readonly number[];
  /** Names of the labels of all layers, from label 1. */
  readonly names: readonly string[];
  /** The GPU was lost: it takes another viewer to draw. */
  readonly onLost?: () => void;
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

/** Such a step along right, front and up. */
function turned([across, up, through]: readonly [number, number, number], layout: Layout): readonly [number, number, number] {
  if (layout === "coronal") return [across, through, up];
  if (layout === "sagittal") return [through, across, up];
  return [across, up, through];
}

type Send = (message: ToViewer, transfer?: Transferable[]) => void;

function useViewer(onMessage: (message: FromViewer) => void) {
  const place = useRef<HTMLDivElement>(null);
  const send = useRef<Send>(() => undefined);
  useEffect(() => {
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

export function Viewer({ image, layers, opacity, hidden, names, onLost }: ViewerProps) {
  const [layout, setLayout] = useState<Layout>("planes");
  const [at, setAt] = useState<Extract<FromViewer, { kind: "place" }> | null>(null);
  const [state, setState] = useState<"loading" | "shown" | { readonly failed: string }>("loading");
  const [drawn, setDrawn] = useState(-1);
  const { place, send } = useViewer((message) => {
    if (message.kind === "place") setAt(message);
    else if (message.kind === "failed") setState({ failed: message.message });
    else if (message.kind === "lost") {
      setState("loading");
      onLost?.();
    } else {
      setState("shown");
      setDrawn(message.layers);
    }
  });
  const first = useRef(true);
  useEffect(() => {
    setState("loading");
    send.current({ kind: "image", image, layers });
  }, [image]);
  useEffect(() => {
    if (!first.current) send.current({ kind: "layers", layers });
    first.current = false;
  }, [layers]);
  useEffect(() => send.current({ kind: "look", opacity, hidden }), [opacity.join(), hidden.join()]);
  const choose = (chosen: Layout): void => {
    setLayout(chosen);
    send.current({ kind: "layout", layout: chosen });
  };
  const onKey = (event: KeyboardEvent): void => {
    const by = steps[event.key];
    const chosen = layouts[Number(event.key) - 1] as Layout | undefined;
    if (by) send.current({ kind: "move", by: turned(by, layout) });
    else if (chosen) choose(chosen);
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
      <div class="layouts" role="radiogroup" aria-label={t("viewer.layout")}>
        {layouts.map((name) => (
          <label key={name}>
            <input type="radio" name="layout" checked={layout === name} onChange={() => choose(name)} />
            <span>{t(`viewer.${name}`)}</span>
          </label>
        ))}
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
      <figcaption class="place">
        {typeof state === "object" && <span class="bad">{t("viewer.failed", { message: state.failed })}</span>}
        {state === "loading" && <span class="faint">{t("viewer.loading")}</span>}
        {state === "shown" && at && <Place at={at} names={names} />}
        {image?.reduced && <span class="faint">{t("viewer.reduced", sizes(image.reduced))}</span>}
      </figcaption>
    </figure>
  );
}

const sizes = ({ to, from }: NonNullable<Picture3d["reduced"]>) => ({ to: to.join(" × "), from: from.join(" × ") });

function Place({ at, names }: { readonly at: Extract<FromViewer, { kind: "place" }>; readonly names: readonly string[] }) {
  const [x, y, z] = at.mm.map((v) => v.toFixed(1));
  const found = [...new Set(at.labels)].flatMap((label) => (label > 0 && names[label - 1] ? [names[label - 1]] : []));
  return (
    <>
      <span>{t("viewer.place", { x, y, z })}</span>
      {at.value !== null && <span>{t("viewer.value", { value: shownNumber(at.value) })}</span>}
      {found.length > 0 && <strong>{found.join(", ")}</strong>}
    </>
  );
}
