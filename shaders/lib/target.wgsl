// How a loss is told what is wanted: class indices as integers, the same as f32, as labels come from files, or a value for each channel.
override TARGET: u32;
const INDEX = 0u;
const FLOAT_INDEX = 1u;
const CHANNELS = 2u;

// The nearest whole number; NaN, of which WGSL promises nothing, is below all classes. By bits: WGSL may compute as if there were no NaN.
fn whole(v: f32) -> i32 {
  return select(i32(round(v)), -2147483648, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u);
}

// The class index in a word.
fn class_index(word: u32) -> i32 {
  if (TARGET == FLOAT_INDEX) {
    return whole(bitcast<f32>(word));
  }
  return i32(word);
}
