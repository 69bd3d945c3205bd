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

fn combine(u: f32, v: f32) -> f32 {
  switch COMBINE {
    case 1u: { return max(u, v); }
    case 2u: { return min(u, v); }
    default: { return u + v; }
  }
}

// What combines with v to v. Finite: WGSL promises no infinity.
fn neutral() -> f32 {
  switch COMBINE {
    case 1u: { return -3.4028234e38; }
    case 2u: { return 3.4028234e38; }
    default: { return 0.0; }
  }
}

// Where the elements of output o begin.
fn base(o: u32) -> u32 {
  return o / p.o2 * p.r1 * p.o2 * p.r2 + o % p.o2 * p.r2;
}
