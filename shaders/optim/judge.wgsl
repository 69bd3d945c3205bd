// Dynamic loss scaling (Micikevicius et al. 2018) as torch.amp.GradScaler: after a step with a gradient that is not finite the scale shrinks, after
// `interval` good ones in a row it grows. The inverse of the scale that made these gradients is kept for optim/unscale.wgsl.
// uses lib/tree lib/scaler

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> state: ScalerState;
@group(0) @binding(3) var<storage, read> veto: array<f32>; // bound for nothing unless VETOED

override VETOED: u32 = 0u;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var found = 0.0;
  for (var i = lane; i < p.count; i += LANES) {
    found += partial[i];
  }
  let total = tree_sum(found, lane);
  if (lane != 0u) {
    return;
  }
  state.inverse = 1.0 / state.scale;
  if (VETOED != 0u && veto[0] != 0.0) {
    // The gradients tell nothing of the scale.
    state.found = 1.0;
    return;
  }
  state.found = select(0.0, 1.0, total > 0.0);
  if (total > 0.0) {
    state.scale *= state.backoff;
    state.good = 0.0;
    return;
  }
  state.good += 1.0;
  if (state.good >= state.interval) {
    // As PyTorch, not beyond what f32 holds.
    state.scale = select(state.scale, state.scale * state.growth, state.scale < 1e38 / state.growth);
    state.good = 0.0;
  }
}
