// Sums per sample and channel of overlap, prediction and target, from which Dice, Jaccard, Tversky and generalized Dice follow. With prediction q
// and target t:
//   plain   q t,                         q,    t
//   squared q t,                         q^2,  t^2
//   soft    (|q| + |t| - |q - t|) / 2,   |q|,  |t|
// One workgroup takes SPAN * LANES positions of one sample; `reduce` adds the slabs. With APART each lane is a slab of its own: for software adapters,
// whose compiler takes four times as long for a program with barriers in a loop.
// uses lib/grid lib/prediction lib/tree lib/class_fault

@group(0) @binding(4) var<storage, read_write> partial: array<f32>; // [slabs, 3, N, C], with APART [slabs, LANES, 3, N, C]
@group(0) @binding(5) var<storage, read_write> faults: array<atomic<u32>>;

const SPAN = 16u; // positions per lane
override APART: u32;

// Unless nothing at the position counts.
fn check(n: u32, s: u32) {
  if (TARGET != CHANNELS && !left_out(n, s) && (MASK != OF_TERMS || masked(n, s) != 0.0)) {
    expect_class(class_at(n, s), p.channels);
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups);
  let slab = id % p.slabs;
  let n = id / p.slabs; // beyond the samples where the host folded the grid
  let first = slab * SPAN * LANES + lane;
  let last = select(0u, p.inner, n < p.samples);
  // Loops whose length is not known, since compilers unroll the others.
  let end = min(last, first + SPAN * LANES);
  var counted = 0u; // bit i: position i counts
  var terms: array<vec2f, SPAN>;
  for (var s = first; s < end; s += LANES) {
    check(n, s);
    if (!left_out(n, s)) {
      let i = (s - first) / LANES;
      counted |= 1u << i;
      terms[i] = softmax_terms(n, s);
    }
  }
  for (var c = 0u; c < p.channels; c++) {
    var sum = vec3f(0.0);
    for (var s = first; s < end; s += LANES) {
      let i = (s - first) / LANES;
      if (((counted >> i) & 1u) != 0u) {
        let q = predicted(n, c, s, terms[i]);
        let t = wanted(n, c, s);
        var here: vec3f;
        switch MODE {
          case SQUARED: { here = vec3f(q * t, q * q, t * t); }
          case SOFT: { here = vec3f(0.5 * (abs(q) + abs(t) - abs(q - t)), abs(q), abs(t)); }
          default: { here = vec3f(q * t, q, t); }
        }
        if (MASK == OF_TERMS) {
          here *= masked(n, s);
        }
        sum += here;
      }
    }
    var row = slab * LANES + lane;
    if (APART == 0u) {
      sum = tree_sums(sum, lane);
      workgroupBarrier();
      row = slab;
    }
    if ((APART != 0u || lane == 0u) && n < p.samples) {
      for (var k = 0u; k < 3u; k++) {
        partial[((row * 3u + k) * p.samples + n) * p.channels + c] = sum[k];
      }
    }
  }
}
