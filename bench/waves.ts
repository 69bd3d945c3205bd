/** @file Numbers for benches: never zeros, which some hardware computes with faster. */

const period = 65_536;

/** Values of a sine; after the first 65,536 they come again, because computing millions takes longer than what they are for. */
export function waves(size: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(size);
  for (let i = 0; i < Math.min(size, period); i++) data[i] = Math.sin(i * 0.37);
  for (let filled = period; filled < size; filled *= 2) data.copyWithin(filled, 0, Math.min(filled, size - filled));
  return data;
}
