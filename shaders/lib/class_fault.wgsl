// Notes a class index that no class has in the word of the check (src/tensor/value_faults.ts): bits that are never 0. The largest of them stays, which is
// the same in any order, and as unsigned numbers the negative ones are largest. `faults` and `p.fault` are the shader's.
fn expect_class(label: i32, classes: u32) {
  if (u32(label) >= classes) {
    atomicMax(&faults[p.fault], u32(label));
  }
}
