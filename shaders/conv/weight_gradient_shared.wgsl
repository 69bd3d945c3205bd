// Weight gradient of convolution through shared memory, for hardware with many cores: per tap a matrix product of a-channels by b-channels over positions.
// A workgroup of CG * PG owns CG groups of four a-channels times PG groups of four b-channels of one tap and walks a slab of positions in steps of
// STEP. Slabs write partial sums, which `reduce` adds in fixed order, as in conv/weight_gradient.wgsl, which reaches
// 11.7 GFLOP per CPU-second on lavapipe where this one reaches 1.5 to 2.8. Not measured on a GPU yet.
// uses lib/grid lib/conv_weight

const LANES = CG * PG;
const A_PITCH = CG + 1u;
const B_PITCH = PG + 1u;

var<workgroup> a_shared: array<vec4f, STEP * A_PITCH>;
var<workgroup> b_shared: array<vec4f, STEP * B_PITCH>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) ids: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = place(linear_group(id, ids));
  if (group.z >= p.slabs) {
    return;
  }
  let tap_count = u32(p.taps.x * p.taps.y * p.taps.z);
  let tap = i32(group.x % tap_count);
  let b0 = group.x / tap_count * PG * 4u;
  // A tile of channels stays inside its group.
  let tiles = (p.a_group + CG * 4u - 1u) / (CG * 4u);
  let g = group.y / tiles;
  let a0 = group.y % tiles * CG * 4u;
  let reach = vec3i(tap / (p.taps.y * p.taps.z), tap / p.taps.z % p.taps.y, tap % p.taps.z) * p.dilation.xyz - p.padding.xyz;
  let a_plane = u32(p.a_size.x * p.a_size.y * p.a_size.z);
  let b_plane = u32(p.b_size.x * p.b_size.y * p.b_size.z);
  let width = u32(p.a_size.z);
  let first = group.z * p.slab * width;
  let last = min((group.z + 1u) * p.slab, p.rows) * width;

  // Neighbouring lanes fetch neighbouring positions.
  let t = lane % STEP;
  var acc: array<vec4f, 4>; // vec4 of b-channels, per a-channel
  let mine_a = lane / PG;
  let mine_b = lane % PG;
  for (var k = first; k < last; k += STEP) {
    let q = min(k + t, last - 1u);
    let n = q / a_plane;
    let o = i32(q % a_plane);
    let at = vec3i(o / (p.a_size.y * p.a_size.z), o / p.a_size.z % p.a_size.y, o % p.a_size.z) * p.stride.xyz + reach;
    let counts = k + t < last && all(at >= vec3i(0)) && all(at < p.b_size.xyz);
    let ia = (n * p.a_channels + g * p.a_group) * a_plane + u32(o);
    let ib = (n * p.b_channels + g * p.b_group) * b_plane + select(0u, u32((at.x * p.b_size.y + at.y) * p.b_size.z + at.z), counts);
    for (var m = lane / STEP; m < CG; m += LANES / STEP) {
      let c = min(vec4u(a0 + m * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(p.a_group - 1u)) * a_plane + ia;
      a_shared[t * A_PITCH + m] = select(vec4f(0.0), vec4f(vec4<E>(a[c.x], a[c.y], a[c.z], a[c.w])), counts);
    }
    for (var m = lane / STEP; m < PG; m += LANES / STEP) {
      let c = min(vec4u(b0 + m * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(p.b_group - 1u)) * b_plane + ib;
      b_shared[t * B_PITCH + m] = select(vec4f(0.0), vec4f(vec4<E>(b[c.x], b[c.y], b[c.z], b[c.w])), counts);
    }
    workgroupBarrier();
    for (var i = 0u; i < STEP; i++) {
      let av = a_shared[i * A_PITCH + mine_a];
      let bv = b_shared[i * B_PITCH + mine_b];
      for (var j = 0u; j < 4u; j++) {
        acc[j] = fma(vec4f(av[j]), bv, acc[j]);
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      let ca = a0 + mine_a * 4u + i;
      let cb = b0 + mine_b * 4u + j;
      if (ca < p.a_group && cb < p.b_group) {
        partial[((group.z * p.a_channels + g * p.a_group + ca) * p.b_group + cb) * tap_count + u32(tap)] = acc[i][j];
      }
    }
  }
}
