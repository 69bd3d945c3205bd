// A straight line per channel, y = x * factor + shift, and an activation of two lines behind it: slope * y where y is not above 0. What batch norm is with fixed
// statistics. An element a thread, or four of one channel.
// chooses lib/scalar lib/wide
// uses lib/each lib/residual

struct Params {
  each: u32,    // elements of a thread, see lib/each
  count: u32,
  inner: u32,     // of a channel; both in units of a thread
  channels: u32,
  start: u32,     // before this piece of a tensor
  slope: f32,     // where there are no slopes
  slopes: u32,    // 0, 1 or one per channel
  residual: u32,  // what is added: NONE, BEHIND the activation or BEFORE it
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<S>;
@group(0) @binding(2) var<storage, read> factor: array<f32>;
@group(0) @binding(3) var<storage, read> shift: array<f32>;
@group(0) @binding(4) var<storage, read> slopes: array<f32>;
@group(0) @binding(5) var<storage, read> residual: array<S>;
@group(0) @binding(6) var<storage, read_write> y: array<S>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  for (var i = own.first; i < own.end; i += APART) {
    let c = (p.start + i) / p.inner % p.channels;
    var v = V(x[i]) * factor[c] + shift[c];
    var slope = p.slope;
    if (p.slopes != 0u) {
      slope = slopes[select(c, 0u, p.slopes == 1u)];
    }
    if (p.residual == BEFORE) {
      v += V(residual[i]);
    }
    v = select(slope * v, v, v > V(0.0));
    if (p.residual == BEHIND) {
      v += V(residual[i]);
    }
    y[i] = S(v);
  }
}
