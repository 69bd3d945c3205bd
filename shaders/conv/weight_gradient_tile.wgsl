// Weight gradient of convolution through shared memory, for hardware with many cores: per tap a matrix product of a-channels by b-channels over positions.
// A workgroup owns AG * R groups of four a-channels times BG * R groups of four b-channels of one tap and walks a slab of positions in steps of
// STEP; a lane multiplies 4 * R channels of one by 4 * R of the other. With few channels KS teams of AG * BG lanes each take every KS-th position. Their
// sums of a block are added in order, a part by each team, which so keeps a part of the sums of blocks. Slabs write partial sums, which `reduce` adds in fixed order, as in conv/weight_gradient.wgsl.
// Where a lane's position lies is found once and then moved on by additions; what the next step needs is loaded while this one multiplies.
// uses lib/grid lib/conv_weight lib/conv_walk lib/single

const TEAM = AG * BG;
const LANES = TEAM * KS;
const A_GROUPS = AG * R; // of four channels
const B_GROUPS = BG * R;
const BLOCK = 128u * KS; // positions that are added on their own, a multiple of STEP
const VECTORS = 4u * R * R;
const KEPT = VECTORS / KS;
// Vectors that the lanes exchange at once, and how many of them are a team's.
const TURN = VECTORS / 2u;
const SHARE = TURN / KS;
// Groups of channels that the lanes fetch at once, and how often they do.
const AT_ONCE = LANES / STEP;
const A_FETCHES = A_GROUPS / AT_ONCE;
const B_FETCHES = B_GROUPS / AT_ONCE;
// One more than the tile, so that lanes that differ in their position use different banks.
const A_PITCH = A_GROUPS + 1u;
const B_PITCH = B_GROUPS + 1u;
const A_SIZE = STEP * A_PITCH;

// Both sides, then the sums of a team.
var<workgroup> shared_rows: array<vec4f, STEP * (A_PITCH + B_PITCH)>;

fn fetch_a(index: u32, plane: u32) -> array<vec4<E>, A_FETCHES> {
  var v: array<vec4<E>, A_FETCHES>;
  for (var f = 0u; f < A_FETCHES; f++) {
    let o = f * AT_ONCE * 4u;
    v[f] = vec4<E>(a[index + o * plane], a[index + (o + 1u) * plane], a[index + (o + 2u) * plane], a[index + (o + 3u) * plane]);
  }
  return v;
}

