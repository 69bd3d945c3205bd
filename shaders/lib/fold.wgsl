// Reduction of axes r1 and r2 of [o1, r1, o2, r2]; every set of adjacent or of outer-and-inner axes has this form. MAP says what of an element is
// reduced, COMBINE how two of those become one.

struct Params {
  o1: u32,
  r1: u32,
  o2: u32,
  r2: u32,
  chunk: u32,
  chunks: u32,
  factor: f32,
  neutral: f32,  // what combines with v to v; from the host, since WGSL cannot spell infinity
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<E>;
@group(0) @binding(2) var<storage, read> centre: array<f32>; // one per output, for the maps that compare
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

override MAP: u32;
override COMBINE: u32;

fn mapped(v: f32, o: u32) -> f32 {
  switch MAP {
    case 1u: { return abs(v); }
    case 2u: { return v * v; }
    case 3u: { let d = v - centre[o]; return d * d; }               // deviation
    case 4u: { return select(0.0, 1.0, v == centre[o]); }           // equal
    case 5u: { return select(0.0, 1.0, abs(v) == centre[o]); }      // absEqual
    default: { return v; }
  }
}

// Bits: WGSL may compute as if there were no NaN.
fn is_nan(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

fn combine(u: f32, v: f32) -> f32 {
  switch COMBINE {
    // By comparison: a NaN stays, which max and min may drop.
    case 1u: { return select(select(v, u, u > v), u, is_nan(u)); }
    case 2u: { return select(select(v, u, u < v), u, is_nan(u)); }
    default: { return u + v; }
  }
}

// Where the elements of output o begin.
fn base(o: u32) -> u32 {
  return o / p.o2 * p.r1 * p.o2 * p.r2 + o % p.o2 * p.r2;
}
