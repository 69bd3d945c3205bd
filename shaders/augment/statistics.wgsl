// Mean, least and largest value and standard deviation of each channel from those of its shares. A workgroup has a channel, a lane every 64th share.
// uses lib/grid

struct Params {
  channels: u32,
  plane: u32,    // elements of a channel
  shares: u32,
}

const WIDTH = 64u;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> found: array<f32>;                   // [channels, shares, 4], see share.wgsl
@group(0) @binding(2) var<storage, read_write> statistics: array<f32>;        // [channels, 3]
@group(0) @binding(3) var<storage, read_write> deviation: array<f32>;         // [channels]

var<workgroup> firsts: array<vec3f, WIDTH>;
var<workgroup> squares: array<f32, WIDTH>;

fn elements(share: u32) -> f32 {
  return f32(p.plane / p.shares + select(0u, 1u, share < p.plane % p.shares));
}

@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let channel = linear_group(group, groups);
  // Workgroups beyond the channels, where the host folded the grid, have no shares.
  let shares = select(0u, p.shares, channel < p.channels);
  let line = channel * p.shares;
  let middle = found[4u * line];
  var own = vec3f(0.0, 3.4e38, -3.4e38);
  for (var s = lane; s < shares; s += WIDTH) {
    let at = 4u * (line + s);
    own = vec3f(own.x + elements(s) * (found[at] - middle), min(own.y, found[at + 2u]), max(own.z, found[at + 3u]));
  }
  firsts[lane] = own;
  workgroupBarrier();
  var all = vec3f(0.0, 3.4e38, -3.4e38);
  for (var i = 0u; i < WIDTH; i++) {
    all = vec3f(all.x + firsts[i].x, min(all.y, firsts[i].y), max(all.z, firsts[i].z));
  }
  let mean = middle + all.x / f32(p.plane);
  var sum = 0.0;
  for (var s = lane; s < shares; s += WIDTH) {
    let at = 4u * (line + s);
    let d = found[at] - mean;
    sum += found[at + 1u] + elements(s) * d * d;
  }
  squares[lane] = sum;
  workgroupBarrier();
  if (lane == 0u && channel < p.channels) {
    var total = 0.0;
    for (var i = 0u; i < WIDTH; i++) {
      total += squares[i];
    }
    statistics[3u * channel] = mean;
    statistics[3u * channel + 1u] = all.y;
    statistics[3u * channel + 2u] = all.z;
    deviation[channel] = sqrt(total / f32(p.plane));
  }
}
