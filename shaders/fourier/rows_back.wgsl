// The way back from fourier/rows.wgsl: of each window `keep` values from `skip` on, put side by side along the rows of an image.
// uses lib/grid lib/fourier

struct Params {
  count: u32,    // of channels and windows
  channels: u32, // of each column of a matrix, with others behind those present
  columns: u32,
  present: u32,
  sample: u32,   // the first that is written
  tiles: u32,    // windows of a line
  skip: u32,
  keep: u32,
  size: u32,     // of a line
  lines: u32,    // of an image that are written, in planes of `height` of `below`
  height: u32,
  below: u32,
  first: u32,    // of them
  y_pitch: u32,  // elements from one sample to the next
  residual_pitch: u32,
  channel: u32,  // elements from one channel to the next
  scale: f32,    // of the values
  has_bias: u32,
  has_residual: u32,
  relu: u32,     // negative results become 0
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec2f>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<E>;
@group(0) @binding(4) var<storage, read> residual: array<E>; // added to y

const THREADS = 32u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups) * THREADS + lane;
  if (id >= p.count || id % p.channels >= p.present) {
    return;
  }
  var v: Values;
  for (var k = 0u; k <= L / 2u; k++) {
    v[k] = x[k * p.count + id];
  }
  for (var k = L / 2u + 1u; k < L; k++) {
    v[k] = vec2f(v[L - k].x, -v[L - k].y);
  }
  transform(&v, 1.0);
  let column = id % (p.columns * p.channels) / p.channels;
  let c = column * p.present + id % p.channels;
  let row = id / (p.columns * p.channels) / p.tiles;
  let n = p.sample + row / p.lines;
  let line = row % p.lines / p.height * p.below + row % p.height + p.first;
  let base = c * p.channel + line * p.size;
  let first = id / (p.columns * p.channels) % p.tiles * p.keep;
  var b = 0.0;
  if (p.has_bias != 0u) {
    b = bias[c];
  }
  for (var j = 0u; j < L; j++) {
    let at = first + j - p.skip;
    if (j >= p.skip && j < p.skip + p.keep && at < p.size) {
      var z = p.scale * v[place_of(j)].x + b;
      if (p.has_residual != 0u) {
        z += f32(residual[n * p.residual_pitch + base + at]);
      }
      y[n * p.y_pitch + base + at] = E(select(z, 0.0, p.relu != 0u && z < 0.0)); // not max: a NaN stays
    }
  }
}
