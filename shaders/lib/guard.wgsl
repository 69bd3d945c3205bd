// A step whose gradients are not finite is skipped: optim/judge.wgsl says so in the scaler's state.
// uses lib/scaler

@group(0) @binding(2) var<storage, read> scaler: ScalerState; // bound for nothing unless GUARDED

override GUARDED: u32 = 0u;

fn skipped() -> bool {
  return GUARDED != 0u && scaler.found != 0.0;
}
