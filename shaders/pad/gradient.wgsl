// Gradient of reflect, replicate and circular padding along one axis: each element of dx adds up dy wherever forward.wgsl read it, in ascending
// order. Padding is separable, so several axes are several passes.
// uses lib/grid lib/pad

struct Params {
  size: i32,      // of dx along the axis
  padded: i32,    // of dy
  before: i32,
  first: i32,     // circular: the part of x that repeats
  period: i32,
  inner: u32,
  count: u32,     // elements of dx
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<E>;
@group(0) @binding(2) var<storage, read_write> dx: array<E>;

fn at(base: u32, k: i32) -> f32 {
  if (k < 0 || k >= p.padded) {
    return 0.0;
  }
  return f32(dy[base + u32(k) * p.inner]);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let k = i32(i / p.inner % u32(p.size));
  let base = i / (p.inner * u32(p.size)) * u32(p.padded) * p.inner + i % p.inner;
  let own = k + p.before;
  var sum = 0.0;
  switch MODE {
    case REFLECT: {
      // Mirrors stand on the first and on the last element, which have no image of their own.
      let end = p.size - 1;
      if (k > 0) {
        sum += at(base, p.before - k);
      }
      sum += at(base, own);
      if (k < end) {
        sum += at(base, own + 2 * (end - k));
      }
    }
    case REPLICATE: {
      let low = select(own, 0, k == 0);
      let high = select(own + 1, p.padded, k == p.size - 1);
      for (var j = max(low, 0); j < min(high, p.padded); j++) {
        sum += at(base, j);
      }
    }
    default: {
      let within = k - p.first;
      if (within >= 0 && within < p.period) {
        for (var j = (within + p.before) % p.period; j < p.padded; j += p.period) {
          sum += at(base, j);
        }
      }
    }
  }
  dx[i] = E(sum);
}
