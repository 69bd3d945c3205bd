// What the kernels of convolution share: sizes, bindings and where the taps of an output lie. Plain convolution reads position
// q * stride + tap * dilation - padding. The transposed one is split into stride phases per axis: outputs i = q * stride + r all use the taps t with
// (r + padding - t * dilation) divisible by stride, at position q + (r + padding - t * dilation) / stride.

struct Params {
  in_size: vec4i,    // D, H, W
  out_size: vec4i,   // D, H, W
  taps: vec4i,       // kernel size
  stride: vec4i,
  dilation: vec4i,
  padding: vec4i,
  in_channels: u32,
  out_channels: u32,
  in_group: u32,     // channels per group
  out_group: u32,
  weight_out: u32,   // distance in the weight between two output channels
  weight_in: u32,    // between two input channels
  weight_group: u32, // between two groups
  transposed: u32,
  has_bias: u32,
  samples: u32,
  x_pitch: u32,      // elements from one sample to the next
  y_pitch: u32,
  residual_pitch: u32,
  relu: u32,         // negative results become 0
  has_residual: u32,
  tiles: u32,        // of TC output channels, over all groups
  across: u32,       // workgroups along the positions of a phase and channel tile
  gap: u32,          // places of no output behind each row, see conv/matrix.wgsl
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<E>;
@group(0) @binding(5) var<storage, read> residual: array<E>; // added to y

// 1: an output has so many products that they are added in blocks: channels of a tap, up to BLOCK of them, and as many taps as make a block of it.
// 2: so many blocks that they are added in blocks of 64 too.
override BLOCKED: u32;
const BLOCK = 128u;

// First tap of an axis that reaches phase r, or `taps` if none does.
fn first_tap(r: i32, axis: u32) -> i32 {
  if (p.transposed == 0u) {
    return 0;
  }
  var t = 0;
  while (t < p.taps[axis] && (r + p.padding[axis] - t * p.dilation[axis]) % p.stride[axis] != 0) {
    t++;
  }
  return t;
}

// Input offset of tap t; in the transposed case the division is exact by choice of t.
fn tap_offset(r: i32, t: i32, axis: u32) -> i32 {
  if (p.transposed == 0u) {
    return t * p.dilation[axis] - p.padding[axis];
  }
  return (r + p.padding[axis] - t * p.dilation[axis]) / p.stride[axis];
}

fn gcd(a: i32, b: i32) -> i32 {
  var u = a;
  var v = b;
  while (v != 0) {
    let r = u % v;
    u = v;
    v = r;
  }
  return u;
}

// Steps of outputs, inputs and taps along the axes, and phases per axis.
struct Steps {
  output: vec3i,
  input: vec3i,
  tap: vec3i,
  phases: vec3i,
}

fn steps() -> Steps {
  if (p.transposed == 0u) {
    return Steps(vec3i(1), p.stride.xyz, vec3i(1), vec3i(1));
  }
  var tap = vec3i(1);
  for (var a = 0u; a < 3u; a++) {
    tap[a] = p.stride[a] / gcd(p.stride[a], p.dilation[a]);
  }
  return Steps(p.stride.xyz, vec3i(1), tap, p.stride.xyz);
}

// The phase of a workgroup: positions, channel tiles and phases, in this order, make one folded grid, since each may be many.
fn phase(id: u32, phases: vec3i) -> vec3i {
  let i = i32(id / p.across / p.tiles);
  return vec3i(i / (phases.y * phases.z), i / phases.z % phases.y, i % phases.z);
}

// Stores the value of a place in a sample.
fn store(sample: u32, place: u32, v: f32) {
  var z = v;
  if (p.has_residual != 0u) {
    z += f32(residual[sample * p.residual_pitch + place]);
  }
  y[sample * p.y_pitch + place] = E(select(z, 0.0, p.relu != 0u && z < 0.0)); // not max: a NaN stays
}

fn bias_of(c: u32) -> f32 {
  if (p.has_bias == 0u) {
    return 0.0;
  }
  return bias[c];
}
