/** @file One point of a spectrum: reading it, and adding the wave that changing it makes. A whole transform would take ten times as long. */
import type { Floats } from "./arithmetic.ts";

/** e^(−2πi·f·n / size) for all n. */
function turns(size: number, frequency: number): { readonly cos: Float64Array; readonly sin: Float64Array } {
  const angle = (n: number): number => (2 * Math.PI * ((frequency * n) % size)) / size;
  return {
    cos: Float64Array.from({ length: size }, (_, n) => Math.cos(angle(n))),
    sin: Float64Array.from({ length: size }, (_, n) => -Math.sin(angle(n))),
  };
}

/** The factor that the axes before the last give the line that begins at `at`. */
function lineFactor(at: number, spatial: readonly number[], axes: readonly ReturnType<typeof turns>[]): [number, number] {
  let [re, im] = [1, 0];
  for (let a = spatial.length - 2, rest = at / spatial.at(-1)!; a >= 0; a--) {
    const n = rest % spatial[a];
    const [c, s] = [axes[a].cos[n], axes[a].sin[n]];
    [re, im] = [re * c - im * s, re * s + im * c];
    rest = Math.floor(rest / spatial[a]);
  }
  return [re, im];
}

/** Σ x[n]·e^(−2πi·f·n/size) over a whole image, n and f of all axes. */
export function coefficientAt(
  data: Floats,
  spatial: readonly number[],
  frequency: readonly number[],
): { re: number; im: number } {
  const axes = spatial.map((n, a) => turns(n, frequency[a]));
  const { cos, sin } = axes.at(-1)!;
  const width = spatial.at(-1)!;
  let [re, im] = [0, 0];
  for (let at = 0; at < data.length; at += width) {
    const [c, s] = lineFactor(at, spatial, axes);
    let lineRe = 0;
    let lineIm = 0;
    for (let k = 0; k < width; k++) {
      lineRe += data[at + k] * cos[k];
      lineIm += data[at + k] * sin[k];
    }
    re += lineRe * c - lineIm * s;
    im += lineRe * s + lineIm * c;
  }
  return { re, im };
}

/** Adds the real part of (re + i·im)·e^(2πi·f·n/size) in place. */
export function addWave(data: Floats, spatial: readonly number[], frequency: readonly number[], re: number, im: number): void {
  const axes = spatial.map((n, a) => turns(n, frequency[a]));
  const { cos, sin } = axes.at(-1)!;
  const width = spatial.at(-1)!;
  for (let at = 0; at < data.length; at += width) {
    const [c, s] = lineFactor(at, spatial, axes);
    // The turns are those of the transform; the wave goes the other way around.
    const a = re * c + im * s;
    const b = im * c - re * s;
    for (let k = 0; k < width; k++) data[at + k] += a * cos[k] + b * sin[k];
  }
}
