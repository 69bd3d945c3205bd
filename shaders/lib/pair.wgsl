// What pointwise functions of two tensors and their gradients share: operands, parameters and the numbers of the functions.
// uses lib/broadcast

struct Params {
  shape0: vec4u,    // result axes 0..3 of six, left-padded with ones
  shape1: vec4u,    // axes 4..5
  a0: vec4u,        // element strides of a, 0 along broadcast axes
  a1: vec4u,
  b0: vec4u,
  b1: vec4u,
  each: u32,        // elements of a thread, see lib/broadcast
  pieces: u32,
  count: u32,       // elements of the result, in units of V
  parameter: f32,   // of the function
  number: f32,      // stands for b if NUMBER
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<S>;
@group(0) @binding(2) var<storage, read> b: array<S>;

override OP: u32;
override NUMBER: u32 = 0u;

const ADD = 0u;
const SUB = 1u;
const MUL = 2u;
const DIV = 3u;
const MAXIMUM = 4u;
const MINIMUM = 5u;
const POW = 6u;
const BCE_WITH_LOGITS = 7u;
const MSE = 8u;
const L1 = 9u;
const SMOOTH_L1 = 10u;
const HUBER = 11u;
const EQ = 12u;
const NE = 13u;
const LT = 14u;
const LE = 15u;
const GT = 16u;
const GE = 17u;

alias Places = vec2u; // of a and b

fn steps(axis: u32) -> vec2u {
  return vec2u(along(axis, p.a0, p.a1), along(axis, p.b0, p.b1));
}

fn right(place: u32) -> V {
  if (NUMBER != 0u) {
    return V(p.number);
  }
  return V(b[place]);
}
