// Stochastic gradient descent with momentum, dampening, Nesterov momentum and weight decay over one flat buffer, as PyTorch defines them:
// the first momentum buffer is the gradient itself, undamped.
// uses lib/grid lib/guard

struct State {
  lr: f32,
  momentum: f32,
  dampening: f32,
  weight_decay: f32,
  steps: f32,
}

struct Params {
  count: u32,
  nesterov: u32,
  direction: f32,  // -1 to maximise
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> state: State;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> velocity: array<f32>;
@group(0) @binding(5) var<storage, read> scaler: array<f32>; // bound for nothing unless GUARDED

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count || skipped(scaler[2])) {
    return;
  }
  let w = weight[i];
  var g = fma(state.weight_decay, w, p.direction * gradient[i]);
  if (state.momentum != 0.0) {
    let v = select(fma(state.momentum, velocity[i], (1.0 - state.dampening) * g), g, state.steps == 0.0);
    velocity[i] = v;
    g = select(v, fma(state.momentum, v, g), p.nesterov != 0u);
  }
  weight[i] = fma(-state.lr, g, w);
}
