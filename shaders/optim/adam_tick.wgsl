// Advances Adam's bias corrections c = 1 - beta^t by c <- beta c + (1 - beta), which keeps full relative precision where 1 - pow(beta, t) would
// cancel. On the device, so that a replayed step needs nothing from the host.
// uses lib/guard

struct State {
  lr: f32,
  beta1: f32,
  beta2: f32,
  one_minus_beta1: f32,
  one_minus_beta2: f32,
  epsilon: f32,
  weight_decay: f32,
  correction1: f32,
  correction2: f32,
}

@group(0) @binding(1) var<storage, read_write> state: State;
@group(0) @binding(2) var<storage, read> scaler: array<f32>; // bound for nothing unless GUARDED

@compute @workgroup_size(1)
fn main() {
  if (skipped(scaler[2])) {
    return;
  }
  state.correction1 = fma(state.beta1, state.correction1, state.one_minus_beta1);
  state.correction2 = fma(state.beta2, state.correction2, state.one_minus_beta2);
}
