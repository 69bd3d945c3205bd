/** @file What a screen reader is told. A live region has to be there before what it says: one that comes with its words is passed over by some. */

import { signal } from "@preact/signals";

export const said = signal("");
