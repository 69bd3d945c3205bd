// Convolution for software adapters, as conv/gather.wgsl, but a thread owns TP outputs of one row, so that a window of TP + KW - 1 inputs serves all taps along W:
// stride 1 along W, also of the transposed kind, or a plain convolution of stride SW there. Outputs of a thread lie a dilation apart, which makes
// a window of dilated taps as dense as any. Or (UP is 2) a transposed one of stride 2, of whose outputs every other one has the even taps, and those between the odd
// ones. Along D and H a transposed one goes by phases, as in lib/conv, where there is a stride and no dilation.
//
// llvmpipe reads a storage buffer lane by lane, with a test of mask and bounds for each (some 90 instructions for a scalar in eight lanes, 250 for a
// vec4), in a loop even where all lanes read the same; and it merges every variable that a loop changes with its old value. So weights are read as vec4, another
// one in each of eight lanes, and handed around by shuffles, which are one instruction; and all taps along W follow on one load and one store of a sum.
// CPU time against conv/gather.wgsl (2 cores, f32): 2.6 times less for 4x32 -> 64x128² k3, 3.0 for 32 -> 32 at 32³ k5, 5.1 for 5 -> 5 at 64³ k3 dilation 2.
// uses lib/grid lib/conv lib/single lib/parts

@group(0) @binding(2) var<storage, read> w: array<vec4f>;

const THREADS = 32u;

// Inputs of a window, and of UP 2 those before the one of the first output's first tap. ODD is the parity of that output's taps.
const BEFORE = (KW - 1u - ODD) / 2u;
const NV = select((TP - 1u) * SW + KW, BEFORE + (ODD + TP - 1u) / 2u + 1u, UP == 2u);
const TC = PC * PARTS;
// Vectors of eight lanes by four weights per tap of D and H and input channel.
const WV = (TC * KW + 31u) / 32u;
// Input channels of a block.
const CB = BLOCK / KW;

