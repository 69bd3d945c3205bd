// Advances RAdam's bias corrections (see adam_tick.wgsl) and `length`: length / correction2 is the length rho of the approximated moving average,
// 2 / (1 - beta2) - 1 - 2 t beta2^t / (1 - beta2^t), as a sum without negative terms, where the difference would cancel in the first steps.
// uses lib/guard lib/radam

@group(0) @binding(1) var<storage, read_write> state: RadamState;

@compute @workgroup_size(1)
fn main() {
  if (skipped()) {
    return;
  }
  let before = state.correction2;
  state.length += fma(2.0 * state.beta2, before, state.one_minus_beta2 * (1.0 - state.length));
  state.correction1 = fma(state.one_minus_beta1, 1.0 - state.correction1, state.correction1);
  state.correction2 = fma(state.beta2, before, state.one_minus_beta2);
}
