// Norm of all gradients from the partial sums of `squares`, in fixed order.
// uses lib/tree

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < p.count; i += LANES) {
    sum += partial[i];
  }
  let total = tree_sum(sum, lane);
  if (lane == 0u) {
    norm[0] = sqrt(total);
  }
}
