// AMSGrad (Reddi et al. 2018) divides by the largest second moment so far.

@group(0) @binding(7) var<storage, read_write> largest: array<vec4f>;

fn divisor(i: u32, v: vec4f) -> vec4f {
  let most = max(largest[i], v);
  largest[i] = most;
  return most;
}
