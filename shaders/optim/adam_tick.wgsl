// Advances Adam's bias corrections c = 1 - beta^t by c <- beta c + (1 - beta), which keeps full relative precision where 1 - pow(beta, t) would
// cancel, and is how the second moment is summed: beta and 1 - beta are rounded apart, which cancels between the two. On the device, so that a
// replayed step needs nothing from the host.
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
