// Advances NAdam's step, its bias correction (see adam_tick.wgsl) and the momentum of this step and the next.
// uses lib/guard lib/nadam

@group(0) @binding(1) var<storage, read_write> state: NadamState;

fn momentum_at(step: f32) -> f32 {
  return state.beta1 * fma(-0.5, pow(0.96, step * state.momentum_decay), 1.0);
}

@compute @workgroup_size(1)
fn main() {
  if (skipped()) {
    return;
  }
  state.steps += 1.0;
  state.correction2 = fma(state.beta2, state.correction2, state.one_minus_beta2);
  state.momentum = momentum_at(state.steps);
  state.momentum_next = momentum_at(state.steps + 1.0);
  state.momentum_product *= state.momentum;
}
