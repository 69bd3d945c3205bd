/**
 * @file Spectra of real images, n-dimensional and of any size. The spectrum of real values is its own mirror image, so only half of it is kept; values
 * are stored as float32 and transformed in float64.
 */
import { sizeOf } from "./array.ts";
import { complex, fft } from "./fft.ts";
import { columnsInLanes, halvesInLanes, linesInLanes } from "./simd/spectrum_lines.ts";
import { release, unfilledFloats } from "./unfilled.ts";

/** Lines that are transformed at a time: what they take fits in the nearer caches. */
const batch = 16;

/** Half of the spectrum of a real image: along the last axis the frequencies 0 … n/2, along the others all, 0 first. Not scaled. */
export interface HalfSpectrum {
  readonly re: Float32Array;
  readonly im: Float32Array;
  /** Of the spectrum. */
  readonly shape: readonly number[];
  /** Of the image. */
  readonly imageShape: readonly number[];
}

/** Which frequencies of the first axis are of use; at others a spectrum is transformed along the first and last axes only. */
type Wanted = (first: number) => boolean;
const all: Wanted = () => true;

/** The spectrum of a real image of a given shape. */
export function forwardReal(image: Float32Array | Float64Array, imageShape: readonly number[], wanted = all): HalfSpectrum {
  const size = imageShape.at(-1)!;
  const shape = [...imageShape.slice(0, -1), (size >> 1) + 1];
  const [re, im] = [unfilledFloats(sizeOf(shape)), unfilledFloats(sizeOf(shape))];
  const out: HalfSpectrum = { re, im, shape, imageShape };
  if (!(image instanceof Float32Array && halvesInLanes({ image, re, im }, fft(size).passes))) transformLast(image, out);
  for (let axis = 0; axis < shape.length - 1; axis++) transformAxis(out, axis, false, wanted);
  return out;
}

/** Of each line half of its spectrum. */
function transformLast(image: Float32Array | Float64Array, out: HalfSpectrum): void {
  const size = out.imageShape.at(-1)!;
  const kept = out.shape.at(-1)!;
  const lines = image.length / size;
  const plan = fft(size);
  const [x, work] = [complex(size * batch), complex(size * batch)];
  // Two real lines are the real and the imaginary part of a complex one.
  for (let line = 0; line < lines; line += 2 * batch) {
    for (let b = 0; b < batch; b++) {
      const at = (line + 2 * b) * size;
      for (let i = 0; i < size; i++) {
        x.re[i * batch + b] = at < image.length ? image[at + i] : 0;
        x.im[i * batch + b] = at + size < image.length ? image[at + size + i] : 0;
      }
    }
    plan.run(x, work, batch);
    for (let b = 0; b < batch; b++) {
      const at = (line + 2 * b) * kept;
      for (let k = 0; k < kept && at < out.re.length; k++) {
        const i = k * batch + b;
        const j = (k === 0 ? 0 : size - k) * batch + b;
        out.re[at + k] = (x.re[i] + x.re[j]) / 2;
        out.im[at + k] = (x.im[i] - x.im[j]) / 2;
        if (at + kept >= out.re.length) continue;
        out.re[at + kept + k] = (x.im[i] + x.im[j]) / 2;
        out.im[at + kept + k] = (x.re[j] - x.re[i]) / 2;
      }
    }
  }
}

/** The image of a spectrum, scaled so that it undoes `forwardReal`. The spectrum is used up; what is not wanted of it is 0. */
export function inverseReal(spectrum: HalfSpectrum, wanted = all): Float32Array {
  const { re, im, shape, imageShape } = spectrum;
  // The first axis comes last: what is 0 in all of a plane stays so until then.
  for (let axis = shape.length - 2; axis >= 0; axis--) transformAxis(spectrum, axis, true, wanted);
  const out = unfilledFloats(sizeOf(imageShape));
  const scale = 1 / out.length;
  if (!linesInLanes({ image: out, re, im }, fft(imageShape.at(-1)!).passes, scale)) transformLastBack(spectrum, out, scale);
  release([re, im]);
  return out;
}

function transformLastBack({ re, im, shape, imageShape }: HalfSpectrum, out: Float32Array, scale: number): void {
  const size = imageShape.at(-1)!;
  const kept = shape.at(-1)!;
  const lines = out.length / size;
  const plan = fft(size);
  const [x, work] = [complex(size * batch), complex(size * batch)];
  for (let line = 0; line < lines; line += 2 * batch) {
    for (let b = 0; b < batch; b++) {
      const first = (line + 2 * b) * kept;
      const second = first + kept;
      for (let i = 0; i < size; i++) {
        const mirrored = i >= kept;
        const k = mirrored ? size - i : i;
        const sign = mirrored ? -1 : 1;
        const ar = first < re.length ? re[first + k] : 0;
        const ai = first < re.length ? sign * im[first + k] : 0;
        const br = second < re.length ? re[second + k] : 0;
        const bi = second < re.length ? sign * im[second + k] : 0;
        // Swapped, which turns the direction around.
        x.im[i * batch + b] = ar - bi;
        x.re[i * batch + b] = ai + br;
      }
    }
    plan.run(x, work, batch);
    for (let b = 0; b < batch; b++) {
      const at = (line + 2 * b) * size;
      for (let i = 0; i < size && at < out.length; i++) {
        out[at + i] = x.im[i * batch + b] * scale;
        if (at + size < out.length) out[at + size + i] = x.re[i * batch + b] * scale;
      }
    }
  }
}

/** Transforms along one axis in place; another than the first only where the first one's frequency is wanted. */
function transformAxis({ re, im, shape }: HalfSpectrum, axis: number, backward: boolean, wanted: Wanted): void {
  const size = shape[axis];
  if (size === 1) return;
  const inner = sizeOf(shape.slice(axis + 1));
  const plan = fft(size);
  const [x, work] = [complex(size * batch), complex(size * batch)];
  const [from, other] = backward ? [im, re] : [re, im];
  const perFirst = re.length / shape[0];
  const blocks: number[] = [];
  for (let block = 0; block < re.length; block += size * inner)
    if (axis === 0 || wanted(Math.floor(block / perFirst))) blocks.push(block);
  const first = columnsInLanes(from, other, inner, plan.passes, blocks);
  for (const block of blocks) {
    for (let column = first; column < inner; column += batch) {
      const count = Math.min(batch, inner - column);
      for (let i = 0; i < size; i++) {
        const at = block + i * inner + column;
        for (let b = 0; b < count; b++) {
          x.re[i * count + b] = from[at + b];
          x.im[i * count + b] = other[at + b];
        }
      }
      plan.run(x, work, count);
      for (let i = 0; i < size; i++) {
        const at = block + i * inner + column;
        for (let b = 0; b < count; b++) {
          from[at + b] = x.re[i * count + b];
          other[at + b] = x.im[i * count + b];
        }
      }
    }
  }
}
