// A step whose gradients are not finite is skipped: optim/judge.wgsl says so in the third word of the scaler's state.
override GUARDED: u32 = 0u;

fn skipped(found: f32) -> bool {
  return GUARDED != 0u && found != 0.0;
}
