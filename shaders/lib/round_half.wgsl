// To the nearest number of f16 (ties to even), by bits: quantizeToF16 may round either way.
fn round_half(v: f32) -> f32 {
  let bits = bitcast<u32>(v);
  if ((bits & 0x7fffffffu) < 0x38800000u) {
    return round(v * 16777216.0) * 5.9604644775390625e-8;   // below 2⁻¹⁴ steps are 2⁻²⁴
  }
  return bitcast<f32>((bits + 0xfffu + ((bits >> 13u) & 1u)) & 0xffffe000u);
}

// What sums are kept as.
override HALF_SUMS: u32;

fn kept(v: f32) -> f32 {
  if (HALF_SUMS != 0u) {
    return round_half(v);
  }
  return v;
}
