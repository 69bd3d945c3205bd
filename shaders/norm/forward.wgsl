// Normalization of groups of elements to zero mean and unit variance, then an optional scale and shift per channel and an activation of two
// straight lines, with another tensor added behind or before it: instance norm (a group is one channel of one sample), group norm, layer norm, and batch norm in training (one channel of all
// samples). One workgroup per group; or, where these are too few to fill a device, one per slab, after norm/slab_moments.
//
// [4, 32, 128, 128] on llvmpipe (LLVM 15, two shared cores, least GPU ms of 6, forward + all gradients): one element a thread and a kernel of its own
// for the activation; four elements a thread; the activation as part of the norm:
//   instance, PReLU                            42.3 + 55.1    36.6 + 49.0    12.1 + 10.2
//   instance with scale, shift, leaky ReLU     34.7 + 51.2    17.8 + 20.1    10.5 + 13.4
//   batch with scale, shift, ReLU              33.8 + 49.3    19.9 + 21.8    11.9 +  9.1
//   group (8) with scale, shift, ReLU          41.5 + 50.0    26.7 + 14.0    14.5 +  6.9
// chooses lib/scalar lib/wide
// uses lib/grid lib/norm_moments lib/norm_affine lib/residual

@group(0) @binding(1) var<storage, read> x: array<S>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> slope: array<f32>;
@group(0) @binding(5) var<storage, read> slab_moments: array<f32>; // [groups, slabs, 3] of norm/slab_moments
@group(0) @binding(6) var<storage, read> residual: array<S>;
@group(0) @binding(7) var<storage, read_write> y: array<S>;
@group(0) @binding(8) var<storage, read_write> stats: array<f32>; // [groups, 3]: mean, 1 / standard deviation, what the mean lacks

// 1: there are slabs.
override SLABS: u32;
// What is added: NONE, BEHIND the activation or BEFORE it. An override, as software adapters take both sides of a branch.
override RESIDUAL: u32;

// Of all slabs, from the moments of each (Chan, Golub and LeVeque 1983).
fn joined(g: u32) -> vec3f {
  let all = f32(p.count);
  var mean = 0.0;
  for (var k = 0u; k < p.slabs; k++) {
    mean += slab_moments[3u * (g * p.slabs + k)] * (f32(min(p.slab, p.count - k * p.slab)) / all);
  }
  var squares = 0.0;
  var rest = 0.0;
  for (var k = 0u; k < p.slabs; k++) {
    let i = 3u * (g * p.slabs + k);
    let count = f32(min(p.slab, p.count - k * p.slab));
    let d = slab_moments[i] - mean + slab_moments[i + 2u];
    rest += d * (count / all);
    squares += slab_moments[i + 1u] + d * d * (count * f32(WIDTH));
  }
  return vec3f(mean, squares, rest);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups);
  let g = id / p.slabs;
  // Not an early return: every lane has to reach the barriers.
  let last = select(0u, min((id % p.slabs + 1u) * p.slab, p.count), g < p.groups);

  var m = vec3f(0.0);
  if (SLABS == 0u) {
    m = moments(g, 0u, last, lane);
  } else if (g < p.groups) {
    m = joined(g);
  }
  let s = vec3f(m.x, 1.0 / sqrt(m.y / f32(p.count * WIDTH) + p.epsilon), m.z);

  var q = of_channel(channel(g, 0u));
  let first = id % p.slabs * p.slab + lane;
  var to = spot(g, first);
  for (var i = first; i < last; i += LANES) {
    if (CHANNELS != 0u) {
      q = of_channel(channel(g, i));
    }
    var z = scaled(normalized(V(x[at(to, p.x_pitch)]), s), q);
    if (RESIDUAL == BEFORE) {
      z += V(residual[at(to, p.residual_pitch)]);
    }
    z = select(q.slope * z, z, z > V(0.0));
    if (RESIDUAL == BEHIND) {
      z += V(residual[at(to, p.residual_pitch)]);
    }
    y[at(to, p.y_pitch)] = S(z);
    to = next(to);
  }
  if (lane < 3u && id % p.slabs == 0u && g < p.groups) {
    stats[3u * g + lane] = s[lane];
  }
}
