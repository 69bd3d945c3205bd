// Stochastic gradient descent with momentum, dampening, Nesterov momentum and weight decay over one flat buffer, as PyTorch defines them:
// the first momentum buffer is the gradient itself, undamped.
// uses lib/grid lib/optim lib/sgd

@group(0) @binding(1) var<storage, read> state: SgdState;
@group(0) @binding(5) var<storage, read_write> velocity: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count || skipped()) {
    return;
  }
  let w = weight[i];
  var g = fma(state.weight_decay, w, p.direction * gradient[i]);
  if (state.momentum != 0.0) {
    let v = select(fma(state.momentum, velocity[i], (1.0 - state.dampening) * g), g, state.steps == 0.0);
    velocity[i] = v;
    g = select(v, fma(state.momentum, v, g), p.variant != 0u);
  }
  weight[i] = fma(-state.lr, g, w);
}
