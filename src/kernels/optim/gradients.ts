/** @file All gradients of a step: their norm, clipping, and loss scales. */

import { type KernelCall, update, write } from "../../tensor/kernel.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { lanes } from "../lib/occupancy.ts";
import { flat, fold } from "../lib/workgroups.ts";
import { clipShader } from "../shaders/optim/clip.gen.ts";
import { finiteShader } from "../shaders/optim/finite.gen.ts";
import { judgeShader } from "../shaders/optim/judge.gen.ts";
import { normShader } from "../shaders/optim/norm.gen.ts";
import { squaresShader } from "../shaders/optim/squares.gen.ts";
import { unscaleShader } from "../shaders/optim/unscale.gen.ts";

export { ScalerState } from "../shaders/lib/scaler.gen.ts";

// Beyond any gradient: WGSL promises nothing about infinity.
const unlimited = 3e38;

/** How the slabs of one gradient are run: `params.first` is where its numbers begin among those of all. */
interface Slabs {
  readonly consts: { readonly LANES: number };
  readonly params: { readonly count: number; readonly first: number };
  readonly workgroups: KernelCall["workgroups"];
}

// One number per slab of each gradient, then one of all slabs.
function overAll(
  gradients: readonly Tensor[],
  slab: (gradient: Tensor, partial: Tensor, slabs: Slabs) => KernelCall,
  all: (partial: Tensor, call: Omit<Slabs, "params"> & { readonly params: { readonly count: number } }) => KernelCall,
): void {
  const { device } = gradients[0];
  const consts = { LANES: lanes(device) };
  const counts = gradients.map((g) => Math.ceil(g.size / (4 * 64 * consts.LANES)));
  const total = counts.reduce((a, b) => a + b, 0);
  const partial = device.empty([total]);
  let first = 0;
  gradients.forEach((gradient, i) => {
    const workgroups = fold(device, "gradients", counts[i]);
    device.run(slab(gradient, partial, { consts, params: { count: gradient.size / 4, first }, workgroups }));
    first += counts[i];
  });
  device.run(all(partial, { consts, params: { count: total }, workgroups: [1, 1, 1] }));
  partial.dispose();
}

/** Writes the norm over all `gradients`, each first limited to ±`limit`, to `norm`. */
export function gradientNorm(gradients: readonly Tensor[], norm: Tensor, limit = unlimited): void {
  overAll(
    gradients,
    (gradient, partial, slabs) =>
      squaresShader({ ...slabs, params: { ...slabs.params, limit }, bind: { gradient, partial: update(partial) } }),
    (partial, call) => normShader({ ...call, bind: { partial, norm: write(norm) } }),
  );
}

/**
 * Divides `gradients` by the scale in `state` (`ScalerState`), or clears them if one is not finite, and moves the scale. If the scalar `veto` is not 0
 * they are cleared and the scale stays.
 */
export function unscale(gradients: readonly Tensor[], state: Tensor, veto?: Tensor): void {
  const { device } = state;
  overAll(
    gradients,
    (gradient, partial, slabs) => finiteShader({ ...slabs, bind: { gradient, partial: update(partial) } }),
    (partial, call) =>
      judgeShader({
        ...call,
        overrides: { VETOED: veto ? 1 : 0 },
        variant: veto ? "vetoed" : undefined,
        bind: { partial, state: update(state), veto: veto ?? partial },
      }),
  );
  for (const gradient of gradients) {
    const { words: params, workgroups } = flat(device, "unscale", gradient.size / 4);
    device.run(unscaleShader({ params, bind: { state, gradient: update(gradient) }, workgroups }));
  }
}

/** Limits `gradient` to ±`limit`, then by the factor min(1, maxNorm / (norm + 1e-6)). */
export function clip(gradient: Tensor, norm: Tensor, limit = unlimited, maxNorm = unlimited): void {
  const { words, workgroups } = flat(gradient.device, "clip", gradient.size / 4);
  const params = { ...words, limit, max_norm: Math.min(maxNorm, unlimited) };
  gradient.device.run(clipShader({ params, bind: { norm, gradient: update(gradient) }, workgroups }));
}
