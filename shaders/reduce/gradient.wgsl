// Input gradients of reductions over axes r1 and r2 of [o1, r1, o2, r2]: of extremes, norms and the spread around the mean. Sums and means only
// copy dy.
// uses lib/grid

struct Params {
  o1: u32,
  r1: u32,
  o2: u32,
  r2: u32,
  count: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> value: array<f32>; // per output: what x is compared with
@group(0) @binding(3) var<storage, read> other: array<f32>; // per output: how many are equal, or the deviation
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

override RULE: u32;
const EXTREME = 0u;
const VARIANCE = 1u;
const STD = 2u;
const NORM1 = 3u;
const NORM2 = 4u;
const NORM_INFINITY = 5u;

fn slope(v: f32, o: u32) -> f32 {
  switch RULE {
    // amax, amin: those that are equal share.
    case EXTREME: { return select(0.0, 1.0 / other[o], v == value[o]); }
    // variance: 2 (x - mean) / (n - correction)
    case VARIANCE: { return p.factor * (v - value[o]); }
    // deviation s: (x - mean) / (s (n - correction)), 0 where s is.
    case STD: { return select(p.factor * (v - value[o]) / other[o], 0.0, other[o] == 0.0); }
    // L1, L2 (x / norm, 0 where the norm is) and maximum norm
    case NORM1: { return sign(v); }
    case NORM2: { return select(v / value[o], 0.0, value[o] == 0.0); }
    default: { return select(0.0, sign(v) / other[o], abs(v) == value[o]); }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let inner = i / p.r2;
  let o = inner / (p.o2 * p.r1) * p.o2 + inner % p.o2;
  dx[i] = dy[o] * slope(x[i], o);
}
