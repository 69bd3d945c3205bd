// Sizes of a max pool. ADAPTIVE windows are cut from the input evenly, the others are taps apart. 2: products of sizes may have more than 31 bits.
override ADAPTIVE: u32;

struct Params {
  in_size: vec4i,   // D, H, W
  out_size: vec4i,
  taps: vec4i,
  stride: vec4i,
  padding: vec4i,
  dilation: vec4i,
  planes: u32,
  first: u32,     // of the positions that are computed, which y or dx begins with
  positions: u32, // how many are
  base: u32,      // position that the other side begins with
}

@group(0) @binding(0) var<uniform> p: Params;

// floor((a b - less) / c) for 0 <= a <= c, less <= a b and results below 2^24: the product may have 64 bits. A guess in f32 is off by a few; what is left of the
// product is then small, so that it is right although the integers wrap.
fn portion(a: i32, b: i32, c: i32, less: i32) -> i32 {
  if (ADAPTIVE < 2u) {
    return (a * b - less) / c;
  }
  let whole = b / c;
  let part = b - whole * c;
  let guess = i32(f32(a) * f32(part) / f32(c));
  let rest = a * part - guess * c - less;
  return a * whole + guess + (rest - select(0, c - 1, rest < 0)) / c;
}
