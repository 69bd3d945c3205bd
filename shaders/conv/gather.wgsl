// Convolution, transposed convolution and the input gradients of both, as one gather.
//
// A thread owns TP consecutive outputs of one phase (positions of all samples in a row) times TC output channels, held in registers as vec4 over channels. For each kernel tap
// it finds its TP input positions once and then walks the input channels, so that index work is shared by all channels and the
// innermost loop is loads and multiply-adds only: measured on lavapipe (2 cores, 4x32 -> 64x128x128, k3), 12.3 GFLOP per CPU-second for
// TP 8, TC 16 against 7 to 10 for the same tile fed from a padded copy packed by four channels.
// No tap is visited in vain and nothing is scattered: see lib/conv. For hardware with shared memory: conv/tile.wgsl.
// chooses lib/weights_apart lib/weights_by_lane
// uses lib/grid lib/conv lib/single

@group(0) @binding(2) var<storage, read> w: array<f32>;

const TC4 = TC / 4u;

// The position (and sample) behind another one.
fn following(at: vec4i, count: vec3i) -> vec4i {
  var to = at + vec4i(0, 0, 1, 0);
  if (to.z == count.z) { to = vec4i(to.x, to.y + 1, 0, to.w); }
  if (to.y == count.y) { to = vec4i(to.x + 1, 0, 0, to.w); }
  if (to.x == count.x) { to = vec4i(0, 0, 0, to.w + 1); }
  return to;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let s = steps();
  let id = linear_group(group, groups);
  let r = phase(id, s.phases);
  let tile = id / p.across % p.tiles;
  // Outputs of this phase per axis.
  let count = (p.out_size.xyz - r + s.output - 1) / s.output;
  if (r.x >= s.phases.x || any(count <= vec3i(0))) {
    return;
  }
  let pixels = u32(count.x * count.y * count.z);
  let total = pixels * p.samples;
  // All lanes run to the end, for the sake of lib/weights_by_lane.
  let q0 = (id % p.across * THREADS + lane) * TP;
  // A tile of TC output channels stays inside its group.
  let group_tiles = (p.out_group + TC - 1u) / TC;
  let g = tile / group_tiles;
  let c0 = tile % group_tiles * TC;
  let in_plane = u32(p.in_size.x * p.in_size.y * p.in_size.z);
  let out_plane = u32(p.out_size.x * p.out_size.y * p.out_size.z);

  var position: array<vec3i, TP>;
  var sample: array<u32, TP>;
  let q = i32(q0 % pixels);
  position[0] = vec3i(q / (count.y * count.z), q / count.z % count.y, q % count.z);
  sample[0] = q0 / pixels;
  for (var i = 1u; i < TP; i++) {
    let next = following(vec4i(position[i - 1u], i32(sample[i - 1u])), count);
    position[i] = next.xyz;
    sample[i] = u32(next.w);
  }

  var acc: array<vec4f, TP * TC4>;
  var sum: array<vec4f, TP * TC4>;
  var all_blocks: array<vec4f, TP * TC4>;
  var terms = 0u; // in acc
  var blocks = 0u;
  for (var td = first_tap(r.x, 0u); td < p.taps.x; td += s.tap.x) {
    for (var th = first_tap(r.y, 1u); th < p.taps.y; th += s.tap.y) {
      for (var tw = first_tap(r.z, 2u); tw < p.taps.z; tw += s.tap.z) {
        let offset = vec3i(tap_offset(r.x, td, 0u), tap_offset(r.y, th, 1u), tap_offset(r.z, tw, 2u));
        // Of a small input few taps reach any place: one of 5 along an axis of one element.
        if (any(offset >= p.in_size.xyz) || any((count - 1) * s.input + offset < vec3i(0))) {
          continue;
        }
        var index: array<u32, TP>;
        var inside: array<bool, TP>;
        for (var i = 0u; i < TP; i++) {
          let at = position[i] * s.input + offset;
          let ok = all(at >= vec3i(0)) && all(at < p.in_size.xyz) && q0 + i < total;
          inside[i] = ok;
          index[i] = select(0u, sample[i] * p.x_pitch + g * p.in_group * in_plane + u32((at.x * p.in_size.y + at.y) * p.in_size.z + at.z), ok);
        }
        var wi = g * p.weight_group + c0 * p.weight_out + u32((td * p.taps.y + th) * p.taps.z + tw);
        var c = 0u;
        loop {
          let end = select(p.in_group, min(c + BLOCK, p.in_group), BLOCKED != 0u);
          if (BLOCKED != 0u) {
            if (terms + end - c > BLOCK) {
              for (var k = 0u; k < TP * TC4; k++) {
                sum[k] += acc[k];
                acc[k] = vec4f(0.0);
              }
              terms = 0u;
              blocks++;
              if (BLOCKED > 1u && blocks % 64u == 0u) {
                for (var k = 0u; k < TP * TC4; k++) {
                  all_blocks[k] += sum[k];
                  sum[k] = vec4f(0.0);
                }
              }
            }
            terms += end - c;
          }
          for (; c < end; c++) {
            var v: array<f32, TP>;
            for (var i = 0u; i < TP; i++) {
              v[i] = select(0.0, f32(x[index[i]]), inside[i]);
              index[i] += in_plane;
            }
            var k = weights_at(wi, lane);
            for (var j = 0u; j < TC4; j++) {
              let wv = four_weights(&k, j);
              for (var i = 0u; i < TP; i++) {
                acc[i * TC4 + j] = fma(vec4f(v[i]), wv, acc[i * TC4 + j]);
              }
            }
            wi += p.weight_in;
          }
          if (BLOCKED == 0u || c >= p.in_group) {
            break;
          }
        }
      }
    }
  }

  if (BLOCKED != 0u) {
    for (var k = 0u; k < TP * TC4; k++) {
      acc[k] += sum[k];
      if (BLOCKED > 1u) {
        acc[k] += all_blocks[k];
      }
    }
  }
  // Loops over places, which no compiler unrolls, for a short program.
  var at = vec4i(position[0], i32(sample[0]));
  for (var q = q0; q < min(q0 + TP, total); q++) {
    let to = vec3u(at.xyz * s.output + r);
    let o = (to.x * u32(p.out_size.y) + to.y) * u32(p.out_size.z) + to.z;
    for (var c = c0; c < min(c0 + TC, p.out_group); c++) {
      let j = c - c0;
      let channel = g * p.out_group + c;
      store(u32(at.w), o + channel * out_plane, acc[(q - q0) * TC4 + j / 4u][j % 4u] + bias_of(channel));
    }
    at = following(at, count);
  }
}
