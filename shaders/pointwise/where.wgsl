// y = a where c is not zero, else b, with broadcasting of all three over up to six axes. c is read as words: 0 is zero in every type but for the
// sign of -0.
// uses lib/broadcast

struct Params {
  shape0: vec4u,    // result axes 0..3 of six, left-padded with ones
  shape1: vec4u,    // axes 4..5
  c0: vec4u,        // element strides, 0 along broadcast axes
  c1: vec4u,
  a0: vec4u,
  a1: vec4u,
  b0: vec4u,
  b1: vec4u,
  each: u32,        // elements of a thread, see lib/broadcast
  pieces: u32,
  count: u32,
  a_value: f32,     // stand for a and b if they are numbers
  b_value: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> c: array<u32>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

override A_NUMBER: u32;
override B_NUMBER: u32;

alias Places = vec3u; // of c, a and b

fn steps(axis: u32) -> vec3u {
  return vec3u(along(axis, p.c0, p.c1), along(axis, p.a0, p.a1), along(axis, p.b0, p.b1));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = piece(group, groups, lane);
  var at = own.at;
  for (var i = own.first; i < own.end; i += own.step) {
    var u = p.a_value;
    var v = p.b_value;
    if (A_NUMBER == 0u) {
      u = a[at.y];
    }
    if (B_NUMBER == 0u) {
      v = b[at.z];
    }
    // Shifted: f32 has two zeros. 0x80000000 is an i32 too, but nobody's flag.
    y[i] = select(v, u, (c[at.x] << 1u) != 0u);
    at += own.by;
  }
}
