// The class with the largest sum (the first of equals; NaN is never larger), or the set of channels whose sum is positive, as a code of 32 / CODES
// bits. Channels come in parts: `best` holds the largest sum so far, `codes` what it was.
// uses lib/grid lib/nan lib/window_planes

const LARGEST = 0u;
const POSITIVE = 1u;

override KIND: u32;
override BEGINS: u32; // whether this is the first part
override ENDS: u32;   // whether it is the last one

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> best: array<f32>;
@group(0) @binding(3) var<storage, read_write> codes: array<u32>;

fn decided(i: u32, before: u32) -> u32 {
  var at = ring_place(i);
  var code = before;
  let stride = p.ring * p.plane;
  if (KIND == POSITIVE) {
    for (var c = 0u; c < p.channels; c++) {
      code |= select(0u, 1u, sums[at] > 0.0) << (p.first_channel + c);
      at += stride;
    }
    return code;
  }
  var most = sums[at];
  if (BEGINS == 0u) {
    most = best[i];
  }
  for (var c = 0u; c < p.channels; c++) {
    let v = sums[at];
    if (v > most && !is_nan(v) && !is_nan(most)) {
      most = v;
      code = p.first_channel + c;
    }
    at += stride;
  }
  if (ENDS == 0u) {
    best[i] = most;
  }
  return code;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let word = linear_group(group, groups) * 64u + lane;
  if (word * CODES >= p.count) {
    return;
  }
  var before = 0u;
  if (BEGINS == 0u) {
    before = codes[word];
  }
  if (CODES == 1u) {
    codes[word] = decided(word, before);
    return;
  }
  var packed = 0u;
  for (var k = 0u; k < 4u; k++) {
    if (word * 4u + k < p.count) {
      packed |= decided(word * 4u + k, (before >> (8u * k)) & 255u) << (8u * k);
    }
  }
  codes[word] = packed;
}
