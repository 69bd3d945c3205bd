/** @file The viewer, loaded when there is something to see. */

import { useEffect, useState } from "preact/hooks";
import { notLoaded } from "../link.ts";
import type { ViewerProps } from "./viewer.tsx";

type Loaded = (props: ViewerProps) => preact.JSX.Element;

export function LazyViewer(props: ViewerProps) {
  const [Viewer, setViewer] = useState<Loaded | null>(null);
  useEffect(() => {
    void import("./viewer.tsx").then((m) => setViewer(() => m.Viewer), notLoaded);
  }, []);
  return Viewer ? <Viewer {...props} /> : <div class="viewer" />;
}
