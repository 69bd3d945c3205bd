/** @file The colors of a structure, beside its name. */

import type { Structure } from "../../protocol.ts";
import { cssColor } from "../colors.ts";

interface SwatchProps extends Pick<Structure, "colors"> {
  /** As outlines are drawn. */
  readonly outlined?: boolean;
}

export function Swatch({ colors, outlined = false }: SwatchProps) {
  return (
    <span class="swatch" aria-hidden="true">
      {colors.slice(0, 4).map((color, i) => (
        <i key={i} style={outlined ? { boxShadow: `inset 0 0 0 2px ${cssColor(color)}` } : { background: cssColor(color) }} />
      ))}
    </span>
  );
}
