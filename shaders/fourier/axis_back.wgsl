// The way back from fourier/axis.wgsl: of each window `keep` values from `skip` on, put side by side along the axis.
// uses lib/grid lib/fourier

struct Params {
  count: u32, // of windows
  inner: u32, // elements from one place on the axis to the next
  tiles: u32, // windows of a line
  skip: u32,
  keep: u32,
  size: u32,  // of the axis
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec2f>;

const THREADS = 32u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups) * THREADS + lane;
  if (id >= p.count) {
    return;
  }
  var v: Values;
  for (var k = 0u; k < L; k++) {
    v[k] = x[k * p.count + id];
  }
  transform(&v, 1.0);
  let line = id / p.inner;
  let first = line % p.tiles * p.keep;
  let base = line / p.tiles * p.size * p.inner + id % p.inner;
  for (var j = 0u; j < L; j++) {
    let at = first + j - p.skip;
    if (j >= p.skip && j < p.skip + p.keep && at < p.size) {
      y[base + at * p.inner] = v[place_of(j)];
    }
  }
}
