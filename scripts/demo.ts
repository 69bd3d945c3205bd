/** @file `npm run demo`: train a segmentation network on synthetic volumes, or on a dataset with --data, and show what it learned. */

import { main } from "../src/seg/cli/main.node.ts";

await main(["demo", ...process.argv.slice(2)]);