fn fetch_b(index: u32, plane: u32) -> array<vec4<E>, B_FETCHES> {
  var v: array<vec4<E>, B_FETCHES>;
  for (var f = 0u; f < B_FETCHES; f++) {
    let o = f * AT_ONCE * 4u;
    v[f] = vec4<E>(b[index + o * plane], b[index + (o + 1u) * plane], b[index + (o + 2u) * plane], b[index + (o + 3u) * plane]);
  }
  return v;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) ids: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = place(linear_group(id, ids));
  if (group.z >= p.slabs) {
    return;
  }
  let tap_count = u32(p.taps.x * p.taps.y * p.taps.z);
  let tap = i32(group.x % tap_count);
  let b0 = group.x / tap_count * B_GROUPS * 4u;
  // A tile of channels stays inside its group.
  let tiles = (p.a_group + A_GROUPS * 4u - 1u) / (A_GROUPS * 4u);
  let g = group.y / tiles;
  let a0 = group.y % tiles * A_GROUPS * 4u;
  let reach = vec3i(tap / (p.taps.y * p.taps.z), tap / p.taps.z % p.taps.y, tap % p.taps.z) * p.dilation.xyz - p.padding.xyz;
  let a_plane = u32(p.a_size.x * p.a_size.y * p.a_size.z);
  let b_plane = u32(p.b_size.x * p.b_size.y * p.b_size.z);
  let first = run_start(group.z * p.slab);
  let last = run_start(min((group.z + 1u) * p.slab, p.rows));

  // Neighbouring lanes fetch neighbouring positions. Channels behind the last one are read from what follows, and their results not stored.
  let t = lane % STEP;
  let m = lane / STEP;
  let a_start = (g * p.a_group + a0 + m * 4u) * a_plane;
  let b_start = (g * p.b_group + b0 + m * 4u) * b_plane;
  var on = way(STEP, p.a_size.xyz, reach);
  // Lines and slices of a follow each other.
  on.line.a = 0u;
  on.slice.a = 0u;
  let a_row = t * A_PITCH + m;
  let b_row = A_SIZE + t * B_PITCH + m;
  var q = first + t;
  let here = place_of(position(q, p.a_size.xyz));
  var now = Place(here.at + reach, here.a + a_start, here.b + b_start + u32((reach.x * p.b_size.y + reach.y) * p.b_size.z + reach.z));
  var counts = q < last && all(vec3u(now.at) < vec3u(p.b_size.xyz)); // below zero is above all as u32
  var a_next = fetch_a(now.a, a_plane);
  var b_next = fetch_b(now.b, b_plane);

  let team = lane / TEAM;
  let mine_a = lane % TEAM / BG;
  let mine_b = lane % BG;
  var acc: array<vec4f, VECTORS>; // vec4 of b-channels, per a-channel
  var sum: array<vec4f, KEPT>;
  let blocks = (last - first + BLOCK - 1u) / BLOCK;
  for (var block = 0u; block < blocks; block++) {
    let steps = (min(BLOCK, last - first - block * BLOCK) + STEP - 1u) / STEP;
    for (var k = 0u; k < steps; k++) {
      // The last one first: who waits for it waits for all.
      for (var f = 0u; f < B_FETCHES; f++) {
        let m = B_FETCHES - 1u - f;
        shared_rows[b_row + m * AT_ONCE] = select(vec4f(0.0), vec4f(b_next[m]), counts);
      }
      for (var f = 0u; f < A_FETCHES; f++) {
        let m = A_FETCHES - 1u - f;
        shared_rows[a_row + m * AT_ONCE] = select(vec4f(0.0), vec4f(a_next[m]), counts);
      }
      workgroupBarrier();
      now = moved(now, on);
      q += STEP;
      counts = q < last && all(vec3u(now.at) < vec3u(p.b_size.xyz));
      if (k + 1u < steps || block + 1u < blocks) {
        a_next = fetch_a(now.a, a_plane);
        b_next = fetch_b(now.b, b_plane);
      }
      for (var i = 0u; i < STEP / KS; i++) {
        var bv: array<vec4f, R>;
        for (var j = 0u; j < R; j++) {
          bv[j] = shared_rows[(team * B_PITCH + mine_b) + (A_SIZE + i * KS * B_PITCH + j * BG)];
        }
        for (var j = 0u; j < R; j++) {
          let av = shared_rows[(team * A_PITCH + mine_a) + (i * KS * A_PITCH + j * AG)];
          for (var c = 0u; c < 4u; c++) {
            for (var l = 0u; l < R; l++) {
              let at = (j * 4u + c) * R + l;
              acc[at] = fma(vec4f(av[c]), bv[l], acc[at]);
            }
          }
        }
      }
      workgroupBarrier();
    }
    if (KS == 1u) {
      for (var i = 0u; i < KEPT; i++) {
        sum[i] += acc[i];
      }
    } else {
      for (var turn = 0u; turn < VECTORS / TURN; turn++) {
        for (var i = 0u; i < TURN; i++) {
          shared_rows[i * LANES + lane] = acc[turn * TURN + i];
        }
        workgroupBarrier();
        for (var i = 0u; i < SHARE; i++) {
          for (var other = 0u; other < KS; other++) {
            sum[turn * SHARE + i] += shared_rows[(team * SHARE + i) * LANES + other * TEAM + lane % TEAM];
          }
        }
        workgroupBarrier();
      }
    }
    for (var i = 0u; i < VECTORS; i++) {
      acc[i] = vec4f(0.0);
    }
  }

  for (var k = 0u; k < KEPT; k++) {
    // Which of the vectors it is: those of a turn, share by share.
    let i = select(k / SHARE * TURN + team * SHARE + k % SHARE, k, KS == 1u);
    let ca = a0 + (mine_a + i / R / 4u * AG) * 4u + i / R % 4u;
    for (var j = 0u; j < 4u; j++) {
      let cb = b0 + (mine_b + i % R * BG) * 4u + j;
      if (ca < p.a_group && cb < p.b_group) {
        partial[((group.z * p.a_channels + g * p.a_group + ca) * p.b_group + cb) * tap_count + u32(tap)] = sum[k][j];
      }
    }
  }
}
