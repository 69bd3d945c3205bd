/** @file Entry point of a data worker in a browser. */

import { serveData } from "./serve_data.ts";

serveData();
