// What pointwise functions of one tensor and their gradients share: parameters and the numbers of the functions.

struct Params {
  each: u32,  // elements of a thread, see lib/each
  count: u32, // in units of V
  a: f32,     // parameters of the function: slope, exponent, bound
  b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;

override OP: u32;

const RELU = 0u;
const SIGMOID = 1u;
const LEAKY_RELU = 2u;
const ELU = 3u;
const TANH = 4u;
const AFFINE = 5u;
const EXP = 6u;
const LOG = 7u;
const SQRT = 8u;
const ABS = 9u;
const SQUARE = 10u;
const RECIPROCAL = 11u;
const CLAMP = 12u;
const SELU = 13u;
const GELU = 14u;
const GELU_TANH = 15u;
const SILU = 16u;
const MISH = 17u;
const SOFTPLUS = 18u;
const HARDSWISH = 19u;
const LOG_SIGMOID = 20u;
const RSQRT = 21u;
const SIGN = 22u;
const FLOOR = 23u;
const ROUND = 24u;
const RELU6 = 25u;
const IS_FINITE = 26u;
const ERF = 27u;
