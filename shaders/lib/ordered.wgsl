// Floats as whole numbers of the same order, by their bits: -0 is below 0, and NaN above infinity or below -infinity, by its sign.

fn key(word: u32) -> u32 {
  return word ^ select(0x80000000u, 0xFFFFFFFFu, word >> 31u == 1u);
}

fn word_of(key: u32) -> u32 {
  return key ^ select(0xFFFFFFFFu, 0x80000000u, key >> 31u == 1u);
}
