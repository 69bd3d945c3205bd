/** @file The page begins here. */

import { render } from "preact";
import { App } from "./page/app.tsx";
import { lookForGpu } from "./page/device.tsx";
import "./page/style.css";

render(<App />, document.getElementById("app")!);
void lookForGpu();
if ("serviceWorker" in navigator && import.meta.env.PROD)
  void navigator.serviceWorker.register("./sw.js", { scope: "./" }).catch(() => undefined);
