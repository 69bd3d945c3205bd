/** @file Rows whose elements go in reverse. */
import { type Code, get, here, i32, i8x16, type Kernel, load, set, store, whileBelow } from "./assembler.ts";
import { ahead, type Lanes, lanesOf, type LanesOf } from "./chunks.ts";
import { chunkSize, places } from "./places.ts";

/**
 * Rows of `width` bytes, 16 or more, go to the second chunk, each with its elements in reverse. `to` is the end of the last one; at `pattern` is how a
 * vector is turned around.
 */
const reverse: Kernel<(from: number, to: number, width: number, pattern: number) => void> = () => {
  const [width, pattern, at, last, turned] = [2, 3, 4, 5, 6];
  const reversed = (address: Code): Code => i8x16.swizzle(load(address), get(turned));
  return {
    parameters: ["i32", "i32", "i32", "i32"],
    variables: ["i32", "i32", "v128"],
    body: [
      ...set(turned, load(get(pattern))),
      ...whileBelow(here, get(1), [
        ...set(at, here),
        ...set(last, i32.sub(i32.add(here, get(width)), i32.of(16))),
        ...whileBelow(get(at), get(last), [
          ...store(i32.sub(i32.add(here, get(last)), get(at)), reversed(get(at)), places.second),
          ...set(at, i32.add(get(at), i32.of(16))),
        ]),
        // The end of the row, which may overlap the vector before.
        ...store(here, reversed(get(last)), places.second),
        ...set(0, i32.add(here, get(width))),
      ]),
    ],
  };
};

/** Writes how vectors of elements of `size` bytes are turned around to `places.turned`. */
export function writeTurned({ memory }: Lanes, size: number): void {
  const pattern = new Uint8Array(memory.buffer, places.turned, 16);
  for (let b = 0; b < 16; b++) pattern[b] = 16 - size * (Math.floor(b / size) + 1) + (b % size);
}

/** Bytes of the rows that `reverseRows` takes. */
export const reversible = { least: 16, most: 4 * chunkSize } as const;

/** The kernel that `reverseRows` takes. */
export const reverseLanes = /* @__PURE__ */ lanesOf({ reverse });

/** Copies `count` elements, which `writeTurned` knows, in rows of `width`, each in reverse; all are numbers of bytes. */
export function reverseRows(
  { kernels, memory }: LanesOf<typeof reverseLanes>,
  data: Uint8Array,
  from: number,
  out: Uint8Array,
  to: number,
  count: number,
  width: number,
): void {
  const size = 4 * chunkSize;
  const chunk = (at: number) => new Uint8Array(memory.buffer, at, size);
  const [first, second] = [chunk(places.first), chunk(places.second)];
  const most = Math.floor(size / width) * width;
  // As in `changed`.
  const block = most * Math.max(1, Math.floor((4 * ahead) / most));
  for (let done = 0; done < count; done += most) {
    const some = Math.min(most, count - done);
    if (done % block === 0) out.set(data.subarray(from + done, from + Math.min(done + block, count)), to + done);
    first.set(out.subarray(to + done, to + done + some));
    kernels.reverse(places.first, places.first + some, width, places.turned);
    out.set(second.subarray(0, some), to + done);
  }
}
