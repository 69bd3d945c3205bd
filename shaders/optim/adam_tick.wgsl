// Advances Adam's bias corrections c = 1 - beta^t by c <- beta c + (1 - beta), which keeps full relative precision where 1 - pow(beta, t) would
// cancel. On the device, so that a replayed step needs nothing from the host.
// uses lib/guard lib/adam

@group(0) @binding(1) var<storage, read_write> state: AdamState;

@compute @workgroup_size(1)
fn main() {
  if (skipped()) {
    return;
  }
  state.correction1 = fma(state.beta1, state.correction1, state.one_minus_beta1);
  state.correction2 = fma(state.beta2, state.correction2, state.one_minus_beta2);
}
