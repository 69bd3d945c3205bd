/** @file The page begins here. */

import { render } from "preact";
import { App } from "./page/app.tsx";
import { lookForGpu } from "./page/device.tsx";
import { keepOffline } from "./page/version.tsx";
import "./page/style.css";

render(<App />, document.getElementById("app")!);
void lookForGpu();
keepOffline();
