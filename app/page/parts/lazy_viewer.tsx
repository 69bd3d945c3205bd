/** @file The viewer, loaded when there is something to see. */

import { useEffect, useState } from "preact/hooks";
import { notLoaded } from "../link.ts";
import type { ViewerProps } from "./viewer.tsx";

type Loaded = (props: ViewerProps) => preact.JSX.Element;

export function LazyViewer(props: ViewerProps) {
  const [Viewer, setViewer] = useState<Loaded | null>(null);
  const [lives, setLives] = useState(0);
  // Not at once: the browser starts what it draws with anew.
  const again = (): void => void setTimeout(() => setLives((n) => n + 1), 1000);
  useEffect(() => {
    void import("./viewer.tsx").then((m) => setViewer(() => m.Viewer), notLoaded);
  }, []);
  return Viewer ? <Viewer key={lives} {...props} onLost={again} /> : <div class="viewer" />;
}
