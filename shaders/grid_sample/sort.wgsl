// Second pass to the input gradient: every list in ascending order, by merging runs of 1, 2, 4 … entries, so that n entries take n log n
// steps even where a border collects thousands of them. A list belongs to one thread.
// uses lib/grid

struct Params {
  lists: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> head: array<i32>;
@group(0) @binding(2) var<storage, read_write> next: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.lists) {
    return;
  }
  var list = head[i];
  for (var run = 1u; list >= 0; run *= 2u) {
    var rest = list;
    var tail = -1;
    var merges = 0u;
    while (rest >= 0) {
      merges++;
      // Two neighboring runs: a of at most `run` entries, then b.
      var a = rest;
      var b = rest;
      var left_a = 0u;
      while (left_a < run && b >= 0) {
        b = next[b];
        left_a++;
      }
      var left_b = run;
      while (left_a > 0u || (left_b > 0u && b >= 0)) {
        var least = a;
        if (left_a > 0u && (left_b == 0u || b < 0 || a < b)) {
          a = next[a];
          left_a--;
        } else {
          least = b;
          b = next[b];
          left_b--;
        }
        if (tail < 0) {
          list = least;
        } else {
          next[tail] = least;
        }
        tail = least;
      }
      rest = b;
    }
    next[tail] = -1;
    if (merges <= 1u) {
      break;
    }
  }
  head[i] = list;
}
