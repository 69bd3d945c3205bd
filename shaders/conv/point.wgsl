// Convolution of one tap for software adapters: the product of the weight and each sample, as matmul/lanes.wgsl has it, so that a value of the image serves PC * PARTS
// channels, which is twice as many as in conv/gather.wgsl. A thread owns these by TP positions; eight lanes read a channel's weight each and hand it around.
// CPU time against conv/gather.wgsl (2 cores, f32): 1.5 times less for 192 -> 64 channels, 1.6 for 64 -> 192.
// uses lib/grid lib/conv lib/single lib/outer_product

@group(0) @binding(2) var<storage, read> w: array<f32>;

const THREADS = 32u;
const TC = PC * PARTS;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) share: u32) {
  let id = linear_group(group, groups);
  let tile = id / p.across;
  if (tile >= p.tiles) {
    return;
  }
  // A tile of TC output channels stays inside its group.
  let group_tiles = (p.out_group + TC - 1u) / TC;
  let g = tile / group_tiles;
  let c0 = tile % group_tiles * TC;
  let plane = u32(p.in_size.x * p.in_size.y * p.in_size.z);
  let total = plane * p.samples;
  let q0 = (id % p.across * THREADS + lane) * TP;
  // Channels and positions beyond the end repeat the last one and are not stored. All lanes run to the end, for the sake of the shuffles.
  var index: array<u32, TP>;
  for (var i = 0u; i < TP; i++) {
    let q = min(q0 + i, total - 1u);
    index[i] = q / plane * p.x_pitch + g * p.in_group * plane + q % plane;
  }
  var own: array<u32, COLUMN>;
  for (var i = 0u; i < COLUMN; i++) {
    own[i] = g * p.weight_group + min(c0 + i * 8u + share % 8u, p.out_group - 1u) * p.weight_out;
  }

  var acc: array<Part, PARTS>;
  var sum: array<Part, PARTS>;
  for (var start = 0u; start < p.in_group; start += BLOCK) {
    for (var c = start; c < min(start + BLOCK, p.in_group); c++) {
      var v: array<f32, TP>;
      for (var i = 0u; i < TP; i++) {
        v[i] = f32(x[index[i]]);
        index[i] += plane;
      }
      var k: array<f32, COLUMN>;
      for (var i = 0u; i < COLUMN; i++) {
        k[i] = w[own[i]];
        own[i] += p.weight_in;
      }
      multiply_all(&acc, &v, &k);
    }
    raise_all(&sum, &acc);
  }

  // A loop over places keeps the program short, and the sums in memory, where they are aligned; as spilled registers they would not be.
  for (var q = q0; q < min(q0 + TP, total); q++) {
    let n = q / plane;
    for (var c = c0; c < min(c0 + TC, p.out_group); c++) {
      let j = c - c0;
      let channel = g * p.out_group + c;
      store(n, channel * plane + q % plane, sum[j / PC][j % PC][q - q0] + bias_of(channel));
    }
  }
}