// The loops around it end together for all lanes of a subgroup (subgroupAny), which no compiler sees.
@diagnostic(off, subgroup_uniformity)
fn multiply(acc: ptr<function, Part>, v: ptr<function, array<f32, NV>>, k: ptr<function, array<f32, WV * 4u>>, part: u32) {
  for (var j = 0u; j < PC; j++) {
    var taps: array<f32, KW>;
    for (var t = 0u; t < KW; t++) {
      let f = (part * PC + j) * KW + t;
      taps[t] = subgroupShuffle((*k)[f / 32u * 4u + f % 4u], f % 32u / 4u);
    }
    for (var i = 0u; i < TP; i += UP) {
      var s = (*acc)[j][i];
      for (var t = select(0u, ODD, UP == 2u); t < KW; t += UP) {
        s = fma((*v)[select(i * SW + t, BEFORE + i / 2u - t / 2u, UP == 2u)], taps[t], s);
      }
      (*acc)[j][i] = s;
      if (UP == 2u) {
        var s = (*acc)[j][i + 1u];
        for (var t = 1u - ODD; t < KW; t += 2u) {
          s = fma((*v)[BEFORE + i / 2u + ODD - t / 2u], taps[t], s);
        }
        (*acc)[j][i + 1u] = s;
      }
    }
  }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) share: u32) {
  let id = linear_group(group, groups);
  // Outputs of a phase lie so far apart along D and H.
  let step = select(vec2i(1), p.stride.xy, p.transposed != 0u);
  let r = phase(id, vec3i(step, 1)).xy;
  let tile = id / p.across % p.tiles;
  let count = (p.out_size.xy - r + step - 1) / step;
  if (r.x >= step.x || any(count <= vec2i(0))) {
    return;
  }
  // TP outputs of a row that lie `apart`; so many such runs per row.
  let apart = p.dilation.z;
  let runs = apart * i32((u32((p.out_size.z + apart - 1) / apart) + TP - 1u) / TP);
  let run = i32(id % p.across * THREADS + lane);
  let row = run / runs;
  let n = u32(row / (count.x * count.y));
  let place = vec2i(row / count.y % count.x, row % count.y);
  let first = run % runs / apart * i32(TP) * apart + run % apart;
  // A tile of TC output channels stays inside its group.
  let group_tiles = (p.out_group + TC - 1u) / TC;
  let g = tile / group_tiles;
  let c0 = tile % group_tiles * TC;
  let in_plane = p.in_size.x * p.in_size.y * p.in_size.z;
  let sample = i32(n * p.x_pitch) + i32(g * p.in_group) * in_plane;

  let first_read = first * i32(SW) + tap_offset(0, select(0, p.taps.z - 1, p.transposed != 0u), 2u);
  let w0 = select(first_read, (first + p.padding.z) / 2 - i32(BEFORE), UP == 2u);
  var inside: array<bool, NV>;
  for (var m = 0u; m < NV; m++) {
    let at = w0 + i32(m) * apart;
    inside[m] = at >= 0 && at < p.in_size.z;
  }

  var acc: array<Part, PARTS>;
  var sum: array<Part, PARTS>;
  var whole: array<Part, PARTS>;
  var terms = 0u; // in acc, channels
  var blocks = 0u;
  // All lanes run to the end, for the sake of the shuffles. Without dilation a phase has every step-th tap.
  let first_taps = (r + p.padding.xy) % step;
  for (var td = first_taps.x; td < p.taps.x; td += step.x) {
    for (var th = first_taps.y; th < p.taps.y; th += step.y) {
      let at = place * select(p.stride.xy, vec2i(1), p.transposed != 0u) + vec2i(tap_offset(r.x, td, 0u), tap_offset(r.y, th, 1u));
      let ok = n < p.samples && all(at >= vec2i(0)) && all(at < p.in_size.xy);
      var base = sample + (at.x * p.in_size.y + at.y) * p.in_size.z + w0;
      var here: array<bool, NV>;
      for (var m = 0u; m < NV; m++) {
        here[m] = inside[m] && ok;
      }
      var wc = (tile * u32(p.taps.x * p.taps.y) + u32(td * p.taps.y + th)) * p.in_group * WV * 8u + share % 8u;
      // Where no lane has an input, behind an edge, there is nothing to add to blocks, which are the same with and without.
      let some = subgroupAny(ok);
      var c = 0u;
      loop {
        let end = select(p.in_group, min(c + CB, p.in_group), BLOCKED != 0u);
        if (BLOCKED != 0u) {
          if (terms + end - c > CB) {
            raise_all(&sum, &acc);
            terms = 0u;
            blocks++;
            if (BLOCKED > 1u && blocks % 64u == 0u) {
              raise_all(&whole, &sum);
            }
          }
          terms += end - c;
        }
        for (c = select(end, c, some); c < end; c++) {
          var v: array<f32, NV>;
          for (var m = 0u; m < NV; m++) {
            v[m] = select(0.0, f32(x[base + i32(m) * apart]), here[m]);
          }
          base += in_plane;
          var k: array<f32, WV * 4u>;
          for (var q = 0u; q < WV; q++) {
            let four = w[wc + q * 8u];
            k[4u * q] = four.x;
            k[4u * q + 1u] = four.y;
            k[4u * q + 2u] = four.z;
            k[4u * q + 3u] = four.w;
          }
          multiply(&acc[0], &v, &k, 0u);
          if (PARTS > 1u) { multiply(&acc[P1], &v, &k, 1u); }
          if (PARTS > 2u) { multiply(&acc[P2], &v, &k, 2u); }
          if (PARTS > 3u) { multiply(&acc[P3], &v, &k, 3u); }
          wc += WV * 8u;
        }
        if (BLOCKED == 0u || c >= p.in_group) {
          break;
        }
      }
    }
  }

  if (BLOCKED != 0u) {
    raise_all(&acc, &sum);
  }
  if (BLOCKED > 1u) {
    raise_all(&acc, &whole);
  }
  // A loop over places keeps the program short, and the sums in memory, where they are aligned; as spilled registers they would not be.
  let out_plane = p.out_size.x * p.out_size.y * p.out_size.z;
  let channels = select(0u, min(TC, p.out_group - c0), n < p.samples);
  let length = min(i32(TP), (p.out_size.z - first + apart - 1) / apart);
  let to = place * step + r;
  for (var j = 0u; j < channels; j++) {
    let c = g * p.out_group + c0 + j;
    let b = bias_of(c);
    let o = i32(c) * out_plane + (to.x * p.out_size.y + to.y) * p.out_size.z + first;
    for (var i = 0; i < length; i++) {
      store(n, u32(o + i * apart), acc[j / PC][j % PC][i] + b);
    }
  }
}
