// Two operands of a pointwise function and where its element i finds them: the same place, or under broadcasting over up to six axes.

struct Params {
  shape0: vec4u,    // result axes 0..3 of six, left-padded with ones
  shape1: vec4u,    // axes 4..5
  a0: vec4u,        // element strides of a, 0 along broadcast axes
  a1: vec4u,
  b0: vec4u,
  b1: vec4u,
  count: u32,       // elements of the result, in units of V
  parameter: f32,   // of the function
  number: f32,      // stands for b if NUMBER
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<S>;
@group(0) @binding(2) var<storage, read> b: array<S>;

override OP: u32;
override BROADCAST: u32 = 0u; // axes, the last ones of the six; 0: both operands lie like the result
override NUMBER: u32 = 0u;

fn places(i: u32) -> vec2u {
  if (BROADCAST == 0u) {
    return vec2u(i);
  }
  var at = vec2u(0u);
  var rest = i;
  for (var k = 0u; k < BROADCAST; k++) {
    let axis = 5u - k;
    let low = axis & 3u;
    let high = axis >= 4u;
    let size = select(p.shape0[low], p.shape1[low], high);
    at += rest % size * vec2u(select(p.a0[low], p.a1[low], high), select(p.b0[low], p.b1[low], high));
    rest /= size;
  }
  return at;
}

fn right(place: u32) -> V {
  if (NUMBER != 0u) {
    return V(p.number);
  }
  return V(b[place]);
}
