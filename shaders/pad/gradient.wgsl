// Gradient of reflect, replicate and circular padding along one axis: each element of dx adds up dy wherever forward.wgsl read it, in ascending
// order. Padding is separable, so several axes are several passes.
// uses lib/grid lib/blocked lib/pad

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

// Of elements first, first + step … before last.
fn sum_over(base: u32, first: i32, last: i32, step: i32) -> f32 {
  var sum = vec3f(0.0);
  var blocks = 0u;
  var j = first;
  loop {
    let end = select(last, min(last, j + i32(BLOCK) * step), BLOCKED != 0u);
    var block = 0.0;
    for (; j < end; j += step) {
      block += at(base, j);
    }
    blocks++;
    sum = raised(sum, block, blocks);
    continuing {
      break if BLOCKED == 0u || j >= last;
    }
  }
  return sum_of(sum);
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
      sum = sum_over(base, max(low, 0), min(high, p.padded), 1);
    }
    default: {
      let within = k - p.first;
      if (within >= 0 && within < p.period) {
        sum = sum_over(base, (within + p.before) % p.period, p.padded, p.period);
      }
    }
  }
  dx[i] = E(sum);
}
