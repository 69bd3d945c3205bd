/** @file A data worker's script, for bundlers that make none of `new Worker(new URL(…))`. */
import { serveData } from "voxgrad/data";

serveData();
