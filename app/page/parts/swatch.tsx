/** @file The colors of a structure, beside its name. */

import type { Structure } from "../../protocol.ts";
import { cssColor } from "../colors.ts";

export function Swatch({ colors }: Pick<Structure, "colors">) {
  return (
    <span class="swatch" aria-hidden="true">
      {colors.slice(0, 4).map((color, i) => (
        <i key={i} style={{ background: cssColor(color) }} />
      ))}
    </span>
  );
}
