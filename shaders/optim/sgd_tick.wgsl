// Counts the steps of SGD on the device; it stays exact up to 2^24 and only the first step is told apart.
// uses lib/guard

struct State {
  lr: f32,
  momentum: f32,
  dampening: f32,
  weight_decay: f32,
  steps: f32,
}

@group(0) @binding(1) var<storage, read_write> state: State;
@group(0) @binding(2) var<storage, read> scaler: array<f32>; // bound for nothing unless GUARDED

@compute @workgroup_size(1)
fn main() {
  if (skipped(scaler[2])) {
    return;
  }
  state.steps += 1.0;
}
