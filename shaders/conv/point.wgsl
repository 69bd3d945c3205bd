// Convolution of one tap for software adapters: the product of the weight and each sample, as matmul/lanes.wgsl has it, so that a value of the image serves NC * PARTS
// channels, which is twice as many as in conv/gather.wgsl. A thread owns these by NP positions; eight lanes read a channel's weight each and hand it around.
// CPU time against conv/gather.wgsl (2 cores, f32): 1.6 times less for 192 -> 64 channels, 1.9 for 64 -> 192.
// uses lib/grid lib/conv lib/single

@group(0) @binding(2) var<storage, read> w: array<f32>;

const THREADS = 32u;
const TC = NC * PARTS;
// The second to fourth part, if there are so many.
const P1 = min(1u, PARTS - 1u);
const P2 = min(2u, PARTS - 1u);
const P3 = min(3u, PARTS - 1u);
// Vectors of eight lanes that hold the weights of an input channel.
const WV = TC / 8u;

// Sums of NC channels. A thread has up to four parts, since Mesa unrolls loops of no more than some 800 instructions.
alias Part = array<array<f32, NP>, NC>;

fn multiply(acc: ptr<function, Part>, v: ptr<function, array<f32, NP>>, k: ptr<function, array<f32, WV>>, part: u32) {
  for (var j = 0u; j < NC; j++) {
    let c = part * NC + j;
    let factor = subgroupShuffle((*k)[c / 8u], c % 8u);
    for (var i = 0u; i < NP; i++) {
      (*acc)[j][i] = fma(factor, (*v)[i], (*acc)[j][i]);
    }
  }
}

// Adds sums to those of blocks and begins anew.
fn raise(sum: ptr<function, Part>, acc: ptr<function, Part>) {
  for (var j = 0u; j < NC; j++) {
    for (var i = 0u; i < NP; i++) {
      (*sum)[j][i] += (*acc)[j][i];
      (*acc)[j][i] = 0.0;
    }
  }
}

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
  let q0 = (id % p.across * THREADS + lane) * NP;
  // Channels and positions beyond the end repeat the last one and are not stored. All lanes run to the end, for the sake of the shuffles.
  var index: array<u32, NP>;
  for (var i = 0u; i < NP; i++) {
    let q = min(q0 + i, total - 1u);
    index[i] = q / plane * p.x_pitch + g * p.in_group * plane + q % plane;
  }
  var own: array<u32, WV>;
  for (var i = 0u; i < WV; i++) {
    own[i] = g * p.weight_group + min(c0 + i * 8u + share % 8u, p.out_group - 1u) * p.weight_out;
  }

  var acc: array<Part, PARTS>;
  var sum: array<Part, PARTS>;
  for (var start = 0u; start < p.in_group; start += BLOCK) {
    for (var c = start; c < min(start + BLOCK, p.in_group); c++) {
      var v: array<f32, NP>;
      for (var i = 0u; i < NP; i++) {
        v[i] = f32(x[index[i]]);
        index[i] += plane;
      }
      var k: array<f32, WV>;
      for (var i = 0u; i < WV; i++) {
        k[i] = w[own[i]];
        own[i] += p.weight_in;
      }
      multiply(&acc[0], &v, &k, 0u);
      if (PARTS > 1u) { multiply(&acc[P1], &v, &k, 1u); }
      if (PARTS > 2u) { multiply(&acc[P2], &v, &k, 2u); }
      if (PARTS > 3u) { multiply(&acc[P3], &v, &k, 3u); }
    }
    raise(&sum[0], &acc[0]);
    if (PARTS > 1u) { raise(&sum[P1], &acc[P1]); }
    if (PARTS > 2u) { raise(&sum[P2], &acc[P2]); }
    if (PARTS > 3u) { raise(&sum[P3], &acc[P3]); }
  }

  // A loop over places keeps the program short, and the sums in memory, where they are aligned; as spilled registers they would not be.
  for (var q = q0; q < min(q0 + NP, total); q++) {
    let n = q / plane;
    for (var c = c0; c < min(c0 + TC, p.out_group); c++) {
      let j = c - c0;
      let channel = g * p.out_group + c;
      store(n, channel * plane + q % plane, sum[j / NC][j % NC][q - q0] + bias_of(channel));
    }
  }
}
