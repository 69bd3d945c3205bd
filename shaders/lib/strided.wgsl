// A layout of AXES axes over words, last axis first; the host merged neighboring axes that are one run of addresses, because each axis costs a
// division: 4 times the move itself on lavapipe.

struct Params {
  shape: array<vec4u, 2>,
  stride: array<vec4i, 2>,   // negative for flips, 0 for expanded axes
  start: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

// Position of the i-th word of the shape.
fn strided_index(i: u32) -> u32 {
  const last = AXES - 1u;
  var rest = i;
  var at = i32(p.start);
  for (var k = 0u; k < last; k++) {
    let size = p.shape[k / 4u][k % 4u];
    let outer = rest / size;
    at += i32(rest - outer * size) * p.stride[k / 4u][k % 4u];
    rest = outer;
  }
  return u32(at + i32(rest) * p.stride[last / 4u][last % 4u]);
}
