// AMSGrad (Reddi et al. 2018) divides by the largest second moment so far.

@group(0) @binding(7) var<storage, read_write> largest: array<f32>;

fn divisor(i: u32, v: f32) -> f32 {
  let most = max(largest[i], v);
  largest[i] = most;
  return most;
}
