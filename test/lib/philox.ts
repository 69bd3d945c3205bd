/** @file Philox4x32-10 (Salmon et al. 2011) on the host. */

/** Salmon et al. 2011, as their Random123 writes it. */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  const mask = 0xffffffffn;
  const c = counter.map(BigInt);
  const k = key.map(BigInt);
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * c[0];
    const p1 = 0xcd9e8d57n * c[2];
    [c[0], c[1], c[2], c[3]] = [(p1 >> 32n) ^ c[1] ^ k[0], p1 & mask, (p0 >> 32n) ^ c[3] ^ k[1], p0 & mask];
    k[0] = (k[0] + 0x9e3779b9n) & mask;
    k[1] = (k[1] + 0xbb67ae85n) & mask;
  }
  return c.map(Number);
}
