/** @file The page begins here. */

import { render } from "preact";
import { App } from "./page/app.tsx";
import { keepFocus } from "./page/focus.ts";
import { lookForGpu } from "./page/device.tsx";
import { keepOffline } from "./page/version.tsx";
import "./page/style/base.css";
import "./page/style/frame.css";
import "./page/style/controls.css";
import "./page/style/results.css";
import "./page/style/viewer.css";
import "./page/style/training.css";
import "./page/style/room.css";

render(<App />, document.getElementById("app")!);
void lookForGpu();
keepFocus();
// A file that is dropped beside its place must not come instead of the page, and end what it does.
for (const name of ["dragover", "drop"] as const)
  addEventListener(name, (event) => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "none";
  });
keepOffline();
