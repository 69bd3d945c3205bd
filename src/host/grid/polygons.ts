/** @file Closed lines of points filled: the samples of a plane whose centers they enclose an odd number of times. */

/** Points as x, y, x, y …; the last one joins the first. */
export type Polygon = ArrayLike<number>;

/**
 * Calls `set` for each sample that the lines enclose an odd number of times, so that a line within another is a hole and one that passes a channel twice
 * leaves no trace of it. Centers on a line count on its lower side and not on its upper one, so that areas side by side share no sample and leave none out.
 * @param size samples along x and y, with centers at whole numbers from 0
 */
export function fillPolygons(
  polygons: readonly Polygon[],
  size: readonly [number, number],
  set: (x: number, y: number) => void,
): void {
  const [nx, ny] = size;
  // Per row, where the count of enclosing lines changes: samples are turned over from there on, whatever the number of crossings.
  const rows: Uint8Array[] = [];
  for (const points of polygons) {
    const count = points.length >> 1;
    for (let i = 0; i < count; i++) {
      const j = (i + 1) % count;
      const rising = points[2 * i + 1] <= points[2 * j + 1];
      const [low, high] = rising ? [i, j] : [j, i];
      const [x0, y0, x1, y1] = [points[2 * low], points[2 * low + 1], points[2 * high], points[2 * high + 1]];
      // Rows from y0 on, and below y1.
      const end = Math.min(ny, Math.ceil(y1));
      for (let y = Math.max(0, Math.ceil(y0)); y < end; y++) {
        const from = Math.max(0, Math.ceil(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)));
        if (!(from < nx)) continue;
        (rows[y] ??= new Uint8Array(nx))[from] ^= 1;
      }
    }
  }
  for (const [y, turns] of rows.entries()) {
    for (let from = turns?.indexOf(1) ?? -1; from >= 0;) {
      const next = turns.indexOf(1, from + 1);
      const end = next < 0 ? nx : next;
      for (let x = from; x < end; x++) set(x, y);
      from = next < 0 ? -1 : turns.indexOf(1, next + 1);
    }
  }
}
