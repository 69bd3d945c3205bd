// Input gradient of norm/forward.wgsl, and per channel the sums of which norm/affine_gradient makes the gradients of scale, shift and slope. With
// h = (x - mean) * scale, d the gradient of z = weight * h + bias, and u = d * weight:
//   dx = scale * (u - mean(u) - h * mean(u * h)).
// z is computed again from x: nothing is kept for the activation. One workgroup per group; or one per slab of it, after norm/slab_sums.
// chooses lib/scalar lib/wide
// uses lib/grid lib/norm_sums

@group(0) @binding(1) var<storage, read> x: array<S>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> slope: array<f32>;
@group(0) @binding(5) var<storage, read> stats: array<f32>;
@group(0) @binding(6) var<storage, read> dy: array<S>;
@group(0) @binding(7) var<storage, read_write> dx: array<S>;
@group(0) @binding(8) var<storage, read_write> sums: array<f32>; // [slabs, groups, channels of a group, 3]

// 1: norm/slab_sums has written the sums, because there are slabs or several channels to a group. (Their loop here, around barriers, takes llvmpipe
// half a second more to compile.)
override GIVEN: u32;
// 1: dx has what other operations gave.
override ADDED: u32;

fn given_sums(g: u32, lane: u32) -> vec3f {
  let rows = p.slabs * p.channels_per_group;
  var sum = vec3f(0.0);
  for (var start = lane; start < rows; start += BLOCK) {
    var block = vec3f(0.0);
    for (var r = start; r < min(start + BLOCK, rows); r += LANES) {
      let c = r % p.channels_per_group;
      let row = 3u * ((r / p.channels_per_group * p.groups + g) * p.channels_per_group + c);
      block += of_channel(channel(g, c * p.inner)).weight * vec3f(sums[row], sums[row + 1u], 0.0);
    }
    sum += block;
  }
  return tree_sums(sum, lane);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups);
  let g = id / p.slabs;
  let last = select(0u, min((id % p.slabs + 1u) * p.slab, p.count), g < p.groups);
  let s = stats_of(min(g, p.groups - 1u));
  var q = of_channel(channel(g, 0u));

  var means = vec2f(0.0);
  if (GIVEN == 0u) {
    let own = channel_sums(g, 0u, last, s, q, lane);
    if (lane < 3u && g < p.groups) {
      sums[3u * g + lane] = own[lane];
    }
    means = q.weight * own.xy;
  } else {
    means = given_sums(min(g, p.groups - 1u), lane).xy;
  }
  means /= f32(p.count * WIDTH);

  let first = id % p.slabs * p.slab + lane;
  var to = spot(g, first);
  for (var i = first; i < last; i += LANES) {
    if (CHANNELS != 0u) {
      q = of_channel(channel(g, i));
    }
    let k = at(to, p.dx_pitch);
    let h = normalized(V(x[at(to, p.x_pitch)]), s);
    let u = q.weight * upstream(V(dy[at(to, p.dy_pitch)]), scaled(h, q), i, q);
    var d = s.y * (u - means.x - h * means.y);
    if (ADDED != 0u) {
      d += V(dx[k]);
    }
    dx[k] = S(d);
    to = next(to);
  }
}
