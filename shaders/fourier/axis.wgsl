// Spectra along a further axis of what fourier/rows.wgsl made: of windows of L values from each multiple of `step` on, frequency by frequency.
// uses lib/grid lib/fourier

struct Params {
  count: u32,  // of windows
  inner: u32,  // elements from one place on the axis to the next
  tiles: u32,  // windows of a line
  step: i32,
  start: i32,  // where the first begins
  reach: i32,  // values of a window that are read, the others are 0
  size: i32,   // of the axis
  sign: f32,   // -1, or 1 for the conjugate spectrum
  scale: f32,
  // TILED: channels are those of a matrix of weights.
  columns: u32,
  width: u32,  // of a tile
  across: u32, // 1: tiles of columns, not rows
  pitch: u32,  // elements from one frequency to the next
  tile: u32,   // from one tile to the next
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec2f>;

const THREADS = 32u;

// 1: the result is a matrix for each frequency, in the order in which fourier/product.wgsl reads it.
override TILED: u32;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups) * THREADS + lane;
  if (id >= p.count) {
    return;
  }
  let line = id / p.inner;
  let first = i32(line % p.tiles) * p.step + p.start;
  let base = line / p.tiles * u32(p.size) * p.inner + id % p.inner;
  var v: Values;
  for (var j = 0u; j < L; j++) {
    let at = first + i32(j);
    let ok = i32(j) < p.reach && at >= 0 && at < p.size;
    v[j] = select(vec2f(0.0), x[base + select(0u, u32(at), ok) * p.inner], ok);
  }
  transform(&v, p.sign);
  var place = id;
  var pitch = p.count;
  if (TILED != 0u) {
    let matrix = vec2u(id % p.inner / p.columns, id % p.columns);
    let side = select(matrix, matrix.yx, p.across != 0u);
    place = line * p.pitch + side.x / p.width * p.tile + side.y * p.width + side.x % p.width;
    pitch = p.count / p.inner * p.pitch;
  }
  for (var k = 0u; k < L; k++) {
    y[place + k * pitch] = p.scale * v[place_of(k)];
  }
}
