// How a loss is told what is wanted: class indices as integers, the same as f32, as labels come from files, or a value for each channel.
override TARGET: u32;
const INDEX = 0u;
const FLOAT_INDEX = 1u;
const CHANNELS = 2u;

// The whole number that v is but for rounding. Others, which are between two classes, and NaN, of which WGSL promises nothing, are below all classes.
// NaN by bits: WGSL may compute as if there were none.
fn whole(v: f32) -> i32 {
  let near = round(v);
  let class_or_none = select(i32(near), -2147483647, abs(v - near) > 0.001);
  return select(class_or_none, -2147483648, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u);
}

// The class index in a word.
fn class_index(word: u32) -> i32 {
  if (TARGET == FLOAT_INDEX) {
    return whole(bitcast<f32>(word));
  }
  return i32(word);
}
