// Counts the steps of SGD on the device; it stays exact up to 2^24 and only the first step is told apart.
// uses lib/guard lib/sgd

@group(0) @binding(1) var<storage, read_write> state: SgdState;

@compute @workgroup_size(1)
fn main() {
  if (skipped()) {
    return;
  }
  state.steps += 1.0;
}
