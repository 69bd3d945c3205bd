// Stochastic gradient descent with momentum, dampening, Nesterov momentum and weight decay over one flat buffer, as PyTorch defines them:
// the first momentum buffer is the gradient itself, undamped.
// uses lib/each lib/optim lib/sgd

@group(0) @binding(1) var<storage, read> state: SgdState;
@group(0) @binding(5) var<storage, read_write> velocity: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  if (own.first >= own.end || skipped()) {
    return;
  }
  let s = state;
  for (var i = own.first; i < own.end; i += APART) {
    let w = weight[i];
    var g = fma(vec4f(s.weight_decay), w, p.direction * gradient[i]);
    if (s.momentum != 0.0) {
      let v = select(fma(vec4f(s.momentum), velocity[i], (1.0 - s.dampening) * g), g, s.steps == 0.0);
      velocity[i] = v;
      g = select(v, fma(vec4f(s.momentum), v, g), p.variant != 0u);
    }
    weight[i] = fma(vec4f(-s.lr), g, w);
  }
}
