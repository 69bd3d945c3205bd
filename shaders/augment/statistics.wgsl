// Mean, least and largest value and standard deviation of each channel from those of its shares. A workgroup has a channel, a lane
// every LANES-th share.
// uses lib/grid lib/ordered lib/tree

struct Params {
  channels: u32,
  plane: u32,    // elements of a channel
  shares: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> found: array<f32>;                   // [channels, shares, 4], see share.wgsl
@group(0) @binding(2) var<storage, read_write> statistics: array<f32>;        // [channels, 3]
@group(0) @binding(3) var<storage, read_write> deviation: array<f32>;         // [channels]

fn elements(share: u32) -> f32 {
  return f32(p.plane / p.shares + select(0u, 1u, share < p.plane % p.shares));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let channel = linear_group(group, groups);
  // Workgroups beyond the channels, where the host folded the grid, have no shares.
  let shares = select(0u, p.shares, channel < p.channels);
  let line = channel * p.shares;
  let middle = found[4u * line];
  var own = vec3f(0.0, 3.4e38, -3.4e38);
  for (var s = lane; s < shares; s += LANES) {
    let at = 4u * (line + s);
    own = vec3f(own.x + elements(s) * (found[at] - middle), min(own.y, found[at + 2u]), max(own.z, found[at + 3u]));
  }
  let sum = tree_sum(own.x, lane);
  let least = tree_max(~key(bitcast<u32>(own.y)), lane);
  workgroupBarrier();
  let most = tree_max(key(bitcast<u32>(own.z)), lane);
  let mean = middle + sum / f32(p.plane);
  var squares = 0.0;
  for (var s = lane; s < shares; s += LANES) {
    let at = 4u * (line + s);
    let d = found[at] - mean;
    squares += found[at + 1u] + elements(s) * d * d;
  }
  let total = tree_sum(squares, lane);
  if (lane == 0u && channel < p.channels) {
    statistics[3u * channel] = mean;
    statistics[3u * channel + 1u] = bitcast<f32>(word_of(~least));
    statistics[3u * channel + 2u] = bitcast<f32>(word_of(most));
    deviation[channel] = sqrt(total / f32(p.plane));
  }
}
