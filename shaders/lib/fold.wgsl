// Reduction of axes r1 and r2 of [o1, r1, o2, r2]; every set of adjacent or of outer-and-inner axes has this form. MAP says what of an element is
// reduced, COMBINE how two of those become one.
// uses lib/scalar lib/special

struct Params {
  o1: u32,
  r1: u32,
  o2: u32,
  r2: u32,
  slab: u32,
  slabs: u32,
  divisor: f32,  // of the result
  x_pitch: u32,  // o2 * r2, or more
  neutral: f32,  // what combines with v to v; from the host, since WGSL cannot spell infinity
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<E>;
@group(0) @binding(2) var<storage, read> center: array<f32>; // one per output, for the maps that compare
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

override MAP: u32;
const IDENTITY = 0u;
const ABS = 1u;
const SQUARE = 2u;
const DEVIATION = 3u;
const EQUAL = 4u;
const ABS_EQUAL = 5u;
const EXP = 6u;

override COMBINE: u32;
const SUM = 0u;
const MAX = 1u;
const MIN = 2u;

fn mapped(v: f32, o: u32) -> f32 {
  switch MAP {
    case ABS: { return abs(v); }
    case SQUARE: { return v * v; }
    case DEVIATION: { let d = v - center[o]; return d * d; }
    case EQUAL: { return select(0.0, 1.0, v == center[o]); }
    case ABS_EQUAL: { return select(0.0, 1.0, abs(v) == center[o]); }
    case EXP: { return exp(v - center[o]); }
    default: { return v; }
  }
}

fn combine(u: f32, v: f32) -> f32 {
  switch COMBINE {
    // A NaN stays, which max and min may drop.
    case MAX: { return select(select(v, u, u > v && !is_nan(v)), u, is_nan(u)); }
    case MIN: { return select(select(v, u, u < v && !is_nan(v)), u, is_nan(u)); }
    default: { return u + v; }
  }
}

// Where the elements of output o begin.
fn base(o: u32) -> u32 {
  return o / p.o2 * p.r1 * p.x_pitch + o % p.o2 * p.r2;
}
