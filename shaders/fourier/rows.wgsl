// Spectra of windows of the rows of an image: of L values from each multiple of `step` on, the lower half, as the values are real. They lie frequency by frequency, in
// each of them by samples, lines, windows and channels.
// uses lib/grid lib/fourier

struct Params {
  count: u32,    // of channels and windows
  channels: u32, // with zeros behind the last one
  present: u32,
  sample: u32,   // the first that is taken
  tiles: u32,    // windows of a line
  step: i32,
  start: i32,    // where the first begins
  reach: i32,    // values of a window that are read, the others are 0
  size: i32,     // of a line
  lines: u32,    // of an image that are taken, in planes of `height` of `below`
  height: u32,
  below: u32,
  first: u32,    // of them
  x_pitch: u32,  // elements from one sample to the next
  channel: u32,  // elements from one channel to the next
  sign: f32,     // -1, or 1 for the conjugate spectrum
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<E>;
@group(0) @binding(2) var<storage, read_write> y: array<vec2f>;

const THREADS = 32u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups) * THREADS + lane;
  if (id >= p.count) {
    return;
  }
  let c = id % p.channels;
  let row = id / p.channels / p.tiles;
  let line = row % p.lines / p.height * p.below + row % p.height + p.first;
  let base = i32((p.sample + row / p.lines) * p.x_pitch + c * p.channel + line * u32(p.size));
  let first = i32(id / p.channels % p.tiles) * p.step + p.start;
  var v: Values;
  for (var j = 0u; j < L; j++) {
    let at = first + i32(j);
    let ok = i32(j) < p.reach && at >= 0 && at < p.size && c < p.present;
    v[j] = vec2f(select(0.0, f32(x[select(0, base + at, ok)]), ok), 0.0);
  }
  transform(&v, p.sign);
  for (var k = 0u; k <= L / 2u; k++) {
    y[k * p.count + id] = v[place_of(k)];
  }
}
