/** @file The frame of the pages of a Next.js app. */
import { createElement } from "react";

export default ({ children }) => createElement("html", { lang: "en" }, createElement("body", null, children));
