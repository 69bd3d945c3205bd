/** @file A page that Next.js prerenders on the server. */
import { createElement } from "react";
import { Viewer } from "./viewer.js";

export default () => createElement(Viewer);
