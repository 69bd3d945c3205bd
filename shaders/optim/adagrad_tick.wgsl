// Counts the steps of Adagrad on the device, exact up to 2^24.
// uses lib/guard lib/adagrad

@group(0) @binding(1) var<storage, read_write> state: AdagradState;

@compute @workgroup_size(1)
fn main() {
  if (skipped()) {
    return;
  }
  state.steps += 1.0;
}
